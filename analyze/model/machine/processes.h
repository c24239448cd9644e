// The processes of a capture, by number and time: the kernel gives the number of one that has ended to another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/event_names.h"
#include "formats/io_terms.h"
#include "formats/time.h"

namespace tailcap::model {

// The one place that decides what a process is called: what an interpreter runs, or the name that the kernel has for
// it.
std::string_view name_of(const formats::TaskInfo& info);

class Processes {
 public:
  static constexpr std::size_t kMax = 32u << 10;          // numbers; the names of further ones are not known
  static constexpr std::size_t kMaxThreads = 256u << 10;  // likewise
  static constexpr std::size_t kMaxLives = 64;            // processes of one number; later ones are taken for the last
  static constexpr std::size_t kMaxNames = 64;            // of one process
  static constexpr std::size_t kMaxCommandLine = 1024;

  struct Name {
    formats::Time since = formats::kNoTime;
    std::string text;        // empty: not known
    bool described = false;  // by what /proc says; otherwise it is what the kernel said when it changed
  };
  struct Life {
    formats::Time began = formats::kNoTime;  // where its start was seen; for reuse only
    std::string command_line, executable, cgroup;
    formats::Time started = formats::kNoTime;  // as the kernel knows it, in ticks of 10 ms
    formats::Time described = formats::kNoTime;
    std::vector<Name> names;  // in order of time
  };

  void push(const formats::Event& event);

  // The name of the process that has this number now; empty: not known.
  std::string_view name(std::uint32_t pid) const;
  // Which of those that had this number was alive then, or began last before it: 0 is the first. kNoTime: the last.
  std::uint32_t life_at(std::uint32_t pid, formats::Time at) const;
  const Life* life(std::uint32_t pid, std::uint32_t number) const;  // null: nothing is known of it
  const Life* at(std::uint32_t pid, formats::Time at) const { return life(pid, life_at(pid, at)); }
  static std::string_view name_in(const Life& life, formats::Time at);
  // A thread as it was described last; null: not known.
  struct Thread {
    std::uint32_t pid = 0;
    std::string name;
  };
  const Thread* thread(std::uint32_t tid) const;

  bool contains(std::uint32_t pid) const { return lives_.contains(pid); }
  bool empty() const { return lives_.empty(); }
  bool full() const { return lives_.size() >= kMax; }
  // Several processes had this number, or one had several names: a name said before may not be the one that holds.
  bool changed(std::uint32_t pid) const;
  bool changed() const { return changes_ > 0; }

 private:
  struct Holder {
    std::vector<Life> lives;
    bool changed = false;
  };
  Holder* find_or_add(std::uint32_t pid);
  void start(const formats::Event& event, const formats::TaskStart& start);
  void describe(const formats::Event& event, const formats::TaskInfo& info);
  void change(Holder& holder);
  void rename(Holder& holder, Life& life, formats::Time at, std::string_view text, bool described);

  void keep_thread(formats::Thread thread, std::string_view comm);

  std::unordered_map<std::uint32_t, Holder> lives_;
  std::unordered_map<std::uint32_t, Thread> threads_;
  std::size_t changes_ = 0;  // numbers of which changed() is true
};

}  // namespace tailcap::model

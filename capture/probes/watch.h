// The Go programs that targets run: what is recorded of them, for which processes, and for how long.
//
// Only the finder's thread uses this, except for take(), dropped() and names().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capture/go/governor.h"
#include "capture/go/heap.h"
#include "capture/go/names.h"
#include "capture/probes/probes.h"
#include "capture/scan/target_files.h"
#include "capture/symbols/plan.h"
#include "formats/go_event.h"
#include "formats/time.h"

namespace tailcap::capture::go {

// What can be recorded of a process that runs a Go program. Like formats::GoProgram, but owns its strings.
struct Fact {
  std::uint32_t pid = 0;
  std::string path, version, offsets_from, unsupported;
  std::uint16_t goid_offset = 0;
  std::uint8_t parts = 0;
  std::uint16_t processors = 0;
  std::shared_ptr<const std::string> build;  // formats::GoBuild::lines; the same object for all processes of a file
};

// The heap of a process at a moment.
struct HeapFact {
  formats::Time at = formats::kNoTime;
  std::uint32_t pid = 0;
  formats::GoHeap heap;
};

class Watch {
 public:
  // states: also the state changes of every goroutine. allocations: also allocations. probes and files must outlive
  // this object.
  Watch(Probes& probes, scan::TargetFiles& files) : probes_(probes), target_files_(files) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // The next program's number in the kernel's table; 0: the table is full.
  std::uint16_t next_number() const;
  // Adds a program under that number. The caller attaches the returned functions, by groups, and reports what the
  // kernel refused.
  std::vector<PlannedFunction> take_on(const scan::TargetFile& target, scan::FilePlan plan);
  void refused(const scan::Identity& file, const std::string& why);
  // Notes that the process runs this file, of any kind. Where it has a heap that can be read, read_heaps() does.
  void note_process(std::uint32_t pid, const scan::Identity& executable);

  // Whether note_process() found a Go program in this process.
  bool runs_in(std::uint32_t pid) const { return processes_.contains(pid); }

  // Whether the places of this function, of a planned program, are removed and placed again by govern().
  bool governs(const PlannedFunction& function) const;
  bool governs() const { return !busy_.empty(); }
  static constexpr std::uint32_t kGroups = 2 * (Probes::kGoFiles + 1);  // group numbers used here are smaller
  // Removes probes that are hit too often, and places them again later; call every Governor::kInterval.
  void govern();

  // Whether there are processes whose heap can be read; reads those of at most kHeaps, in turns.
  bool reads_heaps() const { return heaps_ > 0; }
  void read_heaps();
  static constexpr std::size_t kHeaps = 64;

  std::vector<Fact> take();  // new facts about processes
  std::vector<HeapFact> take_heaps();
  std::uint64_t dropped();  // facts that were not kept, since the beginning
  const Names& names() const { return names_; }

 private:
  using Clock = Governor::Clock;
  using FileNumber = std::pair<std::uint64_t, std::uint64_t>;  // device and inode
  struct File {
    std::uint16_t number = 0;  // in the kernel's table
    std::int64_t changed = 0;  // when
    Fact fact;
    std::optional<scan::TargetFile> target;  // to find it again, whatever becomes of its name
    std::uint8_t away = 0;                   // parts that are not recorded for now
    std::uint64_t processors = 0;            // as Program::processors
    HeapPlaces heap;
    bool shown = false;             // the kernel shows which goroutine made which
    std::uint64_t allowed[2] = {};  // hits a second of creations, of handlers
    bool movable = false;           // position-independent
    std::string unsupported;        // what is never recorded
  };
  // Places that many requests hit.
  struct Busy {
    FileNumber file;
    bool handlers = false;
    std::uint32_t group = 0;
    std::vector<FunctionProbe> places;
    Governor governor;
    Probes::GoHits before;  // at the last look
    bool needed = false;    // the kernel shows too little of what these places show
  };
  std::uint64_t allowed(Busy& busy, const File& file, const Probes::GoHits& hits) const;

  void add_busy(const FileNumber& number, const File& file, const std::vector<PlannedFunction>& functions,
                bool handlers);
  void change(const Busy& busy, bool away);
  void tell(std::uint32_t pid, const File& file, std::uint16_t processors);

  Probes& probes_;
  scan::TargetFiles& target_files_;
  std::map<FileNumber, File> files_;
  struct Told {
    FileNumber file;
    std::uint16_t processors = 0;
    std::optional<std::uint64_t> base{};  // where its heap can be read: what is added to HeapPlaces::controller
    std::uint8_t tries = 0;               // at its heap, in vain
  };
  using Processes = std::map<std::uint32_t, Told>;
  void forget(Processes::iterator process);
  Processes processes_;          // those already reported
  std::size_t heaps_ = 0;        // of them, whose heap can be read
  std::uint32_t next_heap_ = 0;  // the process with which the next turn begins
  std::vector<Busy> busy_;
  Names names_;
  std::mutex mutex_;
  std::vector<Fact> facts_;
  std::vector<HeapFact> heap_facts_;
  std::uint64_t dropped_ = 0;
};

}  // namespace tailcap::capture::go

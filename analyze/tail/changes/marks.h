// Collects what changed while it was recorded: notes that somebody gave, and programs that took over an address from
// another one.
//
// A program is one execution of a file with all processes forked from it. It took over where it began during the
// recording and answered at a local address at which another program of the same name or the same file had answered
// before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/change_study.h"
#include "formats/event_names.h"
#include "formats/time.h"

namespace tailcap::tail::changes {

class Marks {
 public:
  static constexpr std::size_t kNotes = 1024;         // the last are kept
  static constexpr std::size_t kPrograms = 1u << 16;  // later ones are not reported
  static constexpr std::size_t kText = 2048;          // bytes of a note's value, or of a path

  void push(const formats::Event& event);
  // Fills changes and left_out. local: the local address of a connection, in table.texts.
  void fill(const model::RequestTable& table, const std::function<model::TextId(model::ConnectionId)>& local,
            model::ChangeStudy& out) const;

 private:
  struct Program {
    formats::Time began = formats::kNoTime;  // kNoTime: before the recording, or its beginning was not seen
    std::uint32_t pid = 0;
    std::string comm, executable, build, revision;
  };
  struct Run {
    formats::Time since = formats::kNoTime;
    std::size_t program = 0;
  };
  Program* program_of(std::uint32_t pid);  // the process's last; made where there is none; null: no room
  void begin(std::uint32_t pid, formats::Time at, Program program);
  void add_programs(const model::RequestTable& table, const std::function<model::TextId(model::ConnectionId)>& local,
                    std::vector<model::Change>& out) const;

  std::vector<model::Change> notes_;  // a ring once it is full
  std::uint64_t notes_seen_ = 0;
  std::vector<Program> programs_;
  std::unordered_map<std::uint32_t, std::vector<Run>> runs_;  // by process, in order of time
  bool began_ = false;                                        // any program, while recording
};

}  // namespace tailcap::tail::changes

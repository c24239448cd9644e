// The tables by which the kernel program walks stacks of code without frame pointers, and the mappings of the processes
// that run it (bpf/event_unwind.h): puts both into the kernel's maps, and takes out what is no longer used.
//
// Processes that map the same file share its table. Used by one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "capture/symbols/unwind_rules.h"

namespace tailcap::capture::stacks {

// Descriptors of the kernel's maps; -1: there are none, and nothing is done.
struct UnwindMaps {
  int parts = -1, processes = -1;
};

// The table of a file. Which addresses it has rules for, in pieces of a size that the kernel program can search.
struct UnwindTable {
  struct Piece {
    std::uint32_t id = 0, parts = 0;
    std::uint32_t begin = 0;  // the pc of its first row
  };
  std::vector<Piece> pieces;
  symbols::CodeSegments code;
};

class UnwindTables {
 public:
  using Table = std::shared_ptr<const UnwindTable>;
  struct Mapping {
    std::uint64_t start = 0, end = 0, offset = 0;  // addresses; in the file
    Table table;                                   // null: none
  };

  explicit UnwindTables(UnwindMaps maps);

  bool wanted() const { return maps_.parts >= 0 && maps_.processes >= 0; }
  // Null: there are no rules, or there is no room.
  Table add(const symbols::UnwindRules& rules);
  Table vdso() const { return vdso_; }
  // All executable mappings of a process, by address. Where none has a table, its stacks are walked by frame pointers.
  void set(std::uint32_t pid, const std::vector<Mapping>& mappings);
  void forget(std::uint32_t pid);  // it runs another program, or none

 private:
  using Clock = std::chrono::steady_clock;
  struct List {
    std::uint32_t id = 0, parts = 0;
    std::vector<Table> tables;  // in use
  };
  struct Retired {
    Clock::time_point since;
    std::uint32_t id = 0, parts = 0;
  };
  bool make_room(std::size_t parts);
  bool put(std::uint32_t id, std::uint32_t part, const bpf::unwind_part& value);
  void retire(std::uint32_t id, std::uint32_t parts);
  void remove_retired();
  bool put_rows(const std::vector<bpf::unwind_row>& rows, UnwindTable& table);

  UnwindMaps maps_;
  std::vector<Table> tables_;
  std::unordered_map<std::uint32_t, List> lists_;
  std::deque<Retired> retired_;
  Table vdso_;
  std::size_t parts_ = 0;  // in the map, those that are retired included
  std::uint32_t last_id_ = 0;
};

}  // namespace tailcap::capture::stacks

// The Go programs that targets run: what is told of them, by which processes, and for how long.
//
// Used by the finder's thread alone, except for take(), dropped() and names().
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
#include "capture/go/names.h"
#include "capture/plan.h"
#include "capture/probes.h"
#include "capture/scan/target_files.h"

namespace tailcap::capture::go {

// What can be told of a process that runs a Go program. As formats::GoProgram, with its own strings.
struct Fact {
  std::uint32_t pid = 0;
  std::string path, version, offsets_from, unsupported;
  std::uint16_t goid_offset = 0;
  std::uint8_t parts = 0;
  std::uint16_t processors = 0;
  std::shared_ptr<const std::string> build;  // formats::GoBuild::lines; the same object for all processes of a file
};

class Watch {
 public:
  // states: what every goroutine does, too. allocations: what is allocated. probes and files must outlive this.
  Watch(Probes& probes, scan::TargetFiles& files) : probes_(probes), target_files_(files) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // That the next program gets in the kernel's table; 0: the table is full.
  std::uint16_t next_number() const;
  // Takes a program on, by that number. The caller attaches what is returned, by groups, and says what the kernel
  // refused.
  std::vector<PlannedFunction> take_on(const scan::TargetFile& target, scan::FilePlan plan);
  void refused(const scan::Identity& file, const std::string& why);
  // The process runs this file, of whatever kind it is.
  void note_process(std::uint32_t pid, const scan::Identity& executable);

  // Whether the places of this function, of a planned program, are removed and placed again by govern().
  bool governs(const PlannedFunction& function) const;
  // Leaves what is passed too often, and comes back to it; call every Governor::kInterval.
  bool governs() const { return !busy_.empty(); }
  // Other places of this file are left for good.
  static constexpr std::uint32_t kGroups = 2 * (Probes::kGoFiles + 1);  // numbers of groups used here are smaller
  void govern();

  std::vector<Fact> take();  // what is new of processes
  std::uint64_t dropped();   // that were not kept, since the beginning
  const Names& names() const { return names_; }

 private:
  using Clock = Governor::Clock;
  using FileNumber = std::pair<std::uint64_t, std::uint64_t>;  // device and inode
  struct File {
    std::uint16_t number = 0;  // in the kernel's table
    std::int64_t changed = 0;  // when
    Fact fact;
    std::optional<scan::TargetFile> target;  // to find it again, whatever becomes of its name
    std::uint8_t away = 0;                   // parts that are not told for now
    std::uint64_t processors = 0;            // the file's address of GOMAXPROCS; 0: not known
    bool movable = false;                    // position-independent
    std::string unsupported;                 // what never is
  };
  // Places that many requests pass.
  struct Busy {
    FileNumber file;
    bool handlers = false;
    std::uint32_t group = 0;
    std::vector<FunctionProbe> places;
    Governor governor;
  };

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
  };
  std::map<std::uint32_t, Told> processes_;  // those told of
  std::vector<Busy> busy_;
  Names names_;
  std::mutex mutex_;
  std::vector<Fact> facts_;
  std::uint64_t dropped_ = 0;
};

}  // namespace tailcap::capture::go

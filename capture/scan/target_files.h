// Files of targets: opened once, read by an unprivileged process, and probed as the version that was read.
//
// Nothing here waits for a file: other processes (capture/scan/opener, worker) access it, with a deadline. A process
// that does not answer in time is abandoned. Its deadline was for a file of a mount, in a target: each mount and each
// target has a number of these, and once it has used them up none of its files is examined until one of them answers.
// So files that do not answer take nothing from those of others, except time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/scan/function_links.h"
#include "capture/scan/opener.h"
#include "capture/scan/process_text.h"
#include "capture/scan/processes.h"
#include "capture/scan/requests.h"

namespace tailcap::capture::scan {

// A file that was found, independent of its names. Its descriptor cannot be read and can be closed at any time.
// On whose account a file is examined. 0: unknown, or the system's own.
struct Owner {
  std::uint64_t device = 0;
  std::uint32_t pid = 0;
};

struct TargetFile {
  std::string shown;
  Identity identity;
  Descriptor descriptor;
  std::uint32_t pid = 0;  // the target; 0: none

  Owner owner() const { return {identity.device, pid}; }
  std::optional<TargetFile> again() const;  // a copy to keep; none: no descriptors left
};

// Used by one thread, except for stop().
class TargetFiles {
 public:
  // processes must outlive this object.
  explicit TargetFiles(const Processes& processes);

  static constexpr std::size_t kMaxAbandoned = 2;  // at a time, of each owner
  static constexpr std::size_t kMaxAbandonedInAll = 64;

  // Opens the first candidate that exists. If there is none, or on an error, problem() says why.
  std::optional<TargetFile> open(const std::string& shown, const std::vector<Candidate>& candidates, Owner owner = {});
  std::optional<FilePlan> plan(const TargetFile& file, const PlanRequest& request);
  std::optional<std::string> build_id(const TargetFile& file);
  std::optional<symbols::CodeNames> names(const TargetFile& file);
  std::optional<symbols::UnwindRules> unwind_rules(const TargetFile& file);
  std::optional<symbols::ScriptPrograms> scripts(const TargetFile& file);
  std::optional<symbols::VariableNames> variables(const TargetFile& file);
  std::optional<symbols::SourceLines> source_lines(const TargetFile& file, const LinesRequest& request);
  std::optional<symbols::PerfMap> perf_map(const TargetFile& file, std::uint32_t user);  // empty: it is another user's
  // Attaches the programs at the places. Returns descriptors of links, which the caller owns; none: see problem().
  // anew: they were attached there before, and the file may have been renamed or deleted since. pid: only in this
  // process; 0: in all that run the file.
  std::vector<int> attach(const TargetFile& file, std::span<const int> programs,
                          const std::vector<FunctionProbe>& places, bool many, bool anew, std::uint32_t pid = 0);

  // Reads a word of the process's memory.
  std::optional<std::int32_t> word(std::uint32_t pid, std::uint64_t address);

  // At most `size` bytes of it, as many as are mapped there; none: it does not answer, or they cannot be read.
  std::optional<std::string> memory(std::uint32_t pid, std::uint64_t address, std::uint32_t size);

  // What /proc shows of a process; none: it does not answer. One that did not is not asked again for its memory.
  std::optional<ProcessText> process(const ProcessQuestion& question);

  // Whether probes can be placed in it without waiting for a process that keeps the lock of its memory, as far as that
  // can be seen.
  bool can_be_placed(const TargetFile& file);

  const std::string& problem() const { return problem_; }
  bool late() const { return late_; }        // the problem is a missed deadline
  bool blocked() const { return blocked_; }  // the problem is that others of the same owner did not answer
  // From any thread: a waiting caller gets an error at once, and so does every later one.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Abandoned {
    Descriptor socket;
    Owner owner;
  };
  // Whether the owner has used up what it may. The call checks whether some answer again.
  bool used_up(const Owner& owner);
  bool proven(const Owner& owner) const;  // it answered, and nothing of it is abandoned
  bool stopped() const;
  bool ask_opener(std::string_view errand, std::span<const int> descriptors, Clock::duration patience, Owner owner,
                  Message& answer);
  // A process that reads files. One that has answered can be asked again.
  struct Reader {
    Descriptor socket{};
    Clock::time_point since{};
  };
  std::optional<std::string> read(const TargetFile& file, std::string_view request, std::size_t most,
                                  Clock::duration patience, Reader& reader);
  // The same by a process of its own.
  std::optional<std::string> read(const TargetFile& file, std::string_view request, std::size_t most);
  Reader& lines_reader(const Identity& file);
  void abandon(Descriptor& socket, Owner owner);

  const Processes& processes_;
  Descriptor stop_;  // an eventfd: readable once stopped
  Descriptor opener_;
  Reader build_ids_;                                   // of many files
  std::vector<std::pair<Identity, Reader>> of_lines_;  // each of one file; the last used last
  std::vector<Abandoned> abandoned_;
  std::set<std::uint64_t> answered_;  // devices whose files were read
  std::set<std::uint32_t> silent_;    // processes
  std::string problem_;
  bool late_ = false, blocked_ = false;
};

}  // namespace tailcap::capture::scan

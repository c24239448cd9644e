// Files of targets: opened once, read by an unprivileged process, and probed as the version that was read.
//
// Nothing here waits for a file: other processes (capture/scan/opener, worker) access it, with a deadline. A process
// that does not answer in time is abandoned; while there are several of these, no further file is examined.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/scan/function_links.h"
#include "capture/scan/opener.h"
#include "capture/scan/processes.h"
#include "capture/scan/requests.h"

namespace tailcap::capture::scan {

// A file that was found, independent of its names. Its descriptor cannot be read and can be closed at any time.
struct TargetFile {
  std::string shown;
  Identity identity;
  Descriptor descriptor;

  std::optional<TargetFile> again() const;  // a copy to keep; none: no descriptors left
};

// Used by one thread, except for stop().
class TargetFiles {
 public:
  // processes must outlive this object.
  explicit TargetFiles(const Processes& processes);

  static constexpr std::size_t kMaxAbandoned = 4;  // at a time

  // Opens the first candidate that exists. If there is none, or on an error, problem() says why.
  std::optional<TargetFile> open(const std::string& shown, const std::vector<Candidate>& candidates);
  std::optional<FilePlan> plan(const TargetFile& file, const PlanRequest& request);
  std::optional<std::string> build_id(const TargetFile& file);
  std::optional<symbols::CodeNames> names(const TargetFile& file);
  // Attaches the programs at the places. Returns descriptors of links, which the caller owns; none: see problem().
  // anew: they were attached there before, and the file may have been renamed or deleted since.
  std::vector<int> attach(const TargetFile& file, std::span<const int> programs,
                          const std::vector<FunctionProbe>& places, bool many, bool anew);

  // Reads a word of the process's memory.
  std::optional<std::int32_t> word(std::uint32_t pid, std::uint64_t address);

  const std::string& problem() const { return problem_; }
  bool late() const { return late_; }  // the problem is a missed deadline
  // So many processes do not answer that no further one is started. The call checks whether some answer again.
  bool blocked();
  // From any thread: a waiting caller gets an error at once, and so does every later one.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  bool ask_opener(std::string_view errand, std::span<const int> descriptors, Clock::duration patience, Message& answer);
  std::optional<std::string> read(const TargetFile& file, std::string_view request, std::size_t most,
                                  Clock::duration patience, bool keeps_reader);
  void abandon(Descriptor& socket);

  const Processes& processes_;
  Descriptor stop_;  // an eventfd: readable once stopped
  Descriptor opener_, reader_;
  Clock::time_point reader_since_{};
  std::vector<Descriptor> abandoned_;
  std::string problem_;
  bool late_ = false;
};

}  // namespace tailcap::capture::scan

// Files of targets, as the recorder has them: opened once, read by a process without privileges, and probed as what was
// read.
//
// Nothing here waits for a file: what a file is asked of is asked of other processes (capture/scan/opener, worker),
// with a deadline. Who does not answer in time is abandoned; while several are, no further file is looked at.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/function_links.h"
#include "capture/scan/opener.h"
#include "capture/scan/processes.h"
#include "capture/scan/requests.h"

namespace tailcap::capture::scan {

// A file that was found, whatever becomes of its names. Its descriptor opens nothing and can be closed at any time.
struct TargetFile {
  std::string shown;
  Identity identity;
  Descriptor descriptor;

  std::optional<TargetFile> again() const;  // the same, to keep; none: there are no descriptors left
};

// Used by one thread, but for stop().
class TargetFiles {
 public:
  // processes must outlive this.
  explicit TargetFiles(const Processes& processes);

  static constexpr std::size_t kMaxAbandoned = 4;  // at a time

  // The first of the candidates that is there. Where there is none, or an error, problem() says why.
  std::optional<TargetFile> open(const std::string& shown, const std::vector<Candidate>& candidates);
  std::optional<FilePlan> plan(const TargetFile& file, const PlanRequest& request);
  std::optional<std::string> build_id(const TargetFile& file);
  std::optional<symbols::CodeNames> names(const TargetFile& file);
  // Links that hold the programs at the places: descriptors, the caller's; none: see problem().
  // anew: they stood there before, and the file may have been renamed or deleted since.
  std::vector<int> attach(const TargetFile& file, std::span<const int> programs,
                          const std::vector<FunctionProbe>& places, bool many, bool anew);

  // Of a process' memory.
  std::optional<std::int32_t> word(std::uint32_t pid, std::uint64_t address);

  const std::string& problem() const { return problem_; }
  bool late() const { return late_; }  // the problem is that there was no answer in time
  // So many processes do not answer that no further one is made; asking may find that some answer again.
  bool blocked();
  // From any thread: who waits gets an error at once, and so does everybody from then on.
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

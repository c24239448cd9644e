#include "formats/bounds/read_limits.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "formats/bounds/process_bounds.h"
#include "formats/bounds/read_progress.h"

namespace tailcap::formats {
namespace {

constexpr std::uint64_t kLookAtMemory = 4096;  // requests between two looks: some megabytes

ReadLimits& limits() {
  static ReadLimits all;
  return all;
}

std::vector<Stopped>& stopped() {
  static std::vector<Stopped> all;
  return all;
}

// By identity and age of the file; a capture that is being recorded grows and is another one each time.
std::map<file::FileIdentity, file::ReadProgress>& progress() {
  static std::map<file::FileIdentity, file::ReadProgress> all;
  return all;
}

}  // namespace

void set_read_limits(const ReadLimits& chosen) { limits() = chosen; }
const ReadLimits& read_limits() { return limits(); }
const std::vector<Stopped>& stopped_captures() { return stopped(); }

std::string_view name_of(StopReason reason) {
  switch (reason) {
    case StopReason::none:
      return "none";
    case StopReason::memory:
      return "memory_limit";
    case StopReason::requests:
      return "request_limit";
    case StopReason::many_requests:
      return "requests_out_of_proportion";
    case StopReason::many_events:
      return "events_out_of_proportion";
  }
  return "unknown";
}

std::string text_of(StopReason reason) {
  switch (reason) {
    case StopReason::none:
      return "";
    case StopReason::memory:
      return "reading the rest needs more than " + std::to_string(memory_limit() >> 20) +
             " MiB of memory (--max-memory sets the limit)";
    case StopReason::requests:
      return "it holds more than " + std::to_string(limits().requests) + " requests (--max-requests sets the limit)";
    case StopReason::many_requests:
      return "it holds more requests than a recording of its size, and may be crafted (--max-requests N reads it all "
             "the same)";
    case StopReason::many_events:
      return "it holds more events or bytes than a recording of its size, and may be crafted (--max-requests N reads "
             "it all the same)";
  }
  return "";
}

std::uint64_t resident_bytes() {
  static const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  static const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::array<char, 128> text;
  const ssize_t n = file < 0 ? -1 : pread(file, text.data(), text.size(), 0);
  if (n <= 0) return 0;
  const std::string_view line(text.data(), static_cast<std::size_t>(n));
  const std::size_t second = line.find(' ') + 1;  // size, resident, …
  std::uint64_t pages = 0;
  std::from_chars(line.data() + second, line.data() + line.size(), pages);
  return pages * page;
}

RequestAllowance::RequestAllowance(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return;  // who reads it says so
  progress_ = &file::progress_of(file::identity_of(status));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  most_ = limits().requests;
  if (limits().proportion) most_ = std::min(most_, kFreeRequests + kRequestsPerByte * size);
}

bool RequestAllowance::admits(std::uint64_t requests) {
  if (progress_ == nullptr) return true;
  StopReason reason = StopReason::none;
  if (requests > most_)
    reason = most_ == limits().requests ? StopReason::requests : StopReason::many_requests;
  else if (requests % kLookAtMemory == 0 && resident_bytes() > file::allowed_memory(*progress_))
    reason = StopReason::memory;
  if (reason != StopReason::none && progress_->stopped == StopReason::none) progress_->stopped = reason;
  return reason == StopReason::none;
}

namespace file {

FileIdentity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

ReadProgress& progress_of(const FileIdentity& file) { return progress()[file]; }

std::uint64_t allowed_memory(const ReadProgress& progress) {
  const std::uint64_t limit = memory_limit();
  return progress.read_once ? limit : limit / 4 * 3;
}

void note_stop(ReadProgress& progress, const std::string& name, StopReason reason, Duration after,
               std::uint64_t events) {
  if (std::exchange(progress.noted, true)) return;
  progress.stopped = reason;
  progress.events = events;
  stopped().push_back({name, reason, after});
}

}  // namespace file
}  // namespace tailcap::formats

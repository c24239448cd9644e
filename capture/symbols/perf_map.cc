#include "capture/symbols/perf_map.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <queue>
#include <vector>

namespace tailcap::capture::symbols {

namespace {

constexpr std::size_t kMaxMapName = 512;
constexpr std::uint64_t kLargest = 1u << 30;  // of a function; compilers make none of a MiB

struct Line {
  std::uint64_t start = 0, end = 0;
  std::string_view name;
};

// Takes a number and the blank behind it.
bool take_number(std::string_view& text, std::uint64_t& value) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  while (!text.empty() && lines.size() < PerfMap::kMaxLines) {
    const auto end = text.find('\n');
    if (end == text.npos) break;  // not yet written as a whole
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    std::uint64_t start = 0, size = 0;
    if (!take_number(line, start) || !take_number(line, size) || line.empty()) continue;
    if (size == 0 || size > kLargest || start > UINT64_MAX - size) continue;
    lines.push_back({start, start + size, line.substr(0, kMaxMapName)});
  }
  return lines;
}

// Cuts the lines into pieces that do not overlap, by address: each belongs to the last line that covers it.
FunctionNames pieces_of(const std::vector<Line>& lines) {
  std::vector<std::uint32_t> by_start(lines.size());
  for (std::uint32_t i = 0; i < by_start.size(); ++i) by_start[i] = i;
  std::ranges::stable_sort(by_start, {}, [&](std::uint32_t i) { return lines[i].start; });
  std::priority_queue<std::uint32_t> open;  // the last one first
  FunctionNames names;
  std::uint64_t at = 0;
  for (std::size_t next = 0; next < by_start.size() || !open.empty();) {
    const std::uint64_t until = next < by_start.size() ? lines[by_start[next]].start : UINT64_MAX;
    while (!open.empty() && at < until) {
      const Line& line = lines[open.top()];
      const std::uint64_t end = std::min(line.end, until);
      if (end > at) {
        names.add(at, static_cast<std::uint32_t>(end - at), line.name);
        at = end;
      }
      if (line.end <= at) open.pop();
    }
    if (next == by_start.size()) break;
    at = until;
    while (next < by_start.size() && lines[by_start[next]].start == at) open.push(by_start[next++]);
  }
  return names;
}

}  // namespace

PerfMap::PerfMap(std::string_view text) : names_(pieces_of(lines_of(text))) {}

PerfMap PerfMap::of_file(int descriptor, std::uint32_t user) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || status.st_uid != user || status.st_size <= 0 ||
      static_cast<std::uint64_t>(status.st_size) > kMaxBytes)
    return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = pread(descriptor, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return PerfMap(std::string_view(text).substr(0, done));
}

std::string_view PerfMap::at(std::uint64_t address) const {
  const auto* function = names_.around(address);
  return function ? names_.name(*function) : std::string_view();
}

PerfMap PerfMap::decode(scan::Decoder& in) {
  PerfMap map;
  map.names_ = FunctionNames::decode(in);
  return map;
}

}  // namespace tailcap::capture::symbols

#include "capture/symbols/perf_map.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <deque>
#include <queue>
#include <unordered_map>
#include <vector>

namespace tailcap::capture::symbols {

namespace {

constexpr std::size_t kMaxMapName = 512;
constexpr std::uint64_t kLargest = 1u << 30;  // of a function; compilers make none of a MiB

struct Line {
  std::uint64_t start = 0, end = 0;
  std::string_view name;
};

std::string bytes_at(int descriptor, std::uint64_t offset, std::size_t bytes) {
  std::string text(bytes, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = pread(descriptor, text.data() + done, text.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

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

// A dump of code (jitdump): a header, then records, of which each says its size.
constexpr std::string_view kDumpMagic = "DTiJ";  // on a machine with the lowest byte first
constexpr std::size_t kDumpHeaderSize = 8, kDumpRecordSize = 4, kDumpHead = 56;
constexpr std::uint32_t kCodeLoad = 0, kCodeMove = 1;
constexpr std::uint32_t kLeastRecord = 16;

template <class T>
T dump_number(const std::string& bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

struct Dump {
  std::deque<std::string> names;
  std::vector<Line> lines;
  std::unordered_map<std::uint64_t, std::size_t> by_index;  // which line has the code of this number

  void add(std::uint64_t index, std::uint64_t start, std::uint64_t size, std::string_view name) {
    if (size == 0 || size > kLargest || start > UINT64_MAX - size || name.empty()) return;
    by_index[index] = lines.size();
    lines.push_back({start, start + size, name});
  }
  void take(const std::string& head) {
    const auto kind = dump_number<std::uint32_t>(head, 0);
    const auto first = dump_number<std::uint64_t>(head, 32), second = dump_number<std::uint64_t>(head, 40),
               third = dump_number<std::uint64_t>(head, 48);
    if (kind == kCodeLoad && head.size() > kDumpHead) {
      const auto end = head.find('\0', kDumpHead);
      names.push_back(head.substr(kDumpHead, std::min(end, head.size()) - kDumpHead));
      add(third, first, second, names.back());
    } else if (kind == kCodeMove && head.size() >= kDumpHead + sizeof(std::uint64_t)) {
      const auto moved = by_index.find(dump_number<std::uint64_t>(head, kDumpHead));
      if (moved != by_index.end()) add(moved->first, second, third, lines[moved->second].name);
    }
  }
};

}  // namespace

PerfMap PerfMap::of_dump(const Read& read) {
  const std::string header = read(0, kDumpHead);
  if (header.size() < kDumpHeaderSize + kDumpRecordSize || !header.starts_with(kDumpMagic)) return {};
  Dump dump;
  std::uint64_t at = dump_number<std::uint32_t>(header, kDumpHeaderSize);
  for (std::size_t records = 0; at >= kDumpHeaderSize && records < kMaxLines; ++records) {
    const std::string head = read(at, kDumpHead + kMaxMapName);
    if (head.size() < kLeastRecord) break;
    const auto size = dump_number<std::uint32_t>(head, kDumpRecordSize);
    if (size < kLeastRecord) break;
    if (head.size() >= kDumpHead && size >= kDumpHead)
      dump.take(head.substr(0, std::min<std::size_t>(size, head.size())));
    at += size;
  }
  PerfMap map;
  map.names_ = pieces_of(dump.lines);
  return map;
}

PerfMap::PerfMap(std::string_view text) : names_(pieces_of(lines_of(text))) {}

PerfMap PerfMap::of_file(int descriptor, std::uint32_t user) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || status.st_uid != user || status.st_size <= 0) return {};
  const auto read = [&](std::uint64_t offset, std::size_t bytes) { return bytes_at(descriptor, offset, bytes); };
  if (read(0, kDumpMagic.size()) == kDumpMagic) return of_dump(read);
  if (static_cast<std::uint64_t>(status.st_size) > kMaxBytes) return {};
  return PerfMap(read(0, static_cast<std::size_t>(status.st_size)));
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

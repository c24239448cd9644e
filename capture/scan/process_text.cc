#include "capture/scan/process_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "capture/host/clocks.h"
#include "capture/host/system_file.h"

namespace tailcap::capture::scan {

namespace {

constexpr std::size_t kMaxArguments = 4096;  // what is beyond helps no reader of a report
constexpr std::size_t kMaxLine = 16384, kMaxExecutable = 8192;

}  // namespace

std::string ProcessText::command_line() const {
  std::string line = arguments;
  std::replace(line.begin(), line.end(), '\0', ' ');
  return line;
}

std::optional<MapsLine> parse_maps_line(std::uint32_t pid, const std::string& line, std::int64_t read_at) {
  unsigned long start = 0, end = 0, offset = 0, inode = 0;
  std::array<char, 8> rights{};
  std::array<char, 16> device{};
  int used = 0;
  if (std::sscanf(line.c_str(), "%lx-%lx %7s %lx %15s %lu %n", &start, &end, rights.data(), &offset, device.data(),
                  &inode, &used) < 6)
    return std::nullopt;
  char range[40];
  std::snprintf(range, sizeof range, "%lx-%lx", start, end);
  return MapsLine{start,
                  end,
                  offset,
                  rights[2] == 'x',
                  {pid, range, device.data(), line.substr(static_cast<std::size_t>(used)), inode, read_at}};
}

std::vector<MappingFacts> executable_mappings(std::uint32_t pid, const ProcessText& text) {
  std::vector<MappingFacts> mappings;
  for (const auto& line : text.maps) {
    if (mappings.size() >= kMaxMappings) break;
    auto mapping = parse_maps_line(pid, line, text.read_at);
    if (mapping && mapping->executable && mapping->file.inode != 0)
      mappings.push_back({mapping->start, mapping->end, mapping->file_offset, std::move(mapping->file)});
  }
  return mappings;
}

std::string encode(const ProcessQuestion& question) {
  Encoder out;
  out.number(question.pid);
  out.number(question.arguments);
  out.number(question.maps);
  return out.take();
}

std::string answer(Decoder& in) {
  ProcessQuestion question;
  question.pid = in.number<std::uint32_t>();
  question.arguments = in.truth();
  question.maps = in.number<std::uint32_t>();
  const std::string folder = "/proc/" + std::to_string(question.pid) + "/";
  std::error_code error;
  const std::string executable = std::filesystem::read_symlink(folder + "exe", error).string();
  std::string arguments = question.arguments ? read_system_file(folder + "cmdline", kMaxArguments) : std::string();
  while (!arguments.empty() && arguments.back() == '\0') arguments.pop_back();
  const std::int64_t read_at = read_clock(CLOCK_REALTIME_COARSE);
  std::vector<std::string> kept;
  if (question.maps > 0) {
    SystemLines maps(folder + "maps", kMapsBytes);
    for (std::string_view text; kept.size() < question.maps && maps.next(text);) {
      std::string line(text);
      const auto mapping = parse_maps_line(question.pid, line);
      if (mapping && (mapping->executable || (mapping->file_offset == 0 && mapping->file.path == executable)))
        kept.push_back(std::move(line));
    }
  }
  Encoder out;
  out.number(read_at);
  out.text(executable);
  out.text(arguments);
  out.number(static_cast<std::uint64_t>(kept.size()));
  for (const auto& line : kept) out.text(line);
  return out.take();
}

// Before Linux 6.17 reading maps takes the lock, later only reading the arguments does.
std::string take_locks(std::uint64_t inode) {
  const std::string mark = " " + std::to_string(inode) + " ";
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    SystemLines maps("/proc/" + name + "/maps", kMapsBytes);
    for (std::string_view line; maps.next(line);) {
      if (line.find(mark) == line.npos) continue;
      (void)read_system_file("/proc/" + name + "/cmdline", 1);
      break;
    }
  }
  return error ? "processes cannot be listed: " + error.message() : "";
}

std::optional<ProcessText> decode_process_text(std::string_view bytes) {
  Decoder in(bytes);
  ProcessText text;
  text.read_at = in.number<std::int64_t>();
  text.executable = in.text(kMaxExecutable);
  text.arguments = in.text(kMaxArguments);
  for (std::size_t left = in.count(kAllMappings, 8); left > 0 && in.ok(); left--)
    text.maps.emplace_back(in.text(kMaxLine));
  return in.done() ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace tailcap::capture::scan

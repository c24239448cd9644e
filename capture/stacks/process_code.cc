#include "capture/stacks/process_code.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "capture/host/system_file.h"

namespace tailcap::capture::stacks {

namespace {

constexpr std::size_t kMaxProcesses = 4096;
constexpr std::size_t kMaxRanges = 65536;           // the kernel's own limit of mappings (vm.max_map_count)
constexpr formats::Duration kStale{1'000'000'000};  // what is unmapped and mapped again shows no other way
constexpr std::size_t kManyRanges = 4096;           // reading this many takes milliseconds,
constexpr int kManyPatience = 30;                   // so they are read this many times less often
constexpr formats::Duration kRetry{100'000'000};    // an address that lies in no file: code made at run time, mostly

}  // namespace

void ProcessCode::read(std::uint32_t pid, Process& process) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/";
  SystemLines maps(folder + "maps", kMapsBytes);
  std::vector<Range> ranges;
  std::string_view text;
  while (maps.next(text) && ranges.size() < kMaxRanges) {
    const std::string line(text);
    unsigned long start = 0, end = 0, offset = 0, inode = 0;
    std::array<char, 8> rights{};
    std::array<char, 16> device{};
    int used = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %7s %lx %15s %lu %n", &start, &end, rights.data(), &offset, device.data(),
                    &inode, &used) < 6)
      continue;
    if (rights[2] != 'x') continue;
    const std::string path = line.substr(static_cast<std::size_t>(used));
    if (inode != 0) {
      char range[64];
      std::snprintf(range, sizeof range, "%lx-%lx", start, end);
      ranges.push_back({start, end, offset, files_.file({pid, range, device.data(), path, inode})});
    } else if (path.starts_with('[')) {  // [vdso]
      ranges.push_back({start, end, 0, std::make_shared<CodeFile>(frame_name(path), false)});
    }
  }
  if (!ranges.empty()) process.ranges = std::move(ranges);  // one that is about to end has none
}

const ProcessCode::Range* ProcessCode::find(const Process& process, std::uint64_t address) {
  const auto next = std::upper_bound(process.ranges.begin(), process.ranges.end(), address,
                                     [](std::uint64_t a, const Range& r) { return a < r.start; });
  return next == process.ranges.begin() || address >= (next - 1)->end ? nullptr : &*(next - 1);
}

CodePlace ProcessCode::at(std::uint32_t pid, std::uint64_t address, formats::Time now) {
  if (processes_.size() >= kMaxProcesses && !processes_.contains(pid)) processes_.clear();
  Process& process = processes_[pid];
  const Range* range = find(process, address);
  const auto patience = (range ? kStale : kRetry) * (process.ranges.size() > kManyRanges ? kManyPatience : 1);
  if (!known(process.read) || now - process.read >= patience) {
    process.read = now;
    read(pid, process);
    range = find(process, address);
  }
  return range ? CodePlace{range->file, range->offset + (address - range->start)} : CodePlace{};
}

void ProcessCode::forget(std::uint32_t pid) { processes_.erase(pid); }

}  // namespace tailcap::capture::stacks

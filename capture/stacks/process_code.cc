#include "capture/stacks/process_code.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "capture/stacks/scripts/frame_name.h"

namespace tailcap::capture::stacks {

namespace {

constexpr std::size_t kMaxProcesses = 4096;
constexpr std::chrono::milliseconds kReadPatience{30};  // the thread that empties the rings waits
constexpr std::uint32_t kMostSilent = 10;               // each time that it does not answer doubles the pause
constexpr formats::Duration kStale{1'000'000'000};      // what is unmapped and mapped again shows no other way
constexpr std::size_t kManyRanges = 4096;               // reading this many takes milliseconds,
constexpr int kManyPatience = 30;                       // so they are read this many times less often
constexpr formats::Duration kRetry{100'000'000};  // an address that lies in no file: code made at run time, mostly

}  // namespace

// A process that does not answer is waited for once, and asked less and less often.
void ProcessCode::read(std::uint32_t pid) {
  Process& process = processes_[pid];
  if (!process.asked) {
    process.asked = true;
    texts_.ask({pid, false, scan::kAllMappings});
    texts_.wait(kReadPatience, false);
  }
  take_answers();
}

void ProcessCode::take_answers() {
  for (const auto& [question, text, silent] : texts_.take()) {
    const auto found = processes_.find(question.pid);
    if (found == processes_.end()) continue;
    Process& process = found->second;
    process.asked = false;
    process.silent = silent ? std::min(process.silent + 1, kMostSilent) : 0;
    std::vector<CodeRange> ranges;
    std::vector<std::shared_ptr<const CodeUse>> uses;
    for (const auto& line : text.maps) {
      const auto mapping = scan::parse_maps_line(question.pid, line, text.read_at);
      if (!mapping || !mapping->executable) continue;
      if (mapping->file.inode != 0)
        ranges.push_back(
            {mapping->start, mapping->end, mapping->file_offset, files_.file(mapping->file, uses.emplace_back())});
      else
        ranges.push_back({mapping->start, mapping->end, 0, kernels_own(mapping->file.path)});
    }
    if (ranges.empty() || ranges == process.ranges) continue;  // one that is about to end has none
    process.ranges = std::move(ranges);
    if (!process.ended) process.uses = std::move(uses);
    const auto dump = std::ranges::find_if(process.ranges, [](const CodeRange& r) { return r.file && r.file->dump(); });
    process.dump = dump == process.ranges.end() ? nullptr : dump->file;
    files_.tell(question.pid, process.ranges);
  }
}

// [vdso] and its like; null: made at run time, whatever the process calls its memory.
std::shared_ptr<CodeFile> ProcessCode::kernels_own(const std::string& name) {
  if (!name.starts_with('[') || name.starts_with("[anon")) return nullptr;
  auto& known = kernels_own_[name];
  if (!known) known = std::make_shared<CodeFile>(frame_name(name));
  return known;
}

const CodeRange* ProcessCode::find(const Process& process, std::uint64_t address) {
  const auto next = std::upper_bound(process.ranges.begin(), process.ranges.end(), address,
                                     [](std::uint64_t a, const CodeRange& r) { return a < r.start; });
  return next == process.ranges.begin() || address >= (next - 1)->end ? nullptr : &*(next - 1);
}

CodePlace ProcessCode::at(std::uint32_t pid, std::uint64_t address, formats::Time now) {
  if (processes_.size() >= kMaxProcesses && !processes_.contains(pid)) {
    for (const auto& [each, process] : processes_) files_.tell(each, {});
    processes_.clear();
  }
  Process& process = processes_[pid];
  const CodeRange* range = find(process, address);
  const auto patience =
      (range ? kStale : kRetry) * (process.ranges.size() > kManyRanges ? kManyPatience : 1) * (1 << process.silent);
  if (!known(process.read) || now - process.read >= patience) {
    process.read = now;
    read(pid);
    range = find(process, address);
  }
  if (!range || process.asked) return {nullptr, address, process.asked};
  if (!range->file) return {files_.made_by(pid, process.dump), address};
  return {range->file, range->offset + (address - range->start)};
}

void ProcessCode::settle(std::uint32_t pid, CodePlace& place) {
  if (!place.awaited) return;
  take_answers();
  const auto process = processes_.find(pid);
  if (process != processes_.end() && process->second.asked) return;
  const CodeRange* range = process == processes_.end() ? nullptr : find(process->second, place.offset);
  if (range && !range->file)
    place = {files_.made_by(pid, process->second.dump), place.offset};
  else
    place = range ? CodePlace{range->file, range->offset + (place.offset - range->start)} : CodePlace{};
}

void ProcessCode::wait(std::chrono::milliseconds most) {
  texts_.wait(most, true);
  take_answers();
}

void ProcessCode::ended(std::uint32_t pid) {
  const auto found = processes_.find(pid);
  if (found == processes_.end()) return;
  found->second.ended = true;
  found->second.uses.clear();
}

void ProcessCode::forget(std::uint32_t pid) {
  if (processes_.erase(pid) > 0) files_.tell(pid, {});
}

}  // namespace tailcap::capture::stacks

#include "capture/probes/watch.h"

#include <algorithm>
#include <utility>

#include "bpf/event.h"
#include "capture/go/program.h"
#include "capture/host/clocks.h"
#include "capture/probes/runtime_values.h"
#include "formats/event.h"

namespace tailcap::capture::go {

namespace {

constexpr std::size_t kMaxProcesses = 65536, kMaxFacts = 4096, kMaxHeapFacts = 4096;
// A process that has just begun has no heap yet, one that has ended will not have one. After that the next examination
// of the process asks again.
constexpr std::uint8_t kTriesAtHeap = 5;

void append(std::string& text, const std::string& more) {
  if (!more.empty()) text += (text.empty() ? "" : "; ") + more;
}

// 0: stays for the whole recording.
std::uint32_t group_of(const PlannedFunction& function, std::uint16_t file) {
  if (function.places.empty()) return 0;
  const std::uint64_t act = GO_COOKIE_ACT(function.places[0].probe.cookie);
  const std::uint32_t first = std::uint32_t{file} * 2;
  // Creation and end of goroutines are removed together: with ends alone missing, all goroutines would seem to live for
  // ever.
  if (act == bpf::GO_MADE || act == bpf::GO_ENDED) return first;
  return act == bpf::GO_HANDLER || act == bpf::GO_HANDLER_FUNCTION || act == bpf::GO_HANDLER_METHOD ? first + 1 : 0;
}

}  // namespace

std::uint16_t Watch::next_number() const {
  return files_.size() < Probes::kGoFiles ? static_cast<std::uint16_t>(files_.size() + 1) : 0;
}

bool Watch::governs(const PlannedFunction& function) const {
  return probes_.detaches_at_once() && group_of(function, next_number()) != 0;
}

std::vector<PlannedFunction> Watch::take_on(const scan::TargetFile& target, scan::FilePlan plan) {
  File file;
  file.changed = target.identity.changed;
  file.fact.path = target.shown;
  const FileNumber key{target.identity.device, target.identity.inode};
  file.number = next_number();
  if (file.number == 0) {
    file.unsupported = "it is one of more than " + std::to_string(Probes::kGoFiles) + " Go programs";
    files_[key] = std::move(file);
    return {};
  }
  Program& program = plan.program;
  file.fact.version = program.version;
  file.fact.offsets_from = program.layout.from;
  file.fact.goid_offset = program.layout.number;
  file.fact.parts = program.parts;
  file.unsupported = program.unsupported;
  file.fact.build = std::make_shared<const std::string>(program.build);
  file.processors = program.processors;
  file.heap = program.heap;
  file.movable = plan.movable;
  file.shown = program.layout.generation != 0;
  names_.add(file.number, program, std::move(plan.tables));
  probes_.tell_go_file(file.number, program.layout);
  for (auto& function : program.functions) function.group = group_of(function, file.number);
  if (probes_.detaches_at_once()) {
    file.target = target.again();
    add_busy(key, file, program.functions, false);
    add_busy(key, file, program.functions, true);
  }
  files_[key] = std::move(file);
  return std::move(program.functions);
}

void Watch::add_busy(const FileNumber& number, const File& file, const std::vector<PlannedFunction>& functions,
                     bool handlers) {
  Busy busy;
  busy.file = number;
  busy.handlers = handlers;
  busy.group = std::uint32_t{file.number} * 2 + handlers;
  for (const auto& function : functions) {
    if (function.group != busy.group) continue;
    for (const auto& place : function.places) busy.places.push_back(place.probe);
  }
  if (!busy.places.empty() && file.target) busy_.push_back(std::move(busy));
}

void Watch::refused(const scan::Identity& identity, const std::string& why) {
  const auto file = files_.find({identity.device, identity.inode});
  if (file != files_.end()) append(file->second.unsupported, why);
}

void Watch::note_process(std::uint32_t pid, const scan::Identity& executable) {
  const FileNumber number{executable.device, executable.inode};
  const auto file = files_.find(number);
  if (const auto known = processes_.find(pid); known != processes_.end() && known->second.file != number) forget(known);
  if (file == files_.end()) return;
  // If we do not hold the file, another one may have got its number.
  if (!file->second.target && file->second.changed != executable.changed) return;
  if (file->second.fact.goid_offset) probes_.tell_go_process(pid, file->second.number);
  while (processes_.size() > kMaxProcesses) forget(processes_.begin());
  const auto [told, fresh] = processes_.try_emplace(pid, Told{number});
  const File& known = file->second;
  const auto base = known.movable ? base_of(target_files_, pid) : 0;
  heaps_ -= told->second.base.has_value();
  told->second.tries = 0;
  told->second.base = known.heap.controller != 0 ? base : std::nullopt;
  heaps_ += told->second.base.has_value();
  // It is not known yet for a process that has just begun, and a program may change it.
  const std::uint16_t processors =
      known.processors != 0 && base ? read_processors(target_files_, pid, *base + known.processors) : 0;
  if (!fresh && (processors == 0 || processors == told->second.processors)) return;
  told->second.processors = processors;
  tell(pid, known, processors);
}

void Watch::forget(Processes::iterator process) {
  heaps_ -= process->second.base.has_value();
  processes_.erase(process);
}

void Watch::read_heaps() {
  auto at = processes_.lower_bound(next_heap_);
  std::size_t read = 0;
  for (std::size_t left = processes_.size(); left > 0 && read < kHeaps; --left, ++at) {
    if (at == processes_.end()) at = processes_.begin();
    auto& [pid, process] = *at;
    next_heap_ = pid + 1;
    const auto file = files_.find(process.file);
    if (!process.base || file == files_.end()) continue;
    ++read;
    const auto heap = read_heap(target_files_, pid, *process.base, file->second.heap);
    process.tries = heap ? 0 : process.tries + 1;
    if (process.tries >= kTriesAtHeap) {
      process.base.reset();
      --heaps_;
    }
    if (!heap) continue;
    const std::lock_guard lock(mutex_);
    if (heap_facts_.size() < kMaxHeapFacts) heap_facts_.push_back({monotonic_now(), pid, *heap});
  }
}

void Watch::tell(std::uint32_t pid, const File& file, std::uint16_t processors) {
  using formats::GoPart;
  Fact fact = file.fact;
  fact.pid = pid;
  fact.processors = processors;
  fact.parts = static_cast<std::uint8_t>(fact.parts & ~file.away);
  fact.unsupported = file.unsupported;
  const auto often = [&](bool handlers) {
    return ": left alone but for moments, at more than " + std::to_string(file.allowed[handlers]) + " a second";
  };
  if (file.away & static_cast<std::uint8_t>(GoPart::creation))
    append(fact.unsupported, "creation and ends of goroutines" + often(false));
  if (file.away & static_cast<std::uint8_t>(GoPart::handlers)) append(fact.unsupported, "handlers" + often(true));
  const std::lock_guard lock(mutex_);
  if (facts_.size() < kMaxFacts)
    facts_.push_back(std::move(fact));
  else
    dropped_++;
}

void Watch::change(const Busy& busy, bool away) {
  File& file = files_[busy.file];
  const auto bit = [](formats::GoPart p) { return static_cast<std::uint8_t>(p); };
  const auto part = static_cast<std::uint8_t>(
      busy.handlers ? bit(formats::GoPart::handlers) : bit(formats::GoPart::creation) | bit(formats::GoPart::ends));
  file.away = static_cast<std::uint8_t>(away ? file.away | part : file.away & ~part);
  for (const auto& [pid, told] : processes_) {
    if (told.file == busy.file) tell(pid, file, told.processors);
  }
}

// How many hits a second. A few entries name a route's handler. Only creations and entries show which goroutine serves
// which stream of HTTP/2: one that reads nothing. So it is with callers that are not first seen while their creator
// works on the same request. A share of few says nothing.
std::uint64_t Watch::allowed(Busy& busy, const File& file, const Probes::GoHits& hits) const {
  if (probes_.settings().deep) return Governor::kBusy;
  const auto many = [](std::uint64_t part, std::uint64_t whole) { return part * 50 > whole + 500; };
  const bool streams = many(hits.streams - busy.before.streams, hits.handled - busy.before.handled);
  const bool unproven = many(hits.unproven - busy.before.unproven, hits.asked - busy.before.asked);
  busy.needed = busy.needed || streams || (!busy.handlers && file.shown && unproven);
  if (busy.needed) return Governor::kBusy;
  return busy.handlers || file.shown ? Governor::kSpared : Governor::kBudget;
}

void Watch::govern() {
  for (Busy& busy : busy_) {
    File& file = files_[busy.file];
    const Probes::GoHits hits = probes_.go_hits(file.number);
    const std::uint64_t allow = file.allowed[busy.handlers] = allowed(busy, file, hits);
    switch (busy.governor.look(Clock::now(), busy.handlers ? hits.handled : hits.made, allow)) {
      case Governor::Turn::stay:
        break;
      case Governor::Turn::leave:
        probes_.detach_functions(busy.group);
        change(busy, true);
        break;
      case Governor::Turn::come_back:
        busy.before = hits;
        if (probes_.attach_functions(target_files_, *file.target, busy.places, busy.group, true).empty())
          change(busy, false);
        break;
    }
  }
}

std::vector<Fact> Watch::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(facts_, {});
}

std::vector<HeapFact> Watch::take_heaps() {
  const std::lock_guard lock(mutex_);
  return std::exchange(heap_facts_, {});
}

std::uint64_t Watch::dropped() {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace tailcap::capture::go

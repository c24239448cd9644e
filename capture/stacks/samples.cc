#include "capture/stacks/samples.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "bpf/event.h"
#include "capture/host/clocks.h"

namespace tailcap::capture::stacks {

using namespace formats;

namespace {

constexpr std::size_t kMaxWaiting = 16384;  // then the oldest goes on with the names that it has
constexpr std::chrono::milliseconds kPatience{
    800};  // at the end, which must not take longer than a second whatever a file does
constexpr std::chrono::milliseconds kTablesPatience{200};
constexpr std::chrono::milliseconds kLinesPatience{100};
// Readers of a capture allow for stacks that come a second late.
constexpr std::chrono::milliseconds kLinesApart{500};
constexpr std::string_view kUnknown = "[unknown]", kCut = "[cut]", kKernel = "[kernel]";
constexpr std::string_view kLeaves = "__schedule";  // the frames inside it are the kernel program's

std::uint64_t address_at(std::span<const std::byte> addresses, std::size_t i) {
  std::uint64_t address;
  std::memcpy(&address, addresses.data() + i * sizeof address, sizeof address);
  // All frames but the innermost are return addresses, which may be past the caller's end.
  return i == 0 || address == 0 ? address : address - 1;
}

void add_frame(std::string& text, std::string_view name) {
  if (!text.empty()) text += ';';
  text += name;
}

SampleKind kind_of(std::uint32_t what) {
  return what <= bpf::SAMPLE_ALLOCATION ? static_cast<SampleKind>(what) : SampleKind::unknown;
}

StackEnd end_of(std::uint32_t end) {
  return end <= bpf::STACK_END_UNREADABLE ? static_cast<StackEnd>(end) : StackEnd::unknown;
}

// The second address of a preempted goroutine is its caller only if the first is a function that checked its stack; a
// signal may have come anywhere.
bool second_is_caller(CodeFile* file, std::uint64_t offset) {
  if (!file) return false;
  const std::string& name = file->name(offset);
  return !name.starts_with('[') && name != "runtime.asyncPreempt2";
}

// The Go runtime makes an interrupted function call these: what looks like a return address is where it was, which may
// be its first instruction.
bool called_by_a_signal(const CodePlace& place) {
  if (!place.file) return false;
  const std::string& name = place.file->name(place.offset);
  return name == "runtime.asyncPreempt" || name == "runtime.sigpanic";
}

// It is inside a system call, and does not come back from another thread: it has left the wait.
bool came_late(std::string_view kernel) {
  const bool called = kernel.find("do_syscall_64") != kernel.npos || kernel.find("el0_svc") != kernel.npos;
  return called && kernel.find("schedule") == kernel.npos && kernel.find("finish_task_switch") == kernel.npos;
}

bool lacks_names(const CodePlace& place) { return place.awaited || (place.file && !place.file->settled()); }

bool lacks_lines(const CodePlace& place) {
  return !place.awaited && place.file && place.file->lacks_lines(place.offset);
}

bool reads_lines(const CodePlace& place) { return !place.awaited && place.file && place.file->reads_lines(); }

}  // namespace

Samples::Samples(KernelNames kernel, const scan::Processes& processes, StackMaps maps, std::function<bool()> hurry)
    : processes_(processes),
      maps_(maps),
      kernel_(std::move(kernel)),
      files_(processes, maps),
      code_(files_, processes, std::move(hurry)) {}

std::string Samples::kernel_text(std::span<const std::byte> addresses, SampleKind kind) {
  std::string text;
  const std::size_t count = addresses.size() / sizeof(std::uint64_t);
  if (count == STACK_MAX) text = kCut;
  for (std::size_t i = count; i-- > 0;) {
    const std::string_view name = kernel_.at(address_at(addresses, i));
    add_frame(text, name.empty() ? kKernel : name);
    if (kind == SampleKind::off_cpu && name == kLeaves) break;
  }
  return text;
}

bool Samples::take(std::span<const std::byte> record, bool waits) {
  bpf::record_sample r;
  if (record.size() < sizeof r) return false;
  std::memcpy(&r, record.data(), sizeof r);
  const std::size_t user = r.user, kernel = r.kernel, script = r.script;
  if (user > STACK_MAX || kernel > STACK_MAX || script > SCRIPT_WORDS ||
      record.size() < sizeof r + (user + kernel + script) * sizeof(std::uint64_t))
    return false;
  const auto addresses = record.subspan(sizeof r, (user + kernel) * sizeof(std::uint64_t));
  const Time now = monotonic_now();
  Waiting& sample = waiting_.emplace_back();
  sample.time = time_from(static_cast<std::int64_t>(r.h.time));
  sample.thread = {r.h.pid, r.h.tid};
  sample.goroutine = r.goroutine;
  sample.facts.kind = kind_of(r.what);
  // Emitted at the switch-in, with the time of the switch-out.
  if (sample.facts.kind == SampleKind::off_cpu)
    sample.time = time_from(static_cast<std::int64_t>(r.value));
  else
    sample.facts.value = r.value;
  sample.facts.weight = r.weight;
  sample.facts.end = end_of(r.end);
  // A walk by frame pointers alone does not tell.
  sample.cut = user == STACK_MAX && (sample.facts.end == StackEnd::unknown || sample.facts.end == StackEnd::cut);
  for (std::size_t i = 0; i < user; ++i) sample.user.push_back(code_.at(r.h.pid, address_at(addresses, i), now));
  sample.kernel = kernel_text(addresses.subspan(user * sizeof(std::uint64_t)), sample.facts.kind);
  if (sample.facts.kind == SampleKind::off_cpu && !waits && came_late(sample.kernel)) {
    late_ += sample.facts.weight;
    waiting_.pop_back();
    return true;
  }
  if (sample.facts.kind == SampleKind::off_cpu && !waits) sample.facts.weight += std::exchange(late_, 0);
  sample.language = language_of(r.script_language);
  if (!sample.language) return true;
  std::vector<std::uint64_t> words(script);
  if (script > 0) std::memcpy(words.data(), record.data() + sizeof r + addresses.size(), script * sizeof(words[0]));
  const std::size_t of_frame = sample.language->line ? 2 : 1;
  for (std::size_t i = 0; i + of_frame <= script; i += of_frame) {
    sample.script.push_back(words[i]);
    if (of_frame == 2) sample.script_places.push_back(words[i + 1]);
  }
  sample.script_end =
      r.script_end <= bpf::SCRIPT_END_APART ? static_cast<bpf::script_end>(r.script_end) : bpf::SCRIPT_END_NONE;
  return true;
}

void Samples::take_waiting(const std::function<Bytes()>& list) {
  // Processes of which there was no sample have no tables yet.
  const Time now = monotonic_now();
  bool asked = false;
  for (const auto& [pid, address] : waiting_code(list())) {
    if (has_tables(maps_, pid)) continue;
    (void)code_.at(pid, address, now);
    asked = true;
  }
  if (asked) {
    code_.wait(kTablesPatience);
    files_.wait(kTablesPatience);
  }
  for (const Bytes& record : waiting_stacks(processes_, maps_, list)) (void)take(record, true);
}

bool Samples::take_code(std::span<const std::byte> record) { return codes_.take(record); }

FrameTexts Samples::user_text(Waiting& sample) {
  std::vector<bool> interpreters;
  for (const CodePlace& place : sample.user)
    interpreters.push_back(!sample.script.empty() && place.file &&
                           place.file->interprets(*sample.language, place.offset));
  const auto frames = sample.language && sample.language->interpreter.empty()
                          ? place_script(sample.user.size(), sample.script)
                          : merge_script(interpreters, sample.script, sample.script_end, sample.facts.end);
  const bool gap =
      std::any_of(frames.begin(), frames.end(), [](const auto& f) { return f.of == MergedFrame::Of::gap; });
  FrameTexts text;
  if (sample.cut && !gap) text.add(kCut);
  for (std::size_t i = frames.size(); i-- > 0;) {
    const MergedFrame frame = frames[i];
    if (frame.of == MergedFrame::Of::program) {
      const CodePlace& place = sample.user[frame.index];
      if (place.file)
        text.add(place.file->frames(place.offset), place.file->place(place.offset));
      else
        text.add(kUnknown);
    } else if (frame.of == MergedFrame::Of::script) {
      const std::uint64_t code = sample.script[frame.index] & ~SCRIPT_PLACE;
      const std::string* name = codes_.name(code);
      if (name && name->empty()) continue;
      const std::string line =
          frame.index < sample.script_places.size() ? codes_.line(code, sample.script_places[frame.index]) : "";
      text.add(name ? *name : "[" + std::string(sample.language->name) + "]", line);
    } else {
      text.add(frame.of == MergedFrame::Of::cut || sample.cut ? kCut : kUnknown);
    }
  }
  return text;
}

void Samples::settle_places(Waiting& sample) {
  for (CodePlace& place : sample.user) {
    code_.settle(sample.thread.pid, place);
    if (place.awaited) break;
  }
}

// For all samples that wait, so that a file is read seldom.
void Samples::ask_for_lines() {
  std::map<std::shared_ptr<CodeFile>, std::set<std::uint64_t>> places;
  for (Waiting& sample : waiting_) {
    if (sample.asked_for_lines) continue;
    settle_places(sample);
    sample.asked_for_lines = true;
    for (const CodePlace& place : sample.user) {
      if (lacks_names(place) || reads_lines(place))
        sample.asked_for_lines = false;
      else if (lacks_lines(place))
        places[place.file].insert(place.offset);
    }
  }
  for (const auto& [file, offsets] : places) files_.ask_for_lines(file, std::vector(offsets.begin(), offsets.end()));
}

// Lines that were read for it and are not there do not exist.
bool Samples::may_go(const Waiting& sample, Lacking lacking) {
  if (lacking == Lacking::anything || waiting_.size() > kMaxWaiting) return true;
  if (std::ranges::any_of(sample.user, lacks_names)) return false;
  if (lacking == Lacking::lines) return true;
  if (sample.asked_for_lines) return std::ranges::none_of(sample.user, reads_lines);
  if (std::ranges::none_of(sample.user, lacks_lines)) return true;
  const Time now = monotonic_now();
  if (!known(lines_due_)) lines_due_ = now + kLinesApart;
  const bool due = now >= lines_due_ || waiting_.size() > kMaxWaiting / 2;
  if (!due || std::ranges::any_of(sample.user, reads_lines)) return false;
  lines_due_ = now + kLinesApart;
  ask_for_lines();
  return false;
}

const Event* Samples::next(Lacking lacking) {
  if (waiting_.empty()) return nullptr;
  Waiting& sample = waiting_.front();
  settle_places(sample);
  if (!may_go(sample, lacking)) return nullptr;
  if (sample.facts.kind == SampleKind::preempted && sample.user.size() > 1 &&
      !second_is_caller(sample.user[0].file.get(), sample.user[0].offset))
    sample.user.erase(sample.user.begin() + 1);
  for (std::size_t i = 1; i < sample.user.size(); ++i)
    if (called_by_a_signal(sample.user[i - 1])) ++sample.user[i].offset;
  user_text_ = user_text(sample);
  kernel_text_ = std::move(sample.kernel);
  Sample told = sample.facts;
  user_text_.put(told);
  told.kernel = kernel_text_;
  event_ = {sample.time, sample.thread, told, sample.goroutine};
  waiting_.pop_front();
  return &event_;
}

std::vector<std::string> Samples::take_remarks() { return files_.take_remarks(); }

void Samples::wait() {
  code_.wait(kPatience / 2);
  const auto names = std::chrono::steady_clock::now();
  files_.wait(kPatience / 2);
  ask_for_lines();
  const auto taken = std::chrono::steady_clock::now() - names;
  files_.wait(std::max(kPatience / 2 - std::chrono::duration_cast<std::chrono::milliseconds>(taken), kLinesPatience));
}

}  // namespace tailcap::capture::stacks

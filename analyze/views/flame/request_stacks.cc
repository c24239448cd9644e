#include "analyze/views/flame/request_stacks.h"

#include <algorithm>
#include <optional>

#include "analyze/flame/folder.h"
#include "analyze/pipeline/recording.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/tail/load/triggers.h"
#include "analyze/tail/study.h"
#include "analyze/views/flame/caption.h"
#include "analyze/views/flame/hot_function.h"

namespace tailcap::views {

using namespace formats;

std::uint32_t StackTexts::intern(std::string text) {
  if (const auto known = numbers_.find(text); known != numbers_.end()) return known->second;
  if (texts_.size() + 1 >= limits_.texts || bytes_ + text.size() > limits_.text_bytes) {
    text = "(other stacks)";
    if (const auto known = numbers_.find(text); known != numbers_.end()) return known->second;
  }
  bytes_ += text.size();
  const auto [at, added] = numbers_.emplace(std::move(text), static_cast<std::uint32_t>(texts_.size()));
  texts_.push_back(&at->first);
  return at->second;
}

RequestStacks::RequestStacks(model::ExchangeId request, StackLimits limits)
    : request_(request), limits_(limits), texts_(limits) {}

RequestStacks::RequestStacks(const pipeline::Options& options, StackLimits limits)
    : options_(&options), limits_(limits), texts_(limits) {}

RequestStacks::Activity RequestStacks::activity_of(SampleKind kind) {
  return kind == SampleKind::on_cpu ? ran : kind == SampleKind::preempted ? preempted : waited;
}

void RequestStacks::find_windows(const model::RequestTable& table, const pipeline::Recording& recording) {
  const auto add = [&](std::uint32_t row) {
    const model::Request r = table.rows[row];
    if (r.role == model::Role::server && r.has_duration) windows_[r.pid].push_back({r.start, r.start + r.duration});
  };
  if (!options_) {
    for (std::uint32_t i = 0; i < table.rows.size(); ++i)
      if (table.rows.id(i) == request_) add(i);
  } else if (const std::vector<model::GoStudy> busy = recording.busy(); !busy.empty()) {
    model::Study known;
    known.begin = recording.facts().first();
    recording.facts().fill(known.quality);
    const pipeline::Wanted wanted(*options_, known);
    const auto routes = tail::by_route(table, [&](std::uint32_t i) { return wanted.perhaps(table, i); });
    std::vector<const std::vector<std::uint32_t>*> rows;
    for (const auto& [route, of_route] : routes) rows.push_back(&of_route);
    for (const std::uint32_t row : tail::load::perhaps_triggered(table, rows, busy, wanted.asks_what_comes_later()))
      add(row);
  }
  for (auto& [pid, windows] : windows_) {
    std::ranges::sort(windows, {}, &TimeRange::from);
    std::size_t last = 0;
    for (const TimeRange& w : windows)
      if (w.from <= windows[last].to)
        windows[last].to = std::max(windows[last].to, w.to);
      else
        windows[++last] = w;
    windows.resize(last + 1);
  }
}

void RequestStacks::begin(const model::RequestTable& table, const pipeline::Recording& recording) {
  find_windows(table, recording);
  all_samples_ = options_ && recording.facts().samples() > 0;
  long_waits_ = options_ && recording.facts().wait_stacks() > 0;
  active_ = all_samples_ || long_waits_ || !windows_.empty();
  const bool all = all_samples_ || long_waits_;
  if (!active_) return;
  // Requests that are under way beside a wanted one decide whose a stack is.
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    if (table.rows.role(i) != model::Role::server || !table.rows.has_duration(i)) continue;
    const model::Request r = table.rows[i];
    if (all) served_.push_back({r.duration.count(), i, r.method, r.route});
    if (all || windows_.contains(r.pid))
      owners_.add(r.pid, r.tid, {r.start, r.start + r.duration, flame::Cohort::other, i});
  }
  owners_.sort();
}

bool RequestStacks::within(std::uint32_t pid, Time from, Time to) const {
  const auto windows = windows_.find(pid);
  if (windows == windows_.end()) return false;
  const auto at = std::ranges::lower_bound(windows->second, from, {}, &TimeRange::to);
  return at != windows->second.end() && at->from <= to;
}

void RequestStacks::push(const Event& event) {
  if (!active_) return;
  names_.push(event);
  owners_.sent(event);
  if (const auto* sample = std::get_if<Sample>(&event.body))
    hold(event, *sample);
  else if (const auto* off = std::get_if<OffCpu>(&event.body))
    hold(event, *off);
}

void RequestStacks::hold(const Event& event, const Sample& sample) {
  const bool one = options_ == nullptr;
  if (sample.kind == SampleKind::off_cpu) {
    if (!one && (long_waits_ || windows_.contains(event.thread.pid))) left_.push(event);
    if (one && wait_stacks_.size() < limits_.waits && within(event.thread.pid, event.time, event.time))
      wait_stacks_[{event.thread.tid, event.time}] = texts_.intern(stack_text(names_.of(event.thread.pid), sample));
    return;
  }
  if (sample.kind != SampleKind::on_cpu && !(one && sample.kind == SampleKind::preempted)) return;
  if (!all_samples_ && !within(event.thread.pid, event.time, event.time)) return;
  // What a thread had under way is known from the beginning.
  if (event.goroutine == 0 && owners_.of(event.thread, 0, event.time, event.time).empty()) return;
  if (samples_.size() >= limits_.samples) {
    ++left_out_[activity_of(sample.kind)];
    return;
  }
  samples_.push_back({event.time, event.goroutine, event.thread,
                      texts_.intern(stack_text(names_.of(event.thread.pid), sample)), sample.weight, sample.kind});
}

const std::string* RequestStacks::stack_of_wait(std::uint32_t tid, Time left) const {
  const auto found = wait_stacks_.find({tid, left});
  return found == wait_stacks_.end() ? nullptr : &texts_[found->second];
}

void RequestStacks::hold_long(const Event& event, const OffCpu& off) {
  const model::OffCpuWait wait = model::off_cpu_wait(event);
  const Time until = time_from(wait.waited_until());
  if (until - off.left < model::Duration(model::kLongWait)) return;
  if (event.goroutine == 0 && owners_.of(event.thread, 0, off.left, until).empty()) return;
  if (held_long_.size() >= limits_.waits) {
    too_many_long_ = true;
    return;
  }
  held_long_.push_back(
      {off.left, until, event.goroutine, event.thread, texts_.intern(names_.of(event.thread.pid)), wait.blocked});
}

void RequestStacks::hold(const Event& event, const OffCpu& off) {
  if (!options_ || !known(off.left) || off.left >= event.time) return;
  if (long_waits_) hold_long(event, off);
  if (!within(event.thread.pid, off.left, event.time)) return;
  if (waits_.size() >= limits_.waits) {
    ++left_out_[waited];
    return;
  }
  const bool woken = known(off.runnable) && off.runnable >= off.left && off.runnable <= event.time;
  HeldWait& wait = waits_.emplace_back();
  wait.left = off.left;
  wait.runnable = woken ? off.runnable : event.time;
  wait.back = event.time;
  wait.goroutine = event.goroutine;
  wait.thread = event.thread;
  wait.process = texts_.intern(names_.of(event.thread.pid));
  wait.waiting = texts_.intern(wait_text(event.thread, off, names_, false));
  wait.queued = texts_.intern(wait_text(event.thread, off, names_, true));
}

void RequestStacks::give(Activity kind, Thread thread, std::uint64_t goroutine, Time begin, Time end,
                         std::uint32_t text, std::uint64_t each) {
  for (const auto& part : owners_.of(thread, goroutine, begin, end)) {
    const std::uint64_t value = begin == end ? each : static_cast<std::uint64_t>((part.end - part.begin).count());
    if (part.several)
      undecided_[kind] += value;
    else
      owned_[kind].push_back({part.request, text, value});
  }
}

void RequestStacks::give_long(const HeldLong& wait) {
  const std::optional<Sample> stack = left_.of(wait.thread.tid, wait.left);
  const std::uint32_t text = stack ? texts_.intern(stack_text(texts_[wait.process], *stack)) : 0;
  for (const auto& part : owners_.of(wait.thread, wait.goroutine, wait.left, wait.until))
    if (!part.several)
      owned_long_.push_back({part.request, text, (part.end - part.begin).count(), wait.blocked, stack.has_value()});
}

void RequestStacks::end(const model::RequestTable& table) {
  if (!active_) return;
  owners_.sort();
  for (; !samples_.empty(); samples_.pop_front()) {
    const HeldSample& s = samples_.front();
    give(activity_of(s.kind), s.thread, s.goroutine, s.time, s.time, s.text, s.weight);
  }
  for (; !waits_.empty(); waits_.pop_front()) {
    const HeldWait& w = waits_.front();
    const std::optional<Sample> stack = left_.of(w.thread.tid, w.left);
    const std::string text = stack ? stack_text(texts_[w.process], *stack) : std::string();
    if (w.left < w.runnable)
      give(waited, w.thread, w.goroutine, w.left, w.runnable, stack ? texts_.intern(text) : w.waiting, 0);
    if (w.runnable < w.back)
      give(waited, w.thread, w.goroutine, w.runnable, w.back,
           stack ? texts_.intern(text + std::string(kQueued)) : w.queued, 0);
  }
  for (; !held_long_.empty(); held_long_.pop_front()) give_long(held_long_.front());
  std::ranges::stable_sort(owned_long_, {}, &OwnedWait::row);
  owners_ = {};
  left_ = {};
  for (auto& owned : owned_) {
    std::ranges::stable_sort(owned, {}, &Owned::row);
    for (std::size_t i = 0; i < owned.size(); ++i)
      if (i == 0 || owned[i].row != owned[i - 1].row) rows_.emplace_back(table.rows.id(owned[i].row), owned[i].row);
  }
  for (std::size_t i = 0; i < owned_long_.size(); ++i)
    if (i == 0 || owned_long_[i].row != owned_long_[i - 1].row)
      rows_.emplace_back(table.rows.id(owned_long_[i].row), owned_long_[i].row);
  std::ranges::sort(rows_);
  rows_.erase(std::unique(rows_.begin(), rows_.end()), rows_.end());
}

std::vector<model::FoldedStack> RequestStacks::of(std::span<const model::ExchangeId> requests, SampleKind kind) const {
  const auto& owned = owned_[activity_of(kind)];
  flame::Folder folder;
  for (const model::ExchangeId id : requests) {
    const auto row = std::ranges::lower_bound(rows_, std::pair{id, std::uint32_t{0}});
    if (row == rows_.end() || row->first != id) continue;
    for (const Owned& o : std::ranges::equal_range(owned, row->second, {}, &Owned::row))
      folder.add(texts_[o.text], o.value, false);
  }
  return folder.stacks(0, 0);
}

std::vector<OwnedStack> RequestStacks::stacks_of(model::ExchangeId request) const {
  std::vector<OwnedStack> out;
  const auto row = std::ranges::lower_bound(rows_, std::pair{request, std::uint32_t{0}});
  if (row == rows_.end() || row->first != request) return out;
  for (const Owned& o : std::ranges::equal_range(owned_[ran], row->second, {}, &Owned::row))
    out.push_back({false, o.value, &texts_[o.text]});
  if (!has_wait_stacks()) return out;
  for (const OwnedWait& o : std::ranges::equal_range(owned_long_, row->second, {}, &OwnedWait::row))
    out.push_back({true, static_cast<std::uint64_t>(o.time), o.stacked ? &texts_[o.text] : nullptr});
  return out;
}

std::vector<std::uint32_t> RequestStacks::chosen_rows(const model::TextPool& texts, std::string_view method,
                                                      std::string_view route, FlameRequests cohort,
                                                      Ranking& ranking) const {
  std::vector<RankedRequest> chosen;
  for (const ServedRow& s : served_)
    if (texts[s.route] == route && texts[s.method] == method) chosen.push_back({s.duration, s.row});
  if (chosen.empty()) return {};
  ranking = rank(chosen, cohort);
  if (ranking.needed != 0) return {};
  std::vector<std::uint32_t> rows;
  for (std::size_t i = chosen.size() - ranking.slow; i < chosen.size(); ++i) rows.push_back(chosen[i].row);
  std::ranges::sort(rows);
  return rows;
}

RequestStacks::LongWaits RequestStacks::waits_of_route(const model::TextPool& texts, std::string_view method,
                                                       std::string_view route, const FlameChoice& choice,
                                                       std::span<const model::Blocked> blocked) const {
  LongWaits out;
  Ranking ranking;
  if (too_many_long_) return out;
  const std::vector<std::uint32_t> rows = chosen_rows(texts, method, route, choice.cohort, ranking);
  out.requests = rows.size();
  for (const OwnedWait& o : owned_long_)
    if (std::ranges::binary_search(rows, o.row) && std::ranges::find(blocked, o.blocked) != blocked.end())
      out.waits.push_back({o.time, o.stacked ? &texts_[o.text] : nullptr});
  return out;
}

FlameResult RequestStacks::of_route(const model::TextPool& texts, std::string_view method, std::string_view route,
                                    const FlameChoice& choice) const {
  FlameResult out;
  Ranking ranking;
  const std::vector<std::uint32_t> slow = chosen_rows(texts, method, route, choice.cohort, ranking);
  if (slow.empty()) return out;
  flame::Folder folder;
  for (const Owned& o : owned_[ran])
    if (std::ranges::binary_search(slow, o.row)) folder.add(texts_[o.text], o.value, false);
  out.left_out = undecided_[ran];
  out.flame.stacks = folder.stacks(ranking.slow, 0);
  describe(choice, &ranking, folder, out);
  return out;
}

std::uint64_t RequestStacks::left_out(SampleKind kind) const { return left_out_[activity_of(kind)]; }

model::RequestSamples sum_of(const std::vector<model::FoldedStack>& stacks) {
  model::RequestSamples out;
  std::map<std::string, std::uint64_t> tops, all;
  for (const auto& stack : stacks) {
    // The process is the lowest frame.
    const auto process = stack.frames.find(';');
    const std::string frames = process == stack.frames.npos ? stack.frames : stack.frames.substr(process + 1);
    out.count += stack.value;
    tops[frames.substr(frames.rfind(';') + 1)] += stack.value;  // npos + 1 is 0
    all[frames] += stack.value;
  }
  const auto most = [](const std::map<std::string, std::uint64_t>& counts, std::string& what, std::uint64_t& count) {
    for (const auto& [name, n] : counts)
      if (n > count) {
        what = name;
        count = n;
      }
  };
  most(tops, out.top, out.of_top);
  most(all, out.stack, out.of_stack);
  out.function = hot_function(stacks);
  return out;
}

}  // namespace tailcap::views

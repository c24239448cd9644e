#include "analyze/causes/parents/turns.h"

#include <algorithm>

#include "formats/event.h"
#include "formats/thread_event.h"
#include "ground/syscalls.h"
#include "ground/task_state.h"

namespace tailcap::causes {

using formats::OffCpu;
using formats::Time;

namespace {

enum class Call { other, read_one, wait_for_many };

// A poll of one descriptor is how a read with a timeout waits.
Call call_of(const OffCpu& off) {
  switch (ground::syscall_wait(off.syscall)) {
    case ground::SyscallWait::input:
      return Call::read_one;
    case ground::SyscallWait::poll:
      return off.argument1 == 1 ? Call::read_one : Call::wait_for_many;
    case ground::SyscallWait::readiness:
      return Call::wait_for_many;
    default:
      return Call::other;
  }
}

}  // namespace

void LoopIterations::push(const formats::Event& event) {
  if (const auto* note = std::get_if<formats::Note>(&event.body)) pauses_.push(*note, event.time);
  if (const auto* io = std::get_if<formats::Io>(&event.body)) read(event.thread.tid, event.time, *io);
  const auto* off = std::get_if<OffCpu>(&event.body);
  if (!off || event.thread.tid == 0) return;
  const Call call = call_of(*off);
  if (threads_.size() >= kMaxThreads && !threads_.contains(event.thread.tid)) {
    overflow_ = true;
    return;
  }
  Waits& waits = threads_[event.thread.tid];
  if (off->missed > 0) {  // between the wait before and this one, of any kind
    if (waits.gaps.size() < kMaxGaps)
      waits.gaps.push_back({waits.last, off->left});
    else
      waits.known_since = std::max(waits.known_since, event.time);
  }
  waits.last = std::max(waits.last, event.time);
  if (call == Call::read_one) {
    waits.blocked[waits.next++ % kBlocked] = {off->left, event.time};
    if (off->socket != 0 && reads_ < kMaxReads) reads_ += waits.reads.insert(off->socket).second;
  } else if (call == Call::wait_for_many) {
    waits.multiplexes = true;
    // In a call that need not wait it loses the CPU, too, and may have been called with work to do.
    if (off->state == 0 || off->state == ground::kTaskPreempted) return;
    if (!waits.many.empty() && event.time <= waits.many.back()) return;
    if (kept_ >= limit_) {  // the older half is dropped
      const std::size_t half = waits.many.size() / 2;
      if (half == 0) {
        waits.known_since = event.time;
        return;
      }
      waits.known_since = std::max(waits.known_since, waits.many[half - 1]);
      waits.many.erase(waits.many.begin(), waits.many.begin() + static_cast<std::ptrdiff_t>(half));
      kept_ -= half;
    }
    waits.many.push_back(event.time);
    ++kept_;
  }
}

void LoopIterations::read(std::uint32_t tid, Time at, const formats::Io& io) {
  if (io.direction != formats::Direction::in || io.length == 0 || received_ >= kMaxReceived) return;
  const auto it = threads_.find(tid);
  if (it == threads_.end() || !it->second.multiplexes) return;
  auto& received = it->second.received;
  if (!received.empty() && received.back().time == at && received.back().socket == io.socket) return;
  auto after = received.end();
  if (!received.empty() && at < received.back().time)
    after = std::upper_bound(received.begin(), received.end(), at, [](Time t, const Read& r) { return t < r.time; });
  received.insert(after, {at, io.socket});
  ++received_;
}

const std::vector<LoopIterations::Read>& LoopIterations::read_by(std::uint32_t tid) const {
  static const std::vector<Read> none;
  const auto it = threads_.find(tid);
  return it == threads_.end() ? none : it->second.received;
}

bool LoopIterations::multiplexes(std::uint32_t tid) const {
  const auto it = threads_.find(tid);
  return it == threads_.end() ? overflow_ : it->second.multiplexes || formats::known(it->second.known_since);
}

bool LoopIterations::waited_for_many(std::uint32_t tid, Time after, Time until) const {
  return last_wait_for_many(tid, until) > after;
}

Time LoopIterations::last_wait_for_many(std::uint32_t tid, Time until) const {
  const auto it = threads_.find(tid);
  if (it == threads_.end()) return formats::kNoTime;
  const auto& many = it->second.many;
  const auto after = std::upper_bound(many.begin(), many.end(), until);
  return after == many.begin() ? formats::kNoTime : *std::prev(after);
}

bool LoopIterations::remembers(std::uint32_t tid, Time since) const {
  const auto it = threads_.find(tid);
  return it == threads_.end() ? !overflow_ : since >= it->second.known_since;
}

Time LoopIterations::last_wait(std::uint32_t tid) const {
  const auto it = threads_.find(tid);
  return it == threads_.end() ? formats::kNoTime : it->second.last;
}

bool LoopIterations::missed(std::uint32_t tid, Time from, Time to) const {
  const auto it = threads_.find(tid);
  if (pauses_.touch(nanoseconds(from), nanoseconds(to))) return true;
  const model::Pause* pause = pauses_.last_until(nanoseconds(to));
  if (pause && nanoseconds(last_wait(tid)) < pause->to) return true;
  if (it == threads_.end()) return false;
  const auto& gaps = it->second.gaps;  // ascending
  const auto first =
      std::upper_bound(gaps.begin(), gaps.end(), from, [](Time t, const Blocked& gap) { return t < gap.to; });
  return first != gaps.end() && first->from < to;
}

bool LoopIterations::blocked_reading(std::uint32_t tid, Time from, Time to) const {
  const auto it = threads_.find(tid);
  return it != threads_.end() &&
         std::any_of(it->second.blocked.begin(), it->second.blocked.end(),
                     [&](const Blocked& b) { return formats::known(b.to) && b.from <= to && b.to >= from; });
}

bool LoopIterations::blocked_reading(std::uint32_t tid, formats::SocketId socket) const {
  const auto it = threads_.find(tid);
  return it != threads_.end() && socket != 0 && it->second.reads.contains(socket);
}

}  // namespace tailcap::causes

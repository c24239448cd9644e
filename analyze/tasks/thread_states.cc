#include "analyze/tasks/thread_states.h"

#include "analyze/model/off_cpu_wait.h"
#include "formats/event.h"
#include "ground/task_state.h"

namespace tailcap::tasks {
namespace {

using model::Blocked;
using model::ThreadInterval;

std::string_view function_of(Blocked blocked) {
  switch (blocked) {
    case Blocked::poll:
    case Blocked::poll_one:
      return "poll";
    case Blocked::input:
      return "read";
    case Blocked::output:
      return "write";
    case Blocked::accept:
      return "accept";
    case Blocked::connect:
      return "connect";
    case Blocked::futex:
      return "futex";
    case Blocked::sleep:
      return "sleep";
    case Blocked::disk:
      return "file";
    case Blocked::fault:
      return "page_fault";
    default:
      return {};
  }
}

// As ps and Perfetto name it.
std::string_view state_of(std::uint32_t state) {
  if (state & (ground::kTaskStopped | ground::kTaskFrozen)) return "T";
  if (state & ground::kTaskTraced) return "t";
  if (state & ground::kTaskUninterruptible) return "D";
  return "S";
}

}  // namespace

std::span<const ThreadInterval> ThreadStates::push(const formats::Event& event) {
  done_.clear();
  const auto* off = std::get_if<formats::OffCpu>(&event.body);
  if (!off || off->left > event.time) return done_;
  const Utid utid = tasks_.thread(event.thread);
  if (utid == 0) return done_;
  if (utid >= running_since_.size()) running_since_.resize(utid + 1);
  const model::OffCpuWait wait = model::off_cpu_wait(event);
  std::int64_t& since = running_since_[utid];
  ThreadInterval running{utid, since, wait.time, "Running", {}, {}};
  running.goroutine = event.goroutine;
  // What came before may be missing where intervals were lost.
  if (since != 0 && !wait.lost_before && since < wait.time) done_.push_back(running);
  since = off->ongoing ? 0 : wait.back;
  const bool could_run = wait.blocked == Blocked::preempted || wait.blocked == Blocked::throttled;
  const std::int64_t woken = wait.waited_until();
  ThreadInterval one{utid, wait.time, woken, state_of(off->state), function_of(wait.blocked), {}};
  one.goroutine = event.goroutine;
  one.runnable_known = wait.woken();
  one.ongoing = off->ongoing && woken == wait.back;
  if (const model::Label label = model::label_of(wait); label != model::Label::blocked_unknown)
    one.wait = model::name_of(label);
  if (woken > wait.time) done_.push_back(one);
  if (!wait.woken() || woken >= wait.back) return done_;
  ThreadInterval queued{utid, woken, wait.back, could_run ? "R+" : "R", {}, {}};
  queued.goroutine = event.goroutine;
  queued.throttled = off->throttled;
  queued.ongoing = off->ongoing;
  if (could_run) {
    queued.wait = model::name_of(model::label_of(wait));
  } else if (wait.blocked != Blocked::born) {
    queued.waker = off->waker != 0 ? tasks_.thread(off->waker) : 0;
    if (off->woken_in != formats::WokenIn::unknown) queued.irq = off->woken_in == formats::WokenIn::thread ? 0 : 1;
  }
  done_.push_back(queued);
  return done_;
}

}  // namespace tailcap::tasks

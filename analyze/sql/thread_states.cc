#include "analyze/sql/thread_states.h"

#include "analyze/model/off_cpu_wait.h"
#include "ground/task_state.h"

namespace tailcap::sql {
namespace {

using model::Blocked;

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

void ThreadStates::insert(const Interval& i) {
  row_.integer(i.from);
  row_.integer(i.to - i.from);
  row_.null();  // cpu
  row_.integer(i.utid);
  row_.text(i.state);
  row_.text_or_null(i.function);
  row_.text_or_null(i.wait);
  row_.integer_if(i.waker != 0, i.waker);
  row_.integer_if(i.irq >= 0, i.irq);
  row_.boolean(i.throttled);
  row_.boolean(i.runnable_known);
  row_.boolean(i.ongoing);
  row_.integer_if(i.goroutine != 0, static_cast<std::int64_t>(i.goroutine));
  row_.end_row();
}

void ThreadStates::push(const formats::Event& event) {
  const auto* off = std::get_if<formats::OffCpu>(&event.body);
  if (!off || off->left > event.time) return;
  const Utid utid = tasks_.thread(event.thread);
  if (utid == 0) return;
  if (utid >= running_since_.size()) running_since_.resize(utid + 1);
  const model::OffCpuWait wait = model::off_cpu_wait(event);
  std::int64_t& since = running_since_[utid];
  Interval running{since, wait.time, "Running", {}, {}, utid};
  running.goroutine = event.goroutine;
  // What came before may be missing where intervals were lost.
  if (since != 0 && !wait.lost_before && since < wait.time) insert(running);
  since = off->ongoing ? 0 : wait.back;
  const bool could_run = wait.blocked == Blocked::preempted || wait.blocked == Blocked::throttled;
  const std::int64_t woken = wait.waited_until();
  Interval one{wait.time, woken, state_of(off->state), function_of(wait.blocked), {}, utid};
  one.goroutine = event.goroutine;
  one.runnable_known = wait.woken();
  one.ongoing = off->ongoing && woken == wait.back;
  if (const model::Label label = model::label_of(wait); label != model::Label::blocked_unknown)
    one.wait = model::name_of(label);
  if (woken > wait.time) insert(one);
  if (!wait.woken() || woken >= wait.back) return;
  Interval queued{woken, wait.back, could_run ? "R+" : "R", {}, {}, utid};
  queued.goroutine = event.goroutine;
  queued.throttled = off->throttled;
  queued.ongoing = off->ongoing;
  if (could_run) {
    queued.wait = model::name_of(model::label_of(wait));
  } else if (wait.blocked != Blocked::born) {
    queued.waker = off->waker != 0 ? tasks_.thread(off->waker) : 0;
    if (off->woken_in != formats::WokenIn::unknown) queued.irq = off->woken_in == formats::WokenIn::thread ? 0 : 1;
  }
  insert(queued);
}

}  // namespace tailcap::sql

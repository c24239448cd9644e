#include "analyze/partition/history/observed.h"

#include <algorithm>

#include "analyze/partition/history/go_states.h"
#include "formats/event.h"
#include "formats/recorder_event.h"
#include "ground/recorder_notes.h"

namespace tailcap::partition {
namespace {

using formats::Event;
using formats::nanoseconds;
using model::Finding;

constexpr auto kOffCpuKind = static_cast<std::uint8_t>(formats::Kind::off_cpu);
constexpr std::uint8_t kAnyKind = 255;

// What HotSpot calls the thread that executes its operations, collections among them.
constexpr std::string_view kVmThread = "VM Thread";

// Kinds whose loss can hide what a carrier did.
bool tells_of_carriers(std::uint8_t kind) {
  using formats::Kind;
  switch (static_cast<Kind>(kind)) {
    case Kind::send:
    case Kind::receive:
    case Kind::arrival:
    case Kind::off_cpu:
    case Kind::tls_send:
    case Kind::tls_receive:
    case Kind::go_state:
    case Kind::go_runtime:
      return true;
    default:
      return kind == kAnyKind;
  }
}

}  // namespace

Observed::Observed(const Windows& windows, std::span<const ByteCarrier> carriers,
                   std::unordered_set<std::uint32_t> pids)
    : windows_(windows), carriers_(carriers), pids_(std::move(pids)), ends_(carriers.size()) {
  for (model::ConnectionId c = 1; c < carriers.size(); ++c) {
    if (carriers[c].session != 0) by_session_[carriers[c].session] = c;
    // A socket can carry requests in the clear and then a session (CONNECT): what arrives later is the session's.
    if (carriers[c].socket != 0 && (carriers[c].session != 0 || !by_socket_.contains(carriers[c].socket)))
      by_socket_[carriers[c].socket] = c;
  }
}

const ThreadLog* Observed::thread(std::uint32_t tid) const {
  const auto it = threads_.find(tid);
  return it == threads_.end() ? nullptr : &it->second;
}

const ProcessLog* Observed::process(std::uint32_t pid) const {
  const auto it = processes_.find(pid);
  return it == processes_.end() ? nullptr : &it->second;
}

const Log<Sighting>* Observed::goroutine(std::uint32_t pid, std::uint64_t goroutine) const {
  const ProcessLog* process = this->process(pid);
  if (!process || goroutine == 0) return nullptr;
  const auto it = process->goroutines.find(goroutine);
  return it == process->goroutines.end() ? nullptr : &it->second;
}

ThreadLog* Observed::find_or_add(const formats::Thread& thread) {
  if (thread.tid == 0) return nullptr;
  if (thread.tid == last_tid_ && last_) return last_;
  auto it = threads_.find(thread.tid);
  if (it == threads_.end()) {
    if (threads_.size() >= kMaxThreads) {
      findings_.add(Finding::waits_dropped);
      return nullptr;
    }
    it = threads_.emplace(thread.tid, ThreadLog{}).first;
    it->second.pid = thread.pid;
    auto& listed = processes_[thread.pid].threads;
    if (listed.size() < ProcessLog::kMaxListed && std::find(listed.begin(), listed.end(), thread.tid) == listed.end())
      listed.push_back(thread.tid);
  }
  last_tid_ = thread.tid;
  return last_ = &it->second;
}

void Observed::multiplexes(std::uint32_t tid, ThreadLog& log) {
  if (log.multiplexes) return;
  log.multiplexes = true;
  loops_.push_back(tid);
}

void Observed::sight(const Event& event, Sighting sighting) {
  std::uint64_t goroutine = event.goroutine;
  if (const auto* state = std::get_if<formats::GoState>(&event.body))
    goroutine = state->goroutine;
  else if (const auto* exit = std::get_if<formats::GoExit>(&event.body))
    goroutine = exit->goroutine;
  if (goroutine == 0) return;
  ProcessLog& process = processes_[event.thread.pid];
  process.go = true;
  process.goroutines[goroutine].add(sighting);
  ++kept_;
}

void Observed::off_cpu(const Event& event, const formats::OffCpu& off) {
  ThreadLog* log = find_or_add(event.thread);
  waits_recorded_ = true;
  if (!log || nanoseconds(off.left) <= 0 || event.time < off.left) return;
  OffCpuWait wait = model::off_cpu_wait(event);
  throttled_seen_ = throttled_seen_ || off.throttled;
  const OffCpuWait* before = log->waits.last_until(wait.time);
  const model::Pause* pause = pauses_.last_until(wait.time);
  const bool resumes = pause && (log->resumed.empty() || log->resumed.back() < pause->to);
  if (wait.lost_before) {
    Nanos since = std::max({before ? before->back : 0, log->born, Nanos{1}});
    // The recorder says of each thread that one is missing after a pause.
    if (resumes && off.missed == 1) since = std::max(since, pause->from);
    if (since < wait.time) {
      log->lost.add({since, wait.time});
      ++kept_;
    }
  }
  // Waits of one thread do not overlap; where the events say so, the earlier one takes precedence.
  if (before && before->back > wait.time) {
    findings_.add(Finding::negative_interval);
    wait.time = before->back;
    if (wait.runnable != 0) wait.runnable = std::max(wait.runnable, wait.time);
  }
  const OffCpuWait* after = log->waits.first_after(wait.time);
  if (after != log->waits.end() && after->time < wait.back) {
    wait.back = after->time;
    wait.runnable = std::min(wait.runnable, wait.back);
  }
  if (wait.time >= wait.back) return;
  if (resumes) log->resumed.push_back(wait.time);
  cpu_.take(event.thread.tid, wait);
  machine_cpus_.recorded(event.thread.pid, wait.stolen);
  if (wait.lost_before && log->waits.size() == 0 && log->born != 0) log->known_since = log->born;
  if (log->known_since == 0 && log->acted != 0 && !wait.lost_before) log->known_since = log->acted;
  if (log->known_since == 0 || wait.time < log->known_since) log->known_since = wait.time;
  if (wait.blocked == Blocked::poll) multiplexes(event.thread.tid, *log);
  if (wait.blocked == Blocked::futex) lock_notes_.waited(event.thread.pid, wait.argument0);
  log->waits.add(wait);
  ++kept_;
  if (wait.blocked == Blocked::stopped) {
    processes_[event.thread.pid].halts.add({wait.time, wait.waited_until(), static_cast<std::uint32_t>(wait.argument0),
                                            quotas_.frozen(event.thread.pid, wait.frozen)});
    ++kept_;
  }
  // The heap of Go begins at 0xc000000000, and its threads sleep on futexes in there; no other program's do.
  if (wait.blocked == Blocked::futex && wait.argument0 >> 32 == 0xc0) processes_[event.thread.pid].go = true;
  ProcessLog& process = processes_[event.thread.pid];
  if (wait.blocked == Blocked::futex && wait.woken() && wait.waker != 0 && wait.waker == process.vm_thread &&
      (log->multiplexes || log->acted != 0)) {
    process.vm_stops.add({wait.time, wait.runnable});
    ++kept_;
  }
  if (wait.waker != 0 && wait.woken()) {
    processes_[event.thread.pid].wakes.add({wait.runnable, wait.waker, event.thread.tid});
    ++kept_;
  }
  if (wait.goroutine != 0) {
    Sighting s;
    s.time = wait.time;
    s.tid = event.thread.tid;
    s.off = true;
    s.back = wait.back;
    sight(event, s);
  }
}

void Observed::stop(std::uint32_t pid, Nanos at, formats::GoPhase phase) {
  ProcessLog& process = processes_[pid];
  process.go = true;
  if (phase == formats::GoPhase::stop_begin || phase == formats::GoPhase::stopped) {
    if (process.stopping == 0) process.stopping = at;
  } else if (phase == formats::GoPhase::started && process.stopping != 0) {
    if (process.stopping < at) {
      process.stops.add({process.stopping, at});
      ++kept_;
    }
    process.stopping = 0;
  }
}

void Observed::assist(const Event& event, bool begins) {
  ThreadLog* log = find_or_add(event.thread);
  if (!log) return;
  const Nanos at = nanoseconds(event.time);
  if (!begins && log->assisting != 0 && log->assisting < at) {
    log->assists.add({log->assisting, at});
    ++kept_;
  }
  log->assisting = begins ? at : 0;
}

bool Observed::waits_left_out(const ThreadLog& log, Nanos from, Nanos to) const {
  if (pauses_.touch(from, to)) return true;
  const model::Pause* pause = pauses_.last_until(from);
  if (!pause || log.born >= pause->to) return false;
  const auto first = std::lower_bound(log.resumed.begin(), log.resumed.end(), pause->to);
  return first == log.resumed.end() || *first > from;
}

void Observed::push(const Event& event, const Moved& moved) {
  const Nanos at = nanoseconds(event.time);
  if (!std::holds_alternative<formats::CaptureEnd>(event.body)) now_ = std::max(now_, at);
  const bool ours = pids_.contains(event.thread.pid);
  if (const auto* off = std::get_if<formats::OffCpu>(&event.body)) {
    if (off->ongoing && (ongoing_at_ == 0 || at < ongoing_at_)) ongoing_at_ = at;
    if (ours)
      off_cpu(event, *off);
    else if (event.thread.tid != 0 && nanoseconds(off->left) > 0 && event.time >= off->left) {
      const OffCpuWait wait = model::off_cpu_wait(event);
      cpu_.take(event.thread.tid, wait);
      machine_cpus_.recorded(event.thread.pid, wait.stolen);
    }
  } else if (const auto* io = std::get_if<formats::Io>(&event.body)) {
    this->io(event, *io, moved);
  } else if (const auto* tls = std::get_if<formats::TlsIo>(&event.body)) {
    if (moved.connection == 0) return;
    note_loss(noting(moved.connection), at, tls->missed);
    act(event, moved, tls->direction == formats::Direction::out);
  } else if (const auto* arrival = std::get_if<formats::Arrival>(&event.body)) {
    ++kept_;
    if (moved.connection == 0) return elsewhere_.add({at, at});
    EndLog& end = noting(moved.connection);
    note_loss(end, at, arrival->missed);
    end.arrived.add({at, arrival->position, arrival->position + arrival->length});
  } else if (const auto* again = std::get_if<formats::Retransmit>(&event.body)) {
    if (moved.connection == 0) return;
    EndLog& end = noting(moved.connection);
    Nanos first = at;
    for (const PositionMark& m : end.sent)
      if (static_cast<std::int32_t>(m.end - again->position) > 0) {
        first = std::min(first, m.time);
        break;
      }
    end.retransmitted.add({first, at});
    ++kept_;
  } else if (std::holds_alternative<formats::TaskStart>(event.body)) {
    if (!ours) return;
    kept_ -= threads_.contains(event.thread.tid) ? std::min(kept_, threads_[event.thread.tid].waits.size()) : 0;
    threads_.erase(event.thread.tid);  // the number is used again
    last_ = nullptr;
    if (ThreadLog* log = find_or_add(event.thread)) {
      log->born = at;
    }
  } else if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    describe(*info);
    queues_.push(*info, at);
  } else if (const auto* change = std::get_if<formats::StateChange>(&event.body)) {
    closed(*change, at);
    queues_.push(*change, at);
    this->change(event, *change);
  } else if (const auto* accepted = std::get_if<formats::Accept>(&event.body)) {
    const model::ConnectionId connection = connection_of(accepted->socket);
    if (connection == 0) return;
    ends_[connection].accepted = at;
    took(event, accepted->socket, connection);
  } else if (const auto* made = std::get_if<formats::GoCreate>(&event.body)) {
    if (!ours || event.goroutine == 0 || creators_kept_ >= ProcessLog::kMaxCreators) return;
    creators_kept_ += processes_[event.thread.pid].creators.try_emplace(made->child, event.goroutine).second;
  } else if (const auto* go = std::get_if<formats::GoRuntime>(&event.body)) {
    stop(event.thread.pid, at, go->phase);
    if (go->phase == formats::GoPhase::gc_begin && ours) {
      processes_[event.thread.pid].collections.add({at, at});
      ++kept_;
    }
    if (go->phase == formats::GoPhase::assist && ours) assist(event, go->reason.empty());
  } else if (const auto* state = std::get_if<formats::GoState>(&event.body)) {
    processes_[event.thread.pid].deep = true;
    Sighting s;
    s.time = at;
    s.tid = event.thread.tid;
    s.state = true;
    s.run = state->state;
    s.why = label_of_reason(state->reason);
    s.by = event.goroutine;
    sight(event, s);
    // A thread that assists does nothing else with goroutines: the end was lost.
    if (const auto it = threads_.find(event.thread.tid); it != threads_.end()) it->second.assisting = 0;
  } else if (std::holds_alternative<formats::GoExit>(event.body)) {
    // It has no state from now on.
    Sighting s;
    s.time = at;
    s.tid = event.thread.tid;
    s.state = true;
    if (processes_[event.thread.pid].deep) sight(event, s);
  } else if (std::holds_alternative<formats::GoHandler>(event.body)) {
    if (event.goroutine != 0) {
      processes_[event.thread.pid].handlers.add({at, event.goroutine});
      ++kept_;
    }
  } else if (const auto* program = std::get_if<formats::GoProgram>(&event.body)) {
    ProcessLog& process = processes_[event.thread.pid];
    process.go = true;
    if ((program->parts & static_cast<std::uint8_t>(formats::GoPart::runtime)) != 0 && process.collector_since == 0)
      process.collector_since = at;
  } else if (std::holds_alternative<formats::ClockSnapshot>(event.body)) {
    if (begun_ == 0) begun_ = at;
  } else if (const auto* stall = std::get_if<formats::Stall>(&event.body)) {
    if (stall->what == formats::StallKind::send_full) return full(at, stall->where);
    if (stall->what == formats::StallKind::nagle || stall->what == formats::StallKind::undelivered)
      return held(at, *stall);
    if (!ours || !known(stall->began) || stall->began >= event.time) return;
    if (ThreadLog* log = find_or_add(event.thread)) {
      log->stalls.add({nanoseconds(stall->began), at, stall->where, stall->what, stall->detail});
      ++kept_;
    }
  } else if (const auto* call = std::get_if<formats::FileCall>(&event.body)) {
    if (files_kept_ && ours) file(event, *call);
  } else if (const auto* cpu = std::get_if<formats::MachineCpu>(&event.body)) {
    machine_cpus_.push(event, *cpu);
  } else if (const auto* quota = std::get_if<formats::CpuQuota>(&event.body)) {
    quotas_.push(at, *quota);
  } else if (const auto* exec = std::get_if<formats::TaskExec>(&event.body)) {
    peers_.named(event.thread.pid, exec->comm);
  } else if (const auto* task = std::get_if<formats::TaskInfo>(&event.body)) {
    if (event.thread.pid == event.thread.tid) peers_.named(event.thread.pid, task->comm);
    if (ours) quotas_.push(event.thread.pid, *task);
    if (ours && event.thread.pid != event.thread.tid && known(task->started))
      if (ThreadLog* log = find_or_add(event.thread); log && log->born == 0) log->began = nanoseconds(task->started);
    if (ours && task->comm == kVmThread) processes_[event.thread.pid].vm_thread = event.thread.tid;
  } else if (const auto* note = std::get_if<formats::Note>(&event.body)) {
    pauses_.push(*note, event.time);
    if (note->key == ground::kLockNote) lock_notes_.named(event.thread.pid, note->value);
    if (note->key == ground::kFileLockNote && ours) refused(event, note->value);
    if (note->key == ground::kDiskUseNote && note->value == "1") machine_cpus_.tells_all_disk_use();
    if (!pauses_.empty()) machine_cpus_.has_gaps();
    if (note->key == ground::kFrozenNote) quotas_.froze(event.thread.pid, note->value);
    if (note->key == ground::kStopsNote) stops_ = std::max(stops_, at);
    full_sends_recorded_ = full_sends_recorded_ || (note->key == formats::kFullSendsNote && note->value == "1");
  } else if (const auto* loss = std::get_if<formats::Loss>(&event.body)) {
    queues_.unsure();
    if (!tells_of_carriers(loss->kind)) return;
    const Nanos since = known(loss->since) && loss->since < event.time ? nanoseconds(loss->since) : at - 1;
    if (loss->cause == formats::LossCause::ring_full && loss->kind == kOffCpuKind) counted_.add({since, at});
    // A socket's events lost to a full ring are counted on the socket.
    else if (loss->cause != formats::LossCause::ring_full || loss->kind == kAnyKind)
      blind_.add({since, at});
  } else if (const auto* damage = std::get_if<formats::Damage>(&event.body)) {
    queues_.unsure();
    const Nanos since = known(damage->since) && damage->since < event.time ? nanoseconds(damage->since) : at - 1;
    blind_.add({since, at});
  }
}

std::size_t EndLog::forget_before(Nanos t) {
  return acts.forget_before(t) + arrived.forget_before(t) + read.forget_before(t) + sent.forget_before(t) +
         retransmitted.forget_before(t) + lost.forget_before(t) + full.forget_before(t) + held.forget_before(t);
}

bool EndLog::empty() const {
  return acts.size() + arrived.size() + read.size() + sent.size() + full.size() == 0 && retransmitted.empty() &&
         lost.empty() && held.empty();
}

void Observed::forget_before(Nanos t) {
  if (t <= forgotten_until_) return;
  forgotten_until_ = t;
  std::size_t gone = elsewhere_.forget_before(t);
  blind_.forget_before(t);
  pauses_.forget_before(t);
  counted_.forget_before(t);
  for (auto& [tid, log] : threads_) {
    while (log.resumed.size() > 1 && log.resumed[1] < t) log.resumed.erase(log.resumed.begin());
    gone += log.waits.forget_before(t) + log.acts.forget_before(t) + log.stalls.forget_before(t) +
            log.assists.forget_before(t) + log.lost.forget_before(t) + log.elsewhere.forget_before(t) +
            log.refused.forget_before(t);
  }
  std::erase_if(ends_listed_, [&](model::ConnectionId connection) {
    EndLog& end = ends_[connection];
    gone += end.forget_before(t);
    end.listed = !end.empty();
    return !end.listed;
  });
  for (auto& [pid, process] : processes_) {
    gone += process.wakes.forget_before(t) + process.halts.forget_before(t) + process.signals.forget_before(t) +
            process.collections.forget_before(t) + process.stops.forget_before(t) + process.vm_stops.forget_before(t) +
            process.handlers.forget_before(t) + process.files.forget_before(t) + process.attempts.forget_before(t);
    for (auto it = process.goroutines.begin(); it != process.goroutines.end();) {
      gone += it->second.forget_before(t);
      it = it->second.size() == 0 ? process.goroutines.erase(it) : std::next(it);
    }
  }
  quotas_.forget_before(t);
  queues_.forget_before(t);
  kept_ -= std::min(kept_, gone);
}

}  // namespace tailcap::partition

#include "analyze/timeline/lane_collector.h"

#include <algorithm>

#include "analyze/model/off_cpu_wait.h"
#include "analyze/model/wire/connection.h"
#include "formats/event.h"

namespace tailcap::timeline {

using formats::known;
using model::LabelGroup;
using model::Lane;
using model::LaneKind;
using model::LaneMark;

void SocketOwners::push(const formats::Event& event) {
  const auto* io = std::get_if<formats::Io>(&event.body);
  if (io && owners_.size() < kMostThings) owners_[io->socket] = event.thread.pid;
}

std::uint32_t SocketOwners::process_of(std::uint64_t socket) const {
  const auto at = owners_.find(socket);
  return at == owners_.end() ? 0 : at->second;
}

LaneCollector::LaneCollector(Time from, Time to, std::vector<std::uint32_t> pids, LaneLimits limits)
    : from_(from), to_(to), limits_(limits), pids_(std::move(pids)) {
  std::sort(pids_.begin(), pids_.end());
  out_.from = from;
  out_.to = to;
}

bool LaneCollector::meant(std::uint32_t pid) const {
  return pid != 0 && (pids_.empty() || std::binary_search(pids_.begin(), pids_.end(), pid));
}

bool LaneCollector::asked_for(Time from, Time to) const {
  if (during_.empty()) return true;
  const auto at = std::ranges::lower_bound(during_, from, {}, &std::pair<Time, Time>::second);
  return at != during_.end() && at->first <= to;
}

LaneCollector::Thing* LaneCollector::thing(LaneKind kind, std::uint32_t pid, std::uint64_t number) {
  Things& things = things_[static_cast<std::size_t>(kind)];
  const auto at = things.find({pid, number});
  if (at != things.end()) return &at->second;
  if (things.size() >= kMostThings) return nullptr;
  Thing& made = things[{pid, number}];
  made.lane.kind = kind;
  made.lane.pid = pid;
  made.lane.number = number;
  return &made;
}

void LaneCollector::stretch(Thing& thing, Time from, Time to, LabelGroup what, std::string note) {
  from = std::max(from, from_);
  to = std::min(to, to_);
  auto& stretches = thing.lane.stretches;
  // Waits of a thread that overlap those before are cut: a lane has one state at a time.
  if (!stretches.empty()) from = std::max(from, stretches.back().to);
  if (from >= to || !asked_for(from, to)) return;
  if (stretches_ >= limits_.stretches) {
    ++out_.stretches_left_out;
    out_.complete_until = std::min(out_.complete_until, to);
    return;
  }
  ++stretches_;
  if (what == LabelGroup::cpu || what == LabelGroup::scheduler) thing.busy += (to - from).count();
  stretches.push_back({from, to, what, std::move(note)});
}

void LaneCollector::change(Thing& thing, Time at, LabelGroup what, std::string note) {
  if (known(thing.since)) stretch(thing, thing.since, at, thing.what, std::move(thing.note));
  thing.since = at;
  thing.what = what;
  thing.note = std::move(note);
}

void LaneCollector::mark(LaneKind kind, std::uint32_t pid, std::uint64_t number, LaneMark mark) {
  if (mark.at < from_ || mark.at >= to_ || !asked_for(mark.at, mark.at)) return;
  if (stretches_ >= limits_.stretches) {
    out_.complete_until = std::min(out_.complete_until, mark.at);
    return;
  }
  Thing* t = thing(kind, pid, number);
  if (!t) return;
  ++stretches_;
  ++t->busy;
  t->lane.marks.push_back(mark);
}

bool LaneCollector::concerns(const formats::Event& event) const {
  using namespace formats;
  constexpr Duration kBefore{1'000'000'000};
  if (const auto* off = std::get_if<OffCpu>(&event.body)) return event.time >= from_ - kBefore && off->left < to_;
  if (std::holds_alternative<Io>(event.body) || std::holds_alternative<Arrival>(event.body))
    return event.time >= (shared_owners_ ? from_ : from_ - kBefore) && event.time < to_;
  return true;
}

void LaneCollector::prefer(const std::vector<std::uint32_t>& tids) {
  for (auto& [key, thing] : things_[static_cast<std::size_t>(LaneKind::thread)])
    if (thing.busy > 0 && std::find(tids.begin(), tids.end(), key.second) != tids.end()) thing.busy = INT64_MAX;
}

void LaneCollector::push(const formats::Event& event) {
  if (const auto ran = running_.find(event.thread.tid); ran != running_.end()) ran->second.seen = event.time;
  std::visit([&](const auto& body) { take(event, body); }, event.body);
}

void LaneCollector::take(const formats::Event& event, const formats::OffCpu& off) {
  if (!meant(event.thread.pid) || off.left > event.time) return;
  Thing* t = thing(LaneKind::thread, event.thread.pid, event.thread.tid);
  if (!t) return;
  if (event.time > from_) add_wait(*t, event, off);
  t->since = event.time;
  if (event.goroutine == 0) ran_until(event.thread.pid, event.thread.tid, off.left);
}

void LaneCollector::add_wait(Thing& t, const formats::Event& event, const formats::OffCpu& off) {
  // On a CPU since the wait before, unless one in between was lost.
  if (known(t.since) && off.missed == 0)
    stretch(t, t.since, off.left, LabelGroup::cpu);
  else if (off.missed > 0 && off.left > from_ && t.since < to_)
    ++t.busy;
  const bool woken = known(off.runnable) && off.runnable >= off.left && off.runnable <= event.time;
  const Time until = woken ? off.runnable : event.time;
  const LabelGroup what = model::group_of(model::label_of(model::off_cpu_wait(event)));
  stretch(t, off.left, until, what, off.throttled ? "throttled" : "");
  stretch(t, until, event.time, LabelGroup::scheduler);
}

void LaneCollector::ran_until(std::uint32_t pid, std::uint32_t tid, Time at) {
  const auto ran = running_.find(tid);
  if (ran == running_.end()) return;
  Things& things = things_[static_cast<std::size_t>(LaneKind::goroutine)];
  if (const auto it = things.find({pid, ran->second.goroutine});
      it != things.end() && known(it->second.since) && it->second.what == LabelGroup::cpu) {
    change(it->second, at, LabelGroup::unexplained, {});
    it->second.since = formats::kNoTime;
  }
  running_.erase(ran);
}

void LaneCollector::take(const formats::Event& event, const formats::Io& io) {
  if (!shared_owners_) owners_.push(event);
  if (!meant(event.thread.pid)) return;
  const LaneMark m{event.time, io.direction == formats::Direction::in ? LaneMark::Kind::read : LaneMark::Kind::sent,
                   io.length};
  mark(LaneKind::connection, event.thread.pid, io.socket, m);
  if (event.goroutine != 0) mark(LaneKind::goroutine, event.thread.pid, event.goroutine, m);
}

void LaneCollector::take(const formats::Event& event, const formats::Arrival& arrival) {
  const std::uint32_t owner = (shared_owners_ ? *shared_owners_ : owners_).process_of(arrival.socket);
  if (meant(owner))
    mark(LaneKind::connection, owner, arrival.socket, {event.time, LaneMark::Kind::arrived, arrival.length});
}

void LaneCollector::take(const formats::Event&, const formats::SocketInfo& info) {
  if (sockets_.size() >= kMostThings) return;
  model::Connection c;
  c.family = info.family;
  c.local = info.local;
  c.remote = info.remote;
  c.path = std::string(info.path);
  const char* arrow = info.origin == formats::Origin::accepted    ? " ← "
                      : info.origin == formats::Origin::connected ? " → "
                                                                  : " – ";
  sockets_[info.socket] = info.family == formats::Family::unix_domain
                              ? model::endpoint(c, false)
                              : model::endpoint(c, false) + arrow + model::endpoint(c, true);
}

void LaneCollector::take(const formats::Event& event, const formats::GoState& state) {
  if (!meant(event.thread.pid)) return;
  told_.insert(event.thread.pid);
  Thing* t = thing(LaneKind::goroutine, event.thread.pid, state.goroutine);
  if (!t) return;
  using formats::GoRunState;
  const std::uint32_t tid = event.thread.tid;
  if (state.state == GoRunState::running) {
    ran_until(event.thread.pid, tid, event.time);
    if (running_.size() < kMostThings) running_[tid] = {state.goroutine, event.time};
    change(*t, event.time, LabelGroup::cpu, "running");
    return;
  }
  if (const auto ran = running_.find(tid); ran != running_.end() && ran->second.goroutine == state.goroutine)
    running_.erase(ran);
  if (state.state == GoRunState::ready)
    change(*t, event.time, LabelGroup::scheduler, "ready to run");
  else if (state.state == GoRunState::parked)
    change(*t, event.time, LabelGroup::causeless, state.reason.empty() ? "parked" : std::string(state.reason));
  else
    t->since = formats::kNoTime;
}

void LaneCollector::take(const formats::Event& event, const formats::GoExit& exit) {
  Things& things = things_[static_cast<std::size_t>(LaneKind::goroutine)];
  const auto at = things.find({event.thread.pid, exit.goroutine});
  if (at == things.end()) return;
  change(at->second, event.time, LabelGroup::unexplained, {});
  at->second.since = formats::kNoTime;
}

// Two lanes in one: a stop-the-world phase is within a collection, or alone; the stop takes precedence.
void LaneCollector::take(const formats::Event& event, const formats::GoRuntime& runtime) {
  using formats::GoPhase;
  if (!meant(event.thread.pid) || runtime.phase == GoPhase::assist || runtime.phase == GoPhase::unknown) return;
  const bool stop = runtime.phase != GoPhase::gc_begin && runtime.phase != GoPhase::gc_end;
  Thing* t = thing(LaneKind::collector, event.thread.pid, stop ? 1 : 0);
  if (!t) return;
  if (runtime.phase == GoPhase::gc_begin)
    change(*t, event.time, LabelGroup::sleep, "collection");
  else if (runtime.phase == GoPhase::stop_begin)
    change(*t, event.time, LabelGroup::scheduler,
           "the world is to stop" + (runtime.reason.empty() ? "" : ": " + std::string(runtime.reason)));
  else if (runtime.phase == GoPhase::stopped)
    change(*t, event.time, LabelGroup::go_runtime,
           "the world is stopped" + (runtime.reason.empty() ? "" : ": " + std::string(runtime.reason)));
  else {
    change(*t, event.time, LabelGroup::unexplained, {});
    t->since = formats::kNoTime;
  }
}

void LaneCollector::take(const formats::Event& event, const formats::TaskInfo& info) {
  if (comms_.size() < kMostThings && !info.comm.empty()) comms_[event.thread.tid] = std::string(info.comm);
}
void LaneCollector::take(const formats::Event& event, const formats::TaskStart& start) {
  if (comms_.size() < kMostThings) comms_[event.thread.tid] = std::string(start.comm);
}
void LaneCollector::take(const formats::Event& event, const formats::TaskExec& exec) {
  if (comms_.size() < kMostThings) comms_[event.thread.tid] = std::string(exec.comm);
}

void LaneCollector::take(const formats::Event& event, const formats::TaskExit&) {
  Things& things = things_[static_cast<std::size_t>(LaneKind::thread)];
  const auto at = things.find({event.thread.pid, event.thread.tid});
  if (at == things.end() || !known(at->second.since)) return;
  stretch(at->second, at->second.since, event.time, LabelGroup::cpu);
  at->second.since = formats::kNoTime;
}

// The processes of the lost events are not known, so no state is known.
void LaneCollector::take(const formats::Event& event, const formats::Loss& loss) {
  if (loss.since < to_ && event.time > from_) out_.lost = true;
  forget_states();
}
void LaneCollector::take(const formats::Event& event, const formats::Damage& damage) {
  if (damage.since < to_ && event.time > from_) out_.lost = true;
  forget_states();
}
void LaneCollector::forget_states() {
  running_.clear();
  for (Things& things : things_)
    for (auto& [key, thing] : things) thing.since = formats::kNoTime;
}

// States that the end of the capture finds open go on to there only where no end would have been missed. That a thread
// left its CPU is recorded only when it is back, so what runs on one is known until the thread last did something.
void LaneCollector::close(Things& things) {
  for (const auto& [tid, ran] : running_)
    for (auto& [key, thing] : things)
      if (thing.lane.kind == LaneKind::goroutine && key.second == ran.goroutine && known(thing.since) &&
          thing.what == LabelGroup::cpu) {
        stretch(thing, thing.since, ran.seen, thing.what, std::move(thing.note));
        thing.since = formats::kNoTime;
      }
  for (auto& [key, thing] : things) {
    const bool running = thing.lane.kind == LaneKind::goroutine && thing.what == LabelGroup::cpu;
    if (known(thing.since) && thing.lane.kind != LaneKind::thread && !running)
      stretch(thing, thing.since, to_, thing.what, std::move(thing.note));
  }
}

void LaneCollector::choose(Things& things, LaneKind kind, model::Lanes& out) {
  std::vector<Thing*> kept;
  for (auto& [key, thing] : things) {
    if (thing.lane.stretches.empty() && thing.lane.marks.empty()) continue;
    if (thing.busy == 0 && (kind == LaneKind::thread || kind == LaneKind::goroutine)) {
      ++out.idle[static_cast<std::size_t>(kind)];
      continue;
    }
    kept.push_back(&thing);
  }
  if (kept.size() > limits_.lanes) {
    std::stable_sort(kept.begin(), kept.end(), [](const Thing* a, const Thing* b) { return a->busy > b->busy; });
    out.left_out[static_cast<std::size_t>(kind)] = kept.size() - limits_.lanes;
    kept.resize(limits_.lanes);
  }
  // When it first did something: that it waited before says little.
  const auto first = [](const Thing* t) {
    Time at = formats::kMaxTime;
    for (const auto& s : t->lane.stretches)
      if (s.what == LabelGroup::cpu || s.what == LabelGroup::scheduler) {
        at = s.from;
        break;
      }
    return t->lane.marks.empty() ? at : std::min(at, t->lane.marks.front().at);
  };
  std::stable_sort(kept.begin(), kept.end(), [&](const Thing* a, const Thing* b) { return first(a) < first(b); });
  for (Thing* t : kept) {
    Lane& lane = t->lane;
    if (kind == LaneKind::connection) {
      if (const auto name = sockets_.find(lane.number); name != sockets_.end()) lane.name = name->second;
    } else if (const auto name =
                   comms_.find(kind == LaneKind::thread ? static_cast<std::uint32_t>(lane.number) : lane.pid);
               name != comms_.end()) {
      lane.name = name->second;
    }
    out.lanes.push_back(std::move(lane));
  }
}

void LaneCollector::only(const std::vector<std::uint32_t>& pids) {
  const auto other = [&](std::uint32_t pid) { return std::find(pids.begin(), pids.end(), pid) == pids.end(); };
  for (Things& things : things_) std::erase_if(things, [&](const auto& t) { return other(t.first.first); });
  std::erase_if(told_, other);
}

model::Lanes LaneCollector::done() {
  out_.goroutine_states = !told_.empty();
  for (std::size_t k = 0; k < model::kLaneKinds; ++k) {
    close(things_[k]);
    choose(things_[k], static_cast<LaneKind>(k), out_);
  }
  return std::move(out_);
}

}  // namespace tailcap::timeline

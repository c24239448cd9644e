// Event loops: which request an iteration was for.
#include <algorithm>

#include "analyze/causes/parents/weighing.h"

namespace tailcap::causes {

using formats::known;
using model::Cause;
using model::CauseMethod;

namespace {

// A runtime with one lock for all threads (Python) wakes a worker twice: it passes the lock on every 5 ms.
constexpr formats::Duration kWokenTwice = std::chrono::milliseconds{10};
constexpr std::size_t kMaxCalls = 64;  // of a request that are under way at a time

}  // namespace

// What an event loop read beside the first and the last bytes that are a request's or an answer's.
void Weighing::add_reads() {
  std::unordered_map<formats::SocketId, std::vector<std::uint32_t>> served, called;
  for (std::uint32_t n = 0; n < process_.servers.size(); ++n) served[process_.servers[n].socket].push_back(n);
  for (std::uint32_t n = 0; n < process_.clients.size(); ++n) called[process_.clients[n].socket].push_back(n);
  const auto latest = [](const std::vector<Note>& notes, const std::vector<std::uint32_t>& numbers, Time at) {
    const auto next = std::upper_bound(numbers.begin(), numbers.end(), at,
                                       [&](Time t, std::uint32_t n) { return t < notes[n].began; });
    return next == numbers.begin() ? std::int64_t{-1} : std::int64_t{*std::prev(next)};
  };
  for (auto& [tid, steps] : steps_)
    for (const LoopIterations::Read& r : turns_.read_by(tid)) {
      if (r.socket == 0) continue;
      const auto call = called.find(r.socket);
      const auto request = call == called.end() ? served.find(r.socket) : served.end();
      const bool server = request != served.end();
      if (!server && call == called.end()) continue;
      const std::int64_t n =
          server ? latest(process_.servers, request->second, r.time) : latest(process_.clients, call->second, r.time);
      if (n < 0) {
        // The recording began during the call, or nothing had proved yet what the connection carries.
        if (!server && !known(process_.clients[call->second.front()].connect_began))
          steps.push_back({r.time, call->second.front(), What::read, false, true});
        continue;
      }
      const Note& of = (server ? process_.servers : process_.clients)[static_cast<std::size_t>(n)];
      // HTTP/2 and its like: whose bytes they are is not known
      if (of.stream == 0) steps.push_back({r.time, static_cast<std::uint32_t>(n), What::read, server});
    }
}

// Finds kinds of calls that an event loop makes without having read anything since its wait, because of timers or
// unrecorded events. In an iteration that did read something they look like calls of a request.
void Weighing::find_spontaneous() {
  for (std::uint32_t n = 0; n < process_.clients.size(); ++n) {
    const Note& call = process_.clients[n];
    const auto thread = steps_.find(call.writer);
    if (thread == steps_.end() || dedicated_.contains(call.writer) || !turns_.multiplexes(call.writer)) continue;
    const Time at = known(call.connect_began) ? call.connect_began : call.began;
    const Time waited = turns_.last_wait_for_many(call.writer, at);
    if (!known(waited) || lost_waits(call.writer, waited, at) || losses_.any(waited, at, Losses::kReads)) continue;
    const Steps& steps = thread->second;
    auto step = std::lower_bound(steps.begin(), steps.end(), waited, [](const Step& s, Time t) { return s.time < t; });
    const auto& reads = turns_.read_by(call.writer);
    const auto next = std::lower_bound(reads.begin(), reads.end(), waited,
                                       [](const LoopIterations::Read& r, Time t) { return r.time < t; });
    bool read = next != reads.end() && next->time <= at;
    for (; step != steps.end() && step->time <= at && !read; ++step) read = step->what == What::read;
    if (!read) spontaneous_.insert(likeness_.kind_of(n));
  }
}

// A call that needs a new connection was decided on when the connect began; it is sent in a later iteration.
Weighing::Turn Weighing::turn_of(std::uint32_t client) const {
  const Note& call = process_.clients[client];
  const auto before_connect = [&](std::uint32_t n) { return process_.servers[n].began <= call.connect_began; };
  const std::vector<std::uint32_t> mine = read_by(call.writer, call.began);
  const bool connects = known(call.connect_began) && std::any_of(mine.begin(), mine.end(), before_connect);
  return read_last(call.writer, client, connects ? call.connect_began : call.began);
}

Weighing::Turn Weighing::by_turn(std::uint32_t client, const std::vector<std::uint32_t>& mine) const {
  const std::uint64_t kind = likeness_.kind_of(client);
  if (after_answers_.contains(kind))
    if (const Turn answered = answered_in_turn(client); answered.server != kNothing) return answered;
  Turn turn = turn_of(client);
  if (const std::int64_t holder = pools_.holder(client); holder >= 0 && !turn.lost)
    turn.server = holder;
  else if (pools_.may_change_hands(client))
    turn.server = kSeveral;
  else if (turn.server < 0 && !turn.lost) {
    turn.server = goes_on(client);
    if (turn.server < 0) turn.server = only_one(client, mine);
  }
  if (spontaneous_.contains(kind)) turn.server = kNothing;
  return turn;
}

// among: the requests that could be meant.
Cause Weighing::cause_of(const Turn& turn, const std::vector<std::uint32_t>& among) const {
  const bool found = turn.server >= 0;
  const auto others = among.size() - static_cast<std::size_t>(std::count(among.begin(), among.end(), turn.server));
  return {found ? process_.servers[static_cast<std::size_t>(turn.server)].id : model::ExchangeId{},
          found ? CauseMethod::turn : CauseMethod::none, false, static_cast<std::uint32_t>(others),
          !found && turn.lost};
}

// Whose bytes were read or written; nothing: it is not known.
std::int64_t Weighing::request_of(const Step& step) const {
  return step.older ? kNothing : step.server ? std::int64_t{step.number} : parent_[step.number];
}

// The request that was answered in this iteration before the call was made (nginx's mirror, a handler's statistics):
// the only one of which anything was read or written in it, and both were. Nothing: none was answered.
Weighing::Turn Weighing::answered_in_turn(std::uint32_t client) const {
  const Note& call = process_.clients[client];
  const std::uint32_t tid = call.writer;
  const Time at = known(call.connect_began) ? call.connect_began : call.began;
  const Time waited = turns_.last_wait_for_many(tid, at);
  const auto thread = steps_.find(tid);
  if (!known(waited) || thread == steps_.end() || spontaneous_.contains(likeness_.kind_of(client))) return {};
  const Steps& steps = thread->second;
  const auto before = [](const auto& act, Time t) { return act.time < t; };
  auto step = std::lower_bound(steps.begin(), steps.end(), waited, before);
  const auto& reads = turns_.read_by(tid);
  auto read = std::lower_bound(reads.begin(), reads.end(), waited, before);
  std::int64_t found = kNothing;
  bool heard = false, answered = false, several = false;  // heard: bytes of the request, or of an answer for it
  for (std::size_t n = 0; step != steps.end() && step->time <= at; ++step) {
    if (++n > kMaxSteps) return {kSeveral, false};
    // What was read from a connection of which nothing is known may have asked for the call.
    several = several || (read != reads.end() && read->time < step->time);
    while (read != reads.end() && read->time <= step->time) ++read;
    if (step->what == What::sent) continue;
    const std::int64_t of = request_of(*step);
    several = several || of < 0 || (found != kNothing && found != of);
    found = of;
    (step->what == What::wrote ? answered : heard) = true;
  }
  if (!answered) return {};
  if (lost_waits(tid, waited, at) || losses_.any(waited, at, Losses::kReads)) return {kSeveral, true};
  several = several || !heard || (read != reads.end() && read->time <= at) ||
            process_.servers[static_cast<std::size_t>(found)].answered < waited;
  return {several ? kSeveral : found, false};
}

// The request that made the call before on this connection, if the answer was read in this iteration and the request
// has done nothing since.
std::int64_t Weighing::goes_on(std::uint32_t client) const {
  const Note& call = process_.clients[client];
  const std::int64_t before = pools_.before(client);
  const std::int64_t of = before < 0 ? -1 : parent_[static_cast<std::size_t>(before)];
  if (of < 0) return kNothing;
  const Note& s = process_.servers[static_cast<std::size_t>(of)];
  const Note& last = process_.clients[static_cast<std::size_t>(before)];
  if (!Live::at(s, call.began) || or_later(s.answered) < call.began || s.reader != call.writer) return kNothing;
  if (!known(last.ended) || last.ended > call.began) return kNothing;
  if (last.ended <= turns_.last_wait_for_many(call.writer, call.began)) return kNothing;
  const auto& calls = called_.at(static_cast<std::uint32_t>(of));
  return process_.clients[calls.back()].began > last.began ? kNothing : of;
}

// A call of this request that was sent before `sent` is under way at this time.
bool Weighing::waits_for_call(std::uint32_t server, Time sent, Time at) const {
  const auto calls = called_.find(server);
  if (calls == called_.end()) return false;
  const auto& list = calls->second;
  const auto from = list.size() > kMaxCalls ? list.end() - static_cast<std::ptrdiff_t>(kMaxCalls) : list.begin();
  return std::any_of(from, list.end(), [&](std::uint32_t c) {
    return process_.clients[c].began < sent && or_later(process_.clients[c].ended) > at;
  });
}

// The only request that the thread has read and not answered, and that waits for no call.
std::int64_t Weighing::only_one(std::uint32_t client, const std::vector<std::uint32_t>& mine) const {
  const Time at = process_.clients[client].began;
  std::int64_t found = kNothing;
  if (fans_out_ && mine.size() > 1) return kNothing;
  for (const std::uint32_t n : mine) {
    if (waits_for_call(n, at, at)) continue;
    if (found != kNothing) return kNothing;
    found = n;
  }
  return found;
}

// Waits of the thread in [from, to] are missing.
bool Weighing::lost_waits(std::uint32_t tid, Time from, Time to) const {
  // Losses after the last recorded wait appear only in the loss counters.
  return turns_.missed(tid, from, to) || !turns_.remembers(tid, from) ||
         (turns_.last_wait(tid) < to && losses_.any(from, to, Losses::kWaits));
}

// A worker, for whose wake-up the loop had read bytes of one request. It has done nothing else for the loop since.
Cause Weighing::by_giver(std::uint32_t client) const {
  const Note& call = process_.clients[client];
  Cause cause;
  cause.alternatives = static_cast<std::uint32_t>(live_.now().size());
  if (!turns_.multiplexes(call.giver)) return by_answer(call);
  Time before = formats::kNoTime;  // what it asked before was over
  for (std::uint32_t n = client, looked = 0; n-- > 0 && !known(before) && looked < kMaxSteps; ++looked)
    if (const Note& c = process_.clients[n]; c.writer == call.writer) before = std::max(c.began, c.given_up);
  if (known(before) && before >= call.given[0]) return cause;
  std::int64_t found = kNothing;
  for (const Time at : call.given) {
    if (!known(at) || call.given[0] - at > kWokenTwice || (known(before) && at <= before)) break;
    const Turn turn = read_last(call.giver, client, at);
    cause.lost = cause.lost || turn.lost;
    if (turn.server < 0 || (found != kNothing && found != turn.server)) return cause;
    found = turn.server;
  }
  // Else the worker had finished what it was woken for, and this is something else.
  const Time answered = found < 0 ? formats::kNoTime : process_.servers[static_cast<std::size_t>(found)].answered;
  if (found < 0 || (known(answered) && known(call.given_up) && answered < call.given_up)) return cause;
  return {process_.servers[static_cast<std::size_t>(found)].id, CauseMethod::turn, false, cause.alternatives - 1,
          false};
}

// The request with the bytes that the thread had read since the previous call, or since its last wait. A wait ends the
// iteration: earlier reads are no evidence.
Weighing::Turn Weighing::read_last(std::uint32_t tid, std::uint32_t client, Time at) const {
  const Note& call = process_.clients[client];
  const Steps& steps = steps_.at(tid);
  auto step = std::upper_bound(steps.begin(), steps.end(), at, [](Time t, const Step& s) { return t < s.time; });
  std::int64_t found = kNothing;
  const Time waited = turns_.last_wait_for_many(tid, at);
  Time since = at;
  bool several = false;
  for (std::size_t n = 0; step != steps.begin() && !several; ++n) {
    --step;
    if (n == kMaxSteps) return {kSeveral, false};
    if (!step->older && !step->server && step->number == client) continue;
    if (step->what == What::wrote) continue;
    if (step->time < waited) break;
    since = step->time;
    if (step->what == What::sent) {
      if (found != kNothing) break;
      continue;
    }
    const std::int64_t of = request_of(*step);
    if (of < 0) {
      several = true;
      break;
    }
    const Note& s = process_.servers[static_cast<std::size_t>(of)];
    if (!Live::at(s, call.began) || s.reader != tid) continue;
    several = found != kNothing && found != of;
    found = of;
  }
  // A read or a wait was lost: the iteration may have begun later, or with another read.
  const Time from = known(waited) && waited < since ? waited : since;
  const bool lost = lost_waits(tid, from, at) || losses_.any(from, at, Losses::kReads);
  if (lost) return {kSeveral, true};
  return {several ? kSeveral : found, false};
}

}  // namespace tailcap::causes

#include "analyze/causes/parents/weighing.h"

#include <algorithm>
#include <utility>

#include "analyze/causes/later.h"

namespace tailcap::causes {

using formats::known;
using model::Cause;
using model::CauseMethod;

Weighing::Weighing(std::uint32_t pid, Process& process, const WeighingContext& known,
                   const std::vector<ChannelTransfer>& taken)
    : process_(process),
      known_(known),
      turns_(known.turns),
      losses_(known.goroutines.losses()),
      descent_(pid, process, known.goroutines),
      jobs_(process, descent_),
      live_(process.servers),
      likeness_(process, known.texts),
      pools_(process, known.turns, known.texts) {
  const auto earlier = [](const Note& a, const Note& b) {
    return a.began != b.began ? a.began < b.began : a.id < b.id;
  };
  auto& servers = process_.servers;
  auto& clients = process_.clients;
  std::sort(servers.begin(), servers.end(), earlier);
  std::sort(clients.begin(), clients.end(), earlier);
  parent_.assign(clients.size(), -1);
  descent_.index();
  jobs_.index(taken);
  likeness_.index();
  if (process_.go) {
    for (std::uint32_t n = 0; n < servers.size(); ++n)
      if (servers[n].traced()) by_trace_[servers[n].trace].push_back(n);
    return;
  }
  for (const Note& c : clients) {
    steps_[c.writer];
    steps_[c.giver];
  }
  steps_.erase(0);
  for (std::uint32_t n = 0; n < servers.size(); ++n) {
    const Note& s = servers[n];
    if (s.dedicated) dedicated_.insert(s.reader);
    if (s.traced()) by_trace_[s.trace].push_back(n);
    add(s.reader, s.began, n, What::read, true);
    if (s.request_done > s.began) add(s.reader, s.request_done, n, What::read, true);
    add(s.writer, s.answered, n, What::wrote, true);
    if (s.ended > s.answered) add(s.writer, s.ended, n, What::wrote, true);
  }
  for (std::uint32_t n = 0; n < clients.size(); ++n) {
    const Note& c = clients[n];
    add(c.writer, c.connect_began, n, What::sent, false);
    add(c.writer, c.began, n, What::sent, false);
    add(c.reader, c.answered, n, What::read, false);
    if (c.ended > c.answered) add(c.reader, c.ended, n, What::read, false);
  }
  add_reads();
  pools_.index();
  for (auto& [tid, steps] : steps_)
    std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) {
      if (a.time != b.time) return a.time < b.time;
      return a.what != b.what ? a.what < b.what : a.server != b.server ? a.server : a.number < b.number;
    });
}

void Weighing::add(std::uint32_t tid, Time time, std::uint32_t number, What what, bool server) {
  if (!known(time)) return;
  if (const auto it = steps_.find(tid); it != steps_.end()) it->second.push_back({time, number, what, server});
}

void Weighing::run(std::vector<model::Causes::Link>& links) {
  find_spontaneous();
  for (std::uint32_t n = 0; n < process_.clients.size(); ++n) {
    const Note& call = process_.clients[n];
    if (call.began >= known_.horizon || call.began <= process_.blind_until) continue;
    live_.advance(call.began);
    const Cause cause = decide(n);
    if (cause.parent.connection != 0 || cause.alternatives > 0 || cause.lost) links.emplace_back(call.id, cause);
  }
}

Cause Weighing::decide(std::uint32_t client) {
  const auto& servers = process_.servers;
  const Note& call = process_.clients[client];
  Cause cause;
  Turn turn;
  if (process_.go) {
    cause = by_goroutine(call);
    if (cause.parent.connection == 0) cause = by_content(client, cause);
  } else {
    const std::vector<std::uint32_t> mine = read_by(call.writer, call.began);
    // A thread that blocks in reads of the connection that it serves is no event loop, whatever a driver waits with.
    const bool dedicated = mine.size() == 1 && servers[mine[0]].dedicated;
    const bool loops = !dedicated && turns_.multiplexes(call.writer);
    if (mine.empty() && call.giver == 0 && loops) {
      turn = answered_in_turn(client);
      if (turn.server >= 0) after_answers_.insert(likeness_.kind_of(client));
      cause = by_content(client, cause_of(turn, live_.now()));
    } else if (mine.size() > 1 || (!mine.empty() && loops)) {
      turn = by_turn(client, mine);
      cause = by_content(client, cause_of(turn, mine));
    } else {
      cause = !mine.empty() ? by_thread(client, mine) : call.giver != 0 ? by_giver(client) : by_answer(call);
      if (!cause.certain) cause = by_content(client, cause);
    }
  }
  if (call.traced()) cause = by_trace(call, cause);
  if (cause.parent.connection == 0) return cause;
  for (const std::uint32_t n : live_.now())
    if (servers[n].id == cause.parent) {
      parent_[client] = n;
      const Time waited = turns_.last_wait_for_many(call.writer, call.began);
      fans_out_ = fans_out_ || waits_for_call(n, waited, call.began);
      called_[n].push_back(client);
    }
  if (turn.server >= 0 && servers[static_cast<std::size_t>(turn.server)].id == cause.parent)
    parent_[client] = turn.server;  // also where it has ended
  return cause;
}

// Requests under way that this thread read, until their answer began: work after that can rarely be distinguished from
// work for other requests.
std::vector<std::uint32_t> Weighing::read_by(std::uint32_t tid, Time at) const {
  std::vector<std::uint32_t> mine;
  for (const std::uint32_t n : live_.now())
    if (tid != 0 && process_.servers[n].reader == tid && or_later(process_.servers[n].answered) >= at)
      mine.push_back(n);
  return mine;
}

// Evidence from content precedes evidence from the order of reads.
Cause Weighing::by_content(std::uint32_t client, const Cause& otherwise) const {
  const Note& call = process_.clients[client];
  const Likeness::Found found = likeness_.of(client);
  const auto undecided = [&](std::size_t alternatives, bool lost) {
    return Cause{{}, CauseMethod::none, false, static_cast<std::uint32_t>(alternatives), lost};
  };
  const auto told = [&](std::int64_t server) {
    const std::size_t others = std::max<std::size_t>(live_.now().size(), 1) - 1;
    return Cause{process_.servers[static_cast<std::size_t>(server)].id, CauseMethod::content, false,
                 static_cast<std::uint32_t>(others), false};
  };
  // Another request with the same content may have gone unseen.
  const auto unseen = [&](Time since) {
    return call.began <= process_.unseen_until || losses_.any(since, call.began, Losses::kReads);
  };
  if (found.server >= 0) {
    const Note& s = process_.servers[static_cast<std::size_t>(found.server)];
    if (otherwise.parent == s.id) return otherwise;
    if (found.rare) return told(found.server);
    if (unseen(s.began)) return undecided(live_.now().size(), true);
    if (likeness_.related(client)) return told(found.server);
  }
  if (!found.equal.empty()) {
    // A proxy sends each request once: only requests without a call remain.
    std::vector<std::uint32_t> left = found.equal;
    std::erase_if(left, [&](std::uint32_t n) {
      const auto it = called_.find(n);
      return it != called_.end() && std::any_of(it->second.begin(), it->second.end(), [&](std::uint32_t c) {
               return process_.clients[c].target == call.target && known(process_.clients[c].answered);
             });
    });
    const Time since = process_.servers[found.equal[0]].began;
    if (unseen(since)) return undecided(found.equal.size(), true);
    if (left.size() == 1 && likeness_.one_each(client)) return told(left[0]);
    return undecided(found.equal.size(), false);
  }
  // Other calls of its kind match a request by content; this one does not.
  if (likeness_.related(client))
    return undecided(std::max<std::size_t>(live_.now().size(), otherwise.alternatives), otherwise.lost);
  return otherwise;
}

Cause Weighing::by_trace(const Note& call, const Cause& otherwise) const {
  const auto& servers = process_.servers;
  std::vector<std::uint32_t> same;
  bool doubtful = false;  // a request with unknown fields might carry the trace, too
  for (const std::uint32_t n : live_.now()) {
    if (servers[n].trace == call.trace)
      same.push_back(n);
    else if (!servers[n].traced() && !servers[n].head_known)
      doubtful = true;
  }
  const auto is_parent = [&](std::uint32_t n) { return call.parent_span != 0 && servers[n].span == call.parent_span; };
  if (same.size() > 1 && std::count_if(same.begin(), same.end(), is_parent) == 1)
    same = {*std::find_if(same.begin(), same.end(), is_parent)};
  if (same.size() == 1) {
    const Note& s = servers[same[0]];
    return {s.id, CauseMethod::trace_id, !doubtful && !losses_.any(s.began, call.began), doubtful ? 1u : 0u, false};
  }
  if (same.size() > 1) {
    const bool among =
        std::any_of(same.begin(), same.end(), [&](std::uint32_t n) { return servers[n].id == otherwise.parent; });
    if (among)
      return {otherwise.parent, otherwise.method, otherwise.certain, static_cast<std::uint32_t>(same.size() - 1),
              false};
    return {{}, CauseMethod::none, false, static_cast<std::uint32_t>(same.size()), false};
  }
  // The call was made after its request had been answered.
  const auto it = by_trace_.find(call.trace);
  if (it != by_trace_.end()) {
    const std::size_t before = static_cast<std::size_t>(std::count_if(
        it->second.begin(), it->second.end(), [&](std::uint32_t n) { return servers[n].began <= call.began; }));
    if (before == 1) return {servers[it->second[0]].id, CauseMethod::trace_id, false, 0, false};
  }
  // The thread's request has another trace, so the call may belong to another request.
  Cause weaker = otherwise;
  for (const std::uint32_t n : live_.now())
    if (servers[n].id == otherwise.parent && servers[n].traced()) weaker.certain = false;
  return weaker;
}

Cause Weighing::by_goroutine(const Note& call) const {
  Cause cause;
  cause.alternatives = static_cast<std::uint32_t>(live_.now().size());
  Descent::Found found = descent_.of(call);
  const Descent::Found job = call.made < known_.jobs_until ? jobs_.of(call) : Descent::Found{};
  const bool taken = job.server >= 0 && job.server != found.server;
  // The goroutine was started for one request and took a value of another.
  if (taken && found.sure) return cause;
  if (taken) found = job;
  cause.lost = found.lost;
  if (found.server < 0) return cause;
  const Note& s = process_.servers[static_cast<std::size_t>(found.server)];
  const bool lost = losses_.any(s.began, call.began);
  cause.lost = taken && lost;  // it may have taken something else since
  if (cause.lost) return cause;
  const bool certain = found.sure && s.began > process_.blind_until && call.began < known_.horizon && !lost;
  return {s.id, taken ? CauseMethod::channel : CauseMethod::goroutine, certain, 0, false};
}

Cause Weighing::by_thread(std::uint32_t client, const std::vector<std::uint32_t>& mine) const {
  const Note& s = process_.servers[mine[0]];
  const Note& call = process_.clients[client];
  const std::uint32_t tid = call.writer;
  const bool inside = known(s.answered) && known(call.answered) && call.answered <= s.answered;
  // The thread worked on the request before and after the call, and waited only for the call.
  const bool seen = inside && s.writer == tid && call.reader == tid && call.blocked && s.whole && call.whole;
  constexpr Kinds kActs = Losses::kReads | Losses::kSends | Losses::kWaits;
  if (!seen && losses_.any(s.began, call.began, kActs)) return {{}, CauseMethod::none, false, 1, true};
  const bool certain = seen && !turns_.multiplexes(tid) && s.began > process_.blind_until &&
                       s.answered < known_.horizon && !losses_.any(s.began, s.answered) &&
                       !turns_.missed(tid, s.began, s.answered) && alone(steps_.at(tid), s, call);
  return {s.id, CauseMethod::thread, certain, 0, false};
}

// While it served, the thread was seen doing nothing else, and it waited for one call at a time.
bool Weighing::alone(const Steps& steps, const Note& server, const Note& call) const {
  auto at =
      std::lower_bound(steps.begin(), steps.end(), server.began, [](const Step& s, Time t) { return s.time < t; });
  for (std::size_t n = 0; at != steps.end() && at->time <= server.answered; ++at) {
    if (++n > kMaxSteps) return false;
    if (at->older) return false;
    if (at->server) {
      if (process_.servers[at->number].id != server.id) return false;
      continue;
    }
    const Note& other = process_.clients[at->number];
    if (other.id == call.id) continue;
    if (other.began < server.began) return false;
    if (other.began <= call.answered && or_later(other.answered) >= call.began) return false;
  }
  return true;
}

// A worker that got the request from the thread that read it, and answers when the call is done.
Cause Weighing::by_answer(const Note& call) const {
  Cause cause;
  cause.alternatives = static_cast<std::uint32_t>(live_.now().size());
  if (call.writer == 0 || !known(call.answered) || turns_.multiplexes(call.writer)) return cause;
  const Note* first = nullptr;
  for (const std::uint32_t n : live_.now()) {
    const Note& s = process_.servers[n];
    if (s.writer == call.writer && known(s.answered) && s.answered >= call.answered &&
        (!first || s.answered < first->answered))
      first = &s;
  }
  if (!first) return cause;
  // The first answer that it sent may be lost.
  constexpr Kinds kActs = Losses::kReads | Losses::kSends | Losses::kWaits;
  cause.lost = lost_waits(call.writer, call.began, first->answered) || losses_.any(call.began, first->answered, kActs);
  if (cause.lost) return cause;
  return {first->id, CauseMethod::thread, false, cause.alternatives - 1, false};
}

}  // namespace tailcap::causes

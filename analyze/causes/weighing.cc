#include "analyze/causes/weighing.h"

#include <algorithm>
#include <utility>

namespace tailcap::causes {

using flow::Cause;
using flow::CauseMethod;
using formats::known;

namespace {

constexpr std::size_t kMaxSteps = 4096;  // looked at for one call: beyond, nothing is certain

Time or_later(Time t) { return known(t) ? t : formats::kMaxTime; }

}  // namespace

Weighing::Weighing(std::uint32_t pid, Process& process, const Turns& turns, const Goroutines& goroutines, Time horizon,
                   std::vector<Taken> taken, Time jobs_until)
    : process_(process), turns_(turns), horizon_(horizon), descent_(pid, process, goroutines), jobs_(process, descent_), jobs_until_(jobs_until) {
  const auto earlier = [](const Note& a, const Note& b) { return a.began != b.began ? a.began < b.began : a.id < b.id; };
  auto& servers = process_.servers;
  auto& clients = process_.clients;
  std::sort(servers.begin(), servers.end(), earlier);
  std::sort(clients.begin(), clients.end(), earlier);
  parent_.assign(clients.size(), -1);
  descent_.index();
  jobs_.index(std::move(taken));
  if (process_.go) {
    for (std::uint32_t n = 0; n < servers.size(); ++n)
      if (servers[n].traced()) by_trace_[servers[n].trace].push_back(n);
    return;
  }
  for (const Note& c : clients) steps_[c.writer];
  steps_.erase(0);
  for (std::uint32_t n = 0; n < servers.size(); ++n) {
    const Note& s = servers[n];
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

void Weighing::run(std::vector<flow::Causes::Link>& links) {
  for (std::uint32_t n = 0; n < process_.clients.size(); ++n) {
    const Note& call = process_.clients[n];
    if (call.began >= horizon_ || call.began <= process_.blind_until) continue;
    advance(call.began);
    const Cause cause = decide(n);
    if (cause.parent.connection != 0 || cause.alternatives > 0) links.emplace_back(call.id, cause);
  }
}

// The requests that live at a time which only grows.
void Weighing::advance(Time to) {
  const auto& servers = process_.servers;
  std::erase_if(active_, [&](std::uint32_t n) { return or_later(servers[n].ended) < to; });
  for (; next_ < servers.size() && servers[next_].began <= to; ++next_)
    if (or_later(servers[next_].ended) >= to) active_.push_back(static_cast<std::uint32_t>(next_));
}

bool Weighing::live(const Note& server, Time at) const { return server.began <= at && or_later(server.ended) >= at; }

Cause Weighing::decide(std::uint32_t client) {
  const auto& servers = process_.servers;
  const Note& call = process_.clients[client];
  if (process_.go) {
    const Cause cause = by_goroutine(call);
    return call.traced() ? by_trace(call, cause) : cause;
  }
  // Until the answer began; what is done behind it is rarely told apart from what others do.
  std::vector<std::uint32_t> mine;
  for (const std::uint32_t n : active_)
    if (call.writer != 0 && servers[n].reader == call.writer && or_later(servers[n].answered) >= call.began) mine.push_back(n);
  Cause cause;
  if (mine.size() == 1 && !turns_.multiplexes(call.writer)) cause = by_thread(client, mine);
  else if (!mine.empty()) cause = by_turn(client, mine);
  else cause = by_answer(call);
  if (call.traced()) cause = by_trace(call, cause);
  if (cause.parent.connection != 0)
    for (const std::uint32_t n : active_)
      if (servers[n].id == cause.parent) parent_[client] = n;
  return cause;
}

Cause Weighing::by_trace(const Note& call, const Cause& otherwise) const {
  const auto& servers = process_.servers;
  std::vector<std::uint32_t> same;
  bool doubtful = false;  // a request whose fields are not known might carry it, too
  for (const std::uint32_t n : active_) {
    if (servers[n].trace == call.trace) same.push_back(n);
    else if (!servers[n].traced() && !servers[n].head_known) doubtful = true;
  }
  const auto is_parent = [&](std::uint32_t n) { return call.parent_span != 0 && servers[n].span == call.parent_span; };
  if (same.size() > 1 && std::count_if(same.begin(), same.end(), is_parent) == 1)
    same = {*std::find_if(same.begin(), same.end(), is_parent)};
  if (same.size() == 1) {
    const Note& s = servers[same[0]];
    return {s.id, CauseMethod::trace_id, !doubtful && !turns_.lost(s.began, call.began), doubtful ? 1u : 0u};
  }
  if (same.size() > 1) {
    const bool among = std::any_of(same.begin(), same.end(), [&](std::uint32_t n) { return servers[n].id == otherwise.parent; });
    if (among) return {otherwise.parent, otherwise.method, otherwise.certain, static_cast<std::uint32_t>(same.size() - 1)};
    return {{}, CauseMethod::none, false, static_cast<std::uint32_t>(same.size())};
  }
  // Made when its request had been answered already.
  const auto it = by_trace_.find(call.trace);
  if (it != by_trace_.end()) {
    const std::size_t before = static_cast<std::size_t>(
        std::count_if(it->second.begin(), it->second.end(), [&](std::uint32_t n) { return servers[n].began <= call.began; }));
    if (before == 1) return {servers[it->second[0]].id, CauseMethod::trace_id, false, 0};
  }
  // The request of the thread is of another trace: then the call may be of another request.
  Cause weaker = otherwise;
  for (const std::uint32_t n : active_)
    if (servers[n].id == otherwise.parent && servers[n].traced()) weaker.certain = false;
  return weaker;
}

Cause Weighing::by_goroutine(const Note& call) const {
  Cause cause;
  cause.alternatives = static_cast<std::uint32_t>(active_.size());
  Descent::Found found = descent_.of(call);
  const Descent::Found job = call.made < jobs_until_ ? jobs_.of(call) : Descent::Found{};
  const bool taken = job.server >= 0 && job.server != found.server;
  // Made for the one, at work for the other.
  if (taken && found.sure) return cause;
  if (taken) found = job;
  if (found.server < 0) return cause;
  const Note& s = process_.servers[static_cast<std::size_t>(found.server)];
  const bool lost = turns_.lost(s.began, call.began);
  if (taken && lost) return cause;  // it may have taken something else since
  const bool certain = found.sure && s.began > process_.blind_until && call.began < horizon_ && !lost;
  return {s.id, taken ? CauseMethod::channel : CauseMethod::goroutine, certain, 0};
}

Cause Weighing::by_thread(std::uint32_t client, const std::vector<std::uint32_t>& mine) const {
  const Note& s = process_.servers[mine[0]];
  const Note& call = process_.clients[client];
  const std::uint32_t tid = call.writer;
  const bool inside = known(s.answered) && known(call.answered) && call.answered <= s.answered;
  const bool certain = inside && s.writer == tid && call.reader == tid && call.blocked && s.whole && call.whole &&
                       s.began > process_.blind_until && s.answered < horizon_ && !turns_.lost(s.began, s.answered) &&
                       !turns_.missed(tid, s.began, s.answered) && alone(steps_.at(tid), s, call);
  return {s.id, CauseMethod::thread, certain, 0};
}

// The thread did nothing else that was seen while it served, and waited for one call at a time.
bool Weighing::alone(const Steps& steps, const Note& server, const Note& call) const {
  auto at = std::lower_bound(steps.begin(), steps.end(), server.began, [](const Step& s, Time t) { return s.time < t; });
  for (std::size_t n = 0; at != steps.end() && at->time <= server.answered; ++at) {
    if (++n > kMaxSteps) return false;
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

// A worker that got the request from whoever read it, and answers it when the call is done.
Cause Weighing::by_answer(const Note& call) const {
  Cause cause;
  cause.alternatives = static_cast<std::uint32_t>(active_.size());
  if (call.writer == 0 || !known(call.answered) || turns_.multiplexes(call.writer)) return cause;
  const Note* first = nullptr;
  for (const std::uint32_t n : active_) {
    const Note& s = process_.servers[n];
    if (s.writer == call.writer && known(s.answered) && s.answered >= call.answered && (!first || s.answered < first->answered)) first = &s;
  }
  if (first && !turns_.missed(call.writer, call.began, first->answered)) cause = {first->id, CauseMethod::thread, false, cause.alternatives - 1};
  return cause;
}

Cause Weighing::by_turn(std::uint32_t client, const std::vector<std::uint32_t>& mine) const {
  const Note& call = process_.clients[client];
  const Steps& steps = steps_.at(call.writer);
  // A call that needs a connection of its own was decided upon when that was begun; it is sent in some later turn.
  const auto before_connect = [&](std::uint32_t n) { return process_.servers[n].began <= call.connect_began; };
  const bool connects = known(call.connect_began) && std::any_of(mine.begin(), mine.end(), before_connect);
  const std::int64_t from = read_last(steps, client, connects ? call.connect_began : call.began);
  const std::size_t live = mine.size();
  if (from < 0) return {{}, CauseMethod::none, false, static_cast<std::uint32_t>(live)};
  return {process_.servers[static_cast<std::size_t>(from)].id, CauseMethod::turn, false, static_cast<std::uint32_t>(live - 1)};
}

// Whose bytes the thread had read when it made the call: those since the call before it, or since its last wait.
std::int64_t Weighing::read_last(const Steps& steps, std::uint32_t client, Time at) const {
  constexpr std::int64_t kNothing = -1, kSeveral = -2;
  const Note& call = process_.clients[client];
  auto step = std::upper_bound(steps.begin(), steps.end(), at, [](Time t, const Step& s) { return t < s.time; });
  std::int64_t found = kNothing;
  for (std::size_t n = 0; step != steps.begin(); ++n) {
    --step;
    if (n == kMaxSteps) return kSeveral;
    if (!step->server && step->number == client) continue;
    if (step->what == What::wrote) continue;
    if (step->what == What::sent) {
      if (found != kNothing) break;
      continue;
    }
    if (turns_.waited_for_many(call.writer, step->time, at)) break;
    const std::int64_t of = step->server ? std::int64_t{step->number} : parent_[step->number];
    if (of < 0) return kSeveral;
    const Note& s = process_.servers[static_cast<std::size_t>(of)];
    if (!live(s, call.began) || s.reader != call.writer) continue;
    if (found != kNothing && found != of) return kSeveral;
    found = of;
  }
  return found;
}

}  // namespace tailcap::causes

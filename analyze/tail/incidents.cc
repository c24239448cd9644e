#include "analyze/tail/incidents.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "analyze/model/machine/processes.h"
#include "formats/event.h"

namespace tailcap::tail {

using formats::GoPanicStep;
using formats::known;
using formats::Time;
using model::Incident;
using model::IncidentKind;

namespace {

constexpr std::size_t kMaxStack = 64u << 10;
constexpr std::size_t kMaxListeners = 64;   // of a process
constexpr std::size_t kMaxThreads = 65536;  // of a process
constexpr std::size_t kLookedAt = 4096;     // requests, for those under way
constexpr std::size_t kMaxPlaces = 200;     // of recovered panics

std::string_view innermost(std::string_view stack) { return stack.substr(stack.rfind(';') + 1); }  // npos + 1 is 0

std::string_view port_text(std::string_view endpoint) {
  const auto colon = endpoint.rfind(':');
  return colon == endpoint.npos ? std::string_view() : endpoint.substr(colon + 1);
}

}  // namespace

void Incidents::push(const formats::Event& event) {
  if (known(event.time)) now_ = event.time;
  const std::uint32_t pid = event.thread.pid;
  const bool leader = pid == event.thread.tid;
  const auto name = [&](std::string_view comm) {
    if (leader && !comm.empty() && (comms_.size() < kMaxKept || comms_.contains(pid))) comms_[pid] = comm;
  };
  if (const auto* start = std::get_if<formats::TaskStart>(&event.body)) {
    name(start->comm);
    if (leader) others_.erase(pid), main_ended_.erase(pid);
    keep_thread(event.thread);
    if (leader && started_.size() < kMaxKept) {
      started_[pid] = event.time;
      oom_.erase(pid);
    }
  } else if (const auto* exec = std::get_if<formats::TaskExec>(&event.body)) {
    name(exec->comm);
    others_.erase(pid), main_ended_.erase(pid);
    if (leader && started_.size() < kMaxKept) started_[pid] = event.time;
  } else if (const auto* info = std::get_if<formats::TaskInfo>(&event.body)) {
    name(model::name_of(*info));
    keep_thread(event.thread);
  } else if (const auto* panic = std::get_if<formats::GoPanic>(&event.body)) {
    if (panics_kept_ >= kMaxKept) return;
    ++panics_kept_;
    panics_[pid].push_back({event.time, event.goroutine, panic->step, std::string(panic->stack.substr(0, kMaxStack))});
  } else if (std::holds_alternative<formats::OomKill>(event.body)) {
    if (oom_.size() < kMaxKept) oom_[pid] = event.time;
  } else if (const auto* exit = std::get_if<formats::TaskExit>(&event.body)) {
    end_thread(event.thread, event.time, leader, exit->code);
  } else if (const auto* change = std::get_if<formats::StateChange>(&event.body)) {
    if (change->to != formats::TcpState::listen || pid == 0 ||
        (listeners_.size() >= kMaxKept && !listeners_.contains(pid)))
      return;
    auto& own = listeners_[pid];
    if (own.size() >= kMaxListeners) return;
    own.push_back({event.time, change->socket, 0});
    last_listener_ = pid;
  } else if (const auto* socket = std::get_if<formats::SocketInfo>(&event.body)) {
    if (socket->state != formats::TcpState::listen) return;
    // The recorder emits this right after the socket's change of state.
    if (const auto own = listeners_.find(last_listener_); own != listeners_.end())
      for (Listener& l : own->second)
        if (l.socket == socket->socket) l.port = socket->local.port;
  }
}

void Incidents::keep_thread(formats::Thread thread) {
  if (thread.pid == thread.tid || thread.tid == 0 || (others_.size() >= kMaxKept && !others_.contains(thread.pid)))
    return;
  auto& of_process = others_[thread.pid];
  if (of_process.size() < kMaxThreads) of_process.insert(thread.tid);
}

// A process ends with its last thread, which need not be the main one.
void Incidents::end_thread(formats::Thread thread, Time at, bool leader, std::int32_t code) {
  const auto others = others_.find(thread.pid);
  if (others != others_.end()) {
    others->second.erase(thread.tid);
    if (!others->second.empty()) {
      if (leader && main_ended_.size() < kMaxKept) main_ended_.insert_or_assign(thread.pid, code);
      return;
    }
    others_.erase(others);
  }
  const auto main = main_ended_.find(thread.pid);
  if ((!leader && main == main_ended_.end()) || ends_.size() >= kMaxKept) return;
  const auto comm = comms_.find(thread.pid);
  ends_.push_back({at, thread.pid, leader ? code : main->second, comm == comms_.end() ? std::string() : comm->second});
  if (main != main_ended_.end()) main_ended_.erase(main);
}

void Incidents::push(const model::Exchange& e, Time closed) {
  if (e.role != model::Role::server || e.complete || e.reader.pid == 0 || unanswered_kept_ >= kMaxUnanswered) return;
  if (!known(e.request.first_done)) return;
  unanswered_[e.reader.pid].push_back(
      {e.id, e.request.first_done, std::max(known(closed) ? closed : now_, e.request.first_done)});
  ++unanswered_kept_;
}

// Finds the panic that ended the process, if one did: the last that was not recovered.
void Incidents::explain(Incident& incident, const std::vector<Panic>& panics) const {
  const Panic* last = nullptr;
  for (const Panic& p : panics) {
    if (p.at > incident.time || p.step == GoPanicStep::began || p.step == GoPanicStep::unknown) continue;
    // The runtime may throw in order to end the process because of a panic.
    if (!last || last->step != GoPanicStep::fatal) last = &p;
  }
  if (!last) return;
  incident.panic = true;
  incident.thrown = last->step == GoPanicStep::thrown;
  incident.goroutine = last->goroutine;
  incident.stack = last->stack;
  if (incident.thrown) return;
  // The stack where the panic began, not where the runtime gave up.
  for (const Panic& p : panics)
    if (p.step == GoPanicStep::began && p.goroutine == last->goroutine && p.at <= last->at && !p.stack.empty())
      incident.stack = p.stack;
}

void Incidents::fill_under_way(Incident& incident, const std::vector<Unanswered>& by_begin,
                               const std::vector<Time>& ends) {
  const auto begun = std::partition_point(by_begin.begin(), by_begin.end(),
                                          [&](const Unanswered& u) { return u.from <= incident.time; });
  const auto over = std::partition_point(ends.begin(), ends.end(), [&](Time t) { return t < incident.time; });
  incident.under_way = static_cast<std::uint64_t>((begun - by_begin.begin()) - (over - ends.begin()));
  std::size_t looked = 0;
  for (auto u = begun; u != by_begin.begin() && looked < kLookedAt && incident.requests.size() < Incident::kListed;
       ++looked)
    if ((--u)->until >= incident.time) incident.requests.push_back(u->id);
  std::reverse(incident.requests.begin(), incident.requests.end());
}

void Incidents::fill_next(Incident& incident) const {
  if (incident.next_pid == 0) return;
  if (const auto started = started_.find(incident.next_pid);
      started != started_.end() && started->second > incident.time)
    incident.started = started->second;
  const auto listeners = listeners_.find(incident.next_pid);
  if (listeners == listeners_.end()) return;
  for (const Listener& l : listeners->second)
    if (l.at > incident.time && !known(incident.listened) && std::to_string(l.port) == port_text(incident.address))
      incident.listened = l.at;
}

std::vector<Incident> Incidents::list(const model::RequestTable& table,
                                      const std::function<model::TextId(model::ConnectionId)>& local) const {
  using Answer = std::pair<Time, std::uint32_t>;               // its time and the process that sent it
  std::map<std::uint32_t, std::set<model::TextId>> addresses;  // of those that are dead
  std::map<model::TextId, std::vector<Answer>> answers;        // at these addresses
  std::set<std::uint32_t> dead;
  for (const End& end : ends_) dead.insert(end.pid);
  const auto each_served = [&](const auto& visit) {
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      if (table.rows.role(i) != model::Role::server) continue;
      const model::TextId at = local(table.rows.id(i).connection);
      if (at != 0) visit(i, at);
    }
  };
  if (!dead.empty())
    each_served([&](std::size_t i, model::TextId at) {
      const std::uint32_t pid = table.rows.names(i).pid;
      if (pid != 0 && dead.contains(pid)) {
        addresses[pid].insert(at);
        answers.try_emplace(at);
      }
    });
  if (!answers.empty())
    each_served([&](std::size_t i, model::TextId at) {
      const auto of_address = answers.find(at);
      if (of_address == answers.end()) return;
      const model::Request row = table.rows[i];
      if (row.pid != 0 && row.first_byte.count() >= 0 && known(row.start))
        of_address->second.emplace_back(row.start + row.first_byte, row.pid);
    });
  for (auto& [at, all] : answers) std::sort(all.begin(), all.end());
  std::map<std::uint32_t, std::vector<Unanswered>> by_begin = unanswered_;
  std::map<std::uint32_t, std::vector<Time>> until;
  for (auto& [pid, all] : by_begin) {
    std::sort(all.begin(), all.end(),
              [](const Unanswered& a, const Unanswered& b) { return std::tie(a.from, a.id) < std::tie(b.from, b.id); });
    auto& ends = until[pid];
    for (const Unanswered& u : all) ends.push_back(u.until);
    std::sort(ends.begin(), ends.end());
  }
  std::vector<Incident> out;
  for (const End& end : ends_) {
    Incident incident;
    incident.time = end.at;
    incident.pid = end.pid;
    incident.comm = end.comm;
    incident.signal = end.code & 0x7f;
    incident.core_dumped = (end.code & 0x80) != 0;
    incident.exit_code = incident.signal != 0 ? -1 : (end.code >> 8) & 0xff;
    incident.out_of_memory = oom_.contains(end.pid);
    if (const auto panics = panics_.find(end.pid); panics != panics_.end()) explain(incident, panics->second);
    if (const auto unanswered = by_begin.find(end.pid); unanswered != by_begin.end())
      fill_under_way(incident, unanswered->second, until[end.pid]);
    const auto served = addresses.find(end.pid);
    // A client's exit is reported only if it had a cause that is known, or requests under way.
    if (served == addresses.end() && incident.under_way == 0 && !incident.panic && !incident.out_of_memory) continue;
    for (const model::TextId at : served == addresses.end() ? std::set<model::TextId>{} : served->second) {
      const auto& all = answers[at];
      // The process's own answers may be stamped a moment later.
      auto next = std::upper_bound(all.begin(), all.end(), Answer{end.at, UINT32_MAX});
      for (std::size_t looked = 0; next != all.end() && next->second == end.pid && looked < kLookedAt; ++looked) ++next;
      if (next == all.end() || next->second == end.pid ||
          (known(incident.answered) && next->first >= incident.answered))
        continue;
      incident.answered = next->first;
      incident.next_pid = next->second;
      incident.address = table.texts[at];
    }
    fill_next(incident);
    out.push_back(std::move(incident));
  }
  for (const auto& [pid, panics] : panics_) {
    std::map<std::string, Incident> places;
    std::map<std::uint64_t, Time> fatal;  // by goroutine, the last
    for (const Panic& p : panics)
      if (p.step == GoPanicStep::fatal) fatal[p.goroutine] = p.at;
    for (const Panic& p : panics) {
      if (p.step != GoPanicStep::began) continue;
      if (const auto f = fatal.find(p.goroutine); f != fatal.end() && f->second >= p.at) continue;
      const std::string place(innermost(p.stack));
      if (places.size() >= kMaxPlaces && !places.contains(place)) continue;
      Incident& incident = places[place];
      if (incident.panics++ > 0) continue;
      incident.kind = IncidentKind::panicked;
      incident.panic = true;
      incident.time = p.at;
      incident.pid = pid;
      incident.goroutine = p.goroutine;
      incident.stack = p.stack;
      if (const auto comm = comms_.find(pid); comm != comms_.end()) incident.comm = comm->second;
    }
    for (auto& [place, incident] : places) out.push_back(std::move(incident));
  }
  std::stable_sort(out.begin(), out.end(), [](const Incident& a, const Incident& b) { return a.time < b.time; });
  return out;
}

}  // namespace tailcap::tail

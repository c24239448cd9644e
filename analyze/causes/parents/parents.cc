#include "analyze/causes/parents/parents.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "analyze/causes/carriers.h"
#include "analyze/causes/goroutines.h"
#include "analyze/causes/parents/deliveries.h"
#include "analyze/causes/parents/hand_overs.h"
#include "analyze/causes/parents/turns.h"
#include "analyze/causes/parents/wakings.h"
#include "analyze/causes/parents/weighing.h"
#include "ground/fnv.h"

namespace tailcap::causes {

using formats::known;
using formats::Time;
using model::TraceFormat;

namespace {

constexpr std::size_t kForgetEvery = Parents::kMaxNoted / 64;

// The same for the same text; 0: none.
std::uint64_t seeded_number(std::string_view text, std::uint64_t seed) {
  return text.empty() ? 0 : ground::fnv(text, seed ^ ground::kFnvBasis) | 1;
}

Note note_of(const model::Exchange& e, const model::Request& row, const model::TextPool& texts) {
  Note n;
  n.id = e.id;
  n.stream = e.stream;
  n.reader = e.reader.tid;
  n.writer = e.writer.tid;
  n.reader_goroutine = e.reader.goroutine;
  n.writer_goroutine = e.writer.goroutine;
  n.began = e.request.first_done;
  n.made = n.began;
  n.request_done = e.request.last_done;
  n.answered = e.response.first_done;
  n.ended = e.response.last_done;
  // In HTTP/1 one response follows the other: until then no thread works on this one. Calls are sent all the same.
  if (e.role == model::Role::server && e.stream == 0 && known(e.predecessor_done))
    n.began = std::max(n.began, e.predecessor_done);
  n.whole = e.taints == 0;
  n.head_known = e.request_headers_complete;
  n.method = row.method;
  n.authority = row.authority;
  n.target = row.path;
  n.request_id = row.request_id;
  n.agent = seeded_number(e.request_headers.find("user-agent").value_or(""), 1);
  n.bytes = row.request_bytes;
  n.pool = (static_cast<std::uint64_t>(e.protocol) + 1) << 32 | row.authority;
  if (row.traceparent == 0) return n;
  const std::string_view text = texts[row.traceparent];
  const std::string_view trace = model::trace_id_in(text);
  n.trace = {seeded_number(trace, 0), seeded_number(trace, 0x9e3779b97f4a7c15u)};
  n.span = seeded_number(model::span_id_in(text), 0);
  if (row.trace_format == TraceFormat::b3 || row.trace_format == TraceFormat::x_b3 ||
      row.trace_format == TraceFormat::uber_trace_id)
    n.parent_span = seeded_number(model::trace_context(e.request_headers).parent_span, 0);
  return n;
}

// A worker asks soon after it was woken for that.
void note_giver(Note& n, const Wakings& wakings) {
  constexpr formats::Duration kWokenFor = std::chrono::milliseconds{200};
  std::size_t at = 0;
  for (const Waking& w : wakings.last(n.writer, n.began)) {
    if (w.by == n.writer || n.began - w.at > kWokenFor || (n.giver != 0 && w.by != n.giver)) break;
    n.giver = w.by;
    n.given[at++] = w.at;
  }
}

}  // namespace

struct Parents::Impl {
  explicit Impl(Goroutines& g) : goroutines(g) {}

  LoopIterations turns{kMaxTurns};
  Goroutines& goroutines;
  HandOvers hand_overs;
  Wakings wakings;
  Deliveries deliveries;
  std::unordered_map<std::uint32_t, Process> processes;
  std::size_t noted = 0;
  std::uint64_t pushed = 0;
  Time horizon = formats::kMaxTime;  // exchanges that began from here on may not have been noted

  // Most processes only serve, or only call. Forgets what those did; of calls until then nothing will be said.
  void forget_one_sided() {
    for (auto& [pid, process] : processes) {
      if (!process.clients.empty() && !process.servers.empty()) continue;
      for (const auto* side : {&process.servers, &process.clients})
        for (const Note& n : *side) process.blind_until = std::max({process.blind_until, n.began, n.answered, n.ended});
      noted -= process.servers.size() + process.clients.size();
      process.servers.clear();  // their memory is used again
      process.clients.clear();
    }
  }
};

Parents::Parents(Goroutines& goroutines) : impl_(std::make_unique<Impl>(goroutines)) {}
Parents::~Parents() = default;

void Parents::push(const formats::Event& event) {
  impl_->turns.push(event);
  impl_->hand_overs.push(event);
  impl_->wakings.push(event);
  impl_->deliveries.push(event);
}

void Parents::push(const model::Exchange& e, const model::Request& row, const model::TextPool& texts,
                   formats::SocketId socket) {
  Impl& i = *impl_;
  const bool server = e.role == model::Role::server;
  const std::uint32_t pid = server ? e.reader.pid : e.writer.pid;
  if (server && !known(e.request.first_done) && e.writer.pid != 0) {
    Process& process = i.processes[e.writer.pid];
    process.unseen_until = std::max({process.unseen_until, e.response.first_done, e.response.last_done});
  }
  if (pid == 0 || !known(e.request.first_done) || e.pushed) return;
  i.deliveries.push(e, pid);
  if (Deliveries::is_delivery(e)) return;
  if (++i.pushed % kForgetEvery == 0) i.forget_one_sided();
  if (i.noted == kMaxNoted) {
    i.horizon = std::min(i.horizon, e.request.first_done);
    return;
  }
  Note note = note_of(e, row, texts);
  note.socket = socket;
  Process& process = i.processes[pid];
  ++i.noted;
  process.go = process.go || note.reader_goroutine != 0 || note.writer_goroutine != 0;
  if (server) {
    find_carrier(note, pid, i.goroutines);
    process.servers.push_back(note);
    return;
  }
  if (is_setup(e.protocol))
    find_dialler(note, pid, i.goroutines);
  else
    find_caller(note, pid, i.goroutines);
  if (e.protocol == model::Protocol::dns) {
    note.given_up = e.broken_at;
    note_giver(note, i.wakings);
  }
  if (known(note.answered)) note.blocked = i.turns.blocked_reading(note.reader, note.began, note.answered);
  process.clients.push_back(note);
}

void Parents::settle(model::RequestTable& table) {
  std::vector<model::Causes::Link> links;
  for (auto& [pid, process] : impl_->processes) {
    if (process.clients.empty() || process.servers.empty()) continue;
    for (Note& c : process.clients)
      if (const model::Setup* setup = table.setups.find(c.id)) c.connect_began = setup->connect_began;
    for (Note& s : process.servers) s.dedicated = impl_->turns.blocked_reading(s.reader, s.socket);
    if (process.go) find_carriers(pid, process, impl_->goroutines);
    const WeighingContext known{impl_->turns, impl_->goroutines, table.texts, impl_->horizon,
                                impl_->hand_overs.horizon()};
    Weighing(pid, process, known, impl_->hand_overs.take(pid)).run(links);
    process = {};
  }
  impl_->processes.clear();
  impl_->deliveries.settle(links);
  impl_->turns = LoopIterations(kMaxTurns);
  impl_->wakings = {};
  std::sort(links.begin(), links.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  table.causes.assign(std::move(links));
}

}  // namespace tailcap::causes

#include "analyze/pipeline/requests.h"

#include <algorithm>
#include <map>
#include <utility>

#include "analyze/tail/calls.h"
#include "analyze/timeline/timeline.h"
#include "ground/http/request_ids.h"

namespace tailcap::pipeline {
namespace {

// W3C: vendors should propagate at least 512 characters, and may drop a longer one.
constexpr std::size_t kMaxTraceState = 4096;

}  // namespace

Requests::Requests(const formats::Preamble& preamble, const Options& options)
    : options_(options),
      templates_(options.routes.begin(), options.routes.end()),
      groups_(options.by),
      sampled_(model::sampling_of(preamble.notes).some()) {
  if (sampled_) goroutines_.of_some_only();
  table_.salt = ground::salt_of(preamble.capture_id);
  table_.machine_salt = ground::machine_salt_of(preamble.boot_id);
}

void Requests::push(const formats::Event& event) {
  tasks_.push(event);
  goroutines_.push(event, table_.texts);
  parents_.push(event);
}

void Requests::push(const model::Message& message) {
  if (message.kind == model::MessageKind::closed) uses_.push(message);
  if (message.tls) setups_.push(message.connection, message.tls);
}

void Requests::add(const model::Exchange& exchange, const model::Connection* connection,
                   const model::Connection* carrier, Connections& connections) {
  if (connection) ends_.expect(exchange, *connection);
  model::Request row = tail::row_of(exchange, tasks_, table_.texts, findings_);
  timeline::measure(exchange, row, findings_);
  tail::note_reset(exchange, row);
  calls_ = calls_ || model::is_call(row);
  from_peer_.push(exchange);
  const model::Connection* moves = carrier ? carrier : connection;
  parents_.push(exchange, row, table_.texts, moves ? moves->socket : 0);
  handlers_.push(exchange);
  if (options_.partition)
    if (auto note = partition::note_of(exchange)) notes_.push_back(std::move(*note));
  attempts_.push(exchange, connection && connection->origin == formats::Origin::existed);
  if (connection) {
    row.tls = connection->tls;
    settle_binding(*connection);
    connections.carries(*connection, is_setup(exchange.protocol), table_.texts);
    uses_.push(exchange, row, *connection);
    // The first request of a window is not the one that the connection was set up for.
    if (!options_.past || !options_.past->partly.contains(connection->id))
      setups_.push(exchange, *connection, carrier ? *carrier : *connection, table_.texts);
    if (const auto peer = ends_.push(exchange, *connection)) row.peer = *peer;
  }
  groups_.push(exchange, table_.texts);
  if (options_.study) field_sets_.push(exchange, table_.texts);
  if (options_.keep_trace_states)
    if (const auto state = exchange.request_headers.find("tracestate"); state && state->size() <= kMaxTraceState)
      trace_states_.emplace_back(exchange.id, table_.texts.intern(*state));
  if (options_.keep_headers)
    headers_.push_back({exchange.request_headers, exchange.response_headers, exchange.request_trailers,
                        exchange.response_trailers, exchange.request_headers_complete,
                        exchange.response_headers_complete});
  table_.rows.push_back(row);
}

void Requests::add_under_way(const model::Exchange& exchange, model::RequestTable& table) const {
  model::Findings ignored;  // they are counted when it is over
  model::Request row = tail::row_of(exchange, tasks_, table.texts, ignored);
  timeline::measure(exchange, row, ignored);
  row.has_duration = row.complete = false;
  row.outcome = model::Outcome::in_flight;
  table.rows.push_back(row);
}

void Requests::ended(const model::Connection& session, const model::Connection* carrier) {
  ends_.bound(session);
  settle_binding(session);
  if (carrier) setups_.ended(session, *carrier, table_.texts);
}

// Where connections are sampled, a session without a known connection belongs to one that is left out: perhaps, which
// would be one request too many.
void Requests::settle_binding(const model::Connection& session) {
  if (!sampled_ || !session.tls) return;
  if (session.how == model::BindingHow::none)
    unbound_.insert(session.id);
  else
    unbound_.erase(session.id);
}

std::vector<std::uint32_t> Requests::without_left_out(const std::vector<std::uint32_t>& from) {
  if (unbound_.empty()) return from;
  std::vector<std::uint32_t> kept, out;
  for (std::uint32_t i = 0; i < table_.rows.size(); ++i) {
    if (unbound_.contains(table_.rows.id(i).connection)) continue;
    kept.push_back(i);
    out.push_back(from[i]);
  }
  table_.rows.keep(kept);
  return out;
}

void Requests::settle(const tail::QualityFacts& facts) {
  facts.taint(table_);
  tasks_.settle(table_);
  ends_.settle(table_.rows);
  from_peer_.settle(table_);
  if (calls_) tail::note_contexts(table_, findings_);
  tail::assign_routes(table_, templates_, options_.max_routes, findings_);
  const std::vector<std::uint32_t> from = without_left_out(tail::sort_rows(table_));
  if (options_.study) table_.headers = field_sets_.take(from);
  attempts_.settle(table_);
  setups_.settle(table_);
  uses_.settle(table_);
  parents_.settle(table_);
  handlers_.settle(table_);
  groups_.settle(table_);
  std::sort(trace_states_.begin(), trace_states_.end());
  if (!options_.keep_headers) return;
  std::vector<RequestHeaders> sorted;
  sorted.reserve(from.size());
  for (const std::uint32_t i : from) sorted.push_back(std::move(headers_[i]));
  headers_ = std::move(sorted);
}

void Requests::own(const model::RequestTable& table, std::vector<model::Trouble>& troubles,
                   const std::vector<model::Served>& served) const {
  constexpr int kDeepest = 4;  // a dialler of net/http has one or two goroutines of its own
  struct Claim {
    std::size_t trouble;
    formats::Time at;
    int depth;
  };
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<Claim>> claims;
  for (std::size_t i = 0; i < troubles.size(); ++i) {
    causes::Goroutine g{troubles[i].thread.pid, troubles[i].goroutine};
    formats::Time at = troubles[i].at;
    for (int depth = 0; depth < kDeepest && g.number != 0; ++depth) {
      claims[{g.pid, g.number}].push_back({i, at, depth});
      const auto* origin = goroutines_.origin(g);
      if (!origin) break;
      g.number = origin->creator;
      at = origin->at;
    }
  }
  for (model::Trouble& t : troubles)
    if (const model::Cause* cause = t.row.connection != 0 ? table.causes.find(t.row) : nullptr)
      t.request = cause->parent;
  if (claims.empty()) return;
  std::vector<int> nearest(troubles.size(), kDeepest);
  for (const model::Served& s : served) {
    const auto of = claims.find({s.pid, s.goroutine});
    if (s.goroutine == 0 || of == claims.end()) continue;
    for (const Claim& c : of->second)
      if (c.depth < nearest[c.trouble] && troubles[c.trouble].row.connection == 0 && s.begin <= c.at && c.at <= s.end) {
        nearest[c.trouble] = c.depth;
        troubles[c.trouble].request = s.id;
      }
  }
}

model::Findings Requests::findings() const {
  model::Findings all = findings_;
  all.add(ends_.findings());
  return all;
}

void Requests::give(Analysis& out) {
  out.table = std::move(table_);
  out.headers = std::move(headers_);
  out.trace_states = std::move(trace_states_);
  out.grouped = groups_.size();
}

}  // namespace tailcap::pipeline

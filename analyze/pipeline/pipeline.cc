#include "analyze/pipeline/pipeline.h"

#include <algorithm>
#include <stdexcept>

#include "analyze/causes/attempts.h"
#include "analyze/causes/goroutines.h"
#include "analyze/causes/handlers.h"
#include "analyze/causes/parents/from_peer.h"
#include "analyze/causes/parents/parents.h"
#include "analyze/causes/setup.h"
#include "analyze/exchanges/exchanges.h"
#include "analyze/model/trace/trace_identity.h"
#include "analyze/names/lookups.h"
#include "analyze/partition/partitioner.h"
#include "analyze/pipeline/end_matcher.h"
#include "analyze/pipeline/exemplars.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/second_reading.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/protocols/protocols.h"
#include "analyze/streams/streams.h"
#include "analyze/tail/calls.h"
#include "analyze/tail/changes/marks.h"
#include "analyze/tail/go/go_programs.h"
#include "analyze/tail/incidents.h"
#include "analyze/tail/name_lookups.h"
#include "analyze/tail/quality.h"
#include "analyze/tail/rows/groups.h"
#include "analyze/tail/rows/routes.h"
#include "analyze/tail/rows/rows.h"
#include "analyze/tail/study.h"
#include "analyze/tail/tls_connections.h"
#include "analyze/timeline/timeline.h"
#include "formats/file/read_limits.h"

namespace tailcap::pipeline {
namespace {

// W3C: vendors should propagate at least 512 characters, and may drop a longer one.
constexpr std::size_t kMaxTraceState = 4096;

// The stages with what is collected on the way.
class Run {
 public:
  // Without an allowance there may be as many requests as there are.
  Run(const formats::Preamble& preamble, const Options& options, formats::RequestAllowance* allowance = nullptr)
      : allowance_(allowance),
        options_(options),
        templates_(options.routes.begin(), options.routes.end()),
        facts_(preamble) {
    out_.study.quality.preamble = preamble;
    out_.table.salt = model::salt_of(preamble.capture_id);
  }

  void push(const formats::Event& event) {
    if (full_ && !std::holds_alternative<formats::CaptureEnd>(event.body)) return;
    facts_.push(event);
    tasks_.push(event);
    failures_.push(event);
    goroutines_.push(event, out_.table.texts);
    parents_.push(event);
    go_.push(event);
    incidents_.push(event);
    marks_.push(event);
    for (const model::Lookup& lookup : names_.push(event)) {
      setups_.push(lookup);
      lookups_.add(lookup);
    }
    setups_.push(event);
    if (names_.took()) return;
    for (const model::ByteRun& run : streams_.push(event)) {
      for (const model::Message& message : parsers_.push(run)) {
        note_tls(message);
        if (!admit(message)) break;
        for (const model::Exchange& exchange : exchanges_.push(message)) add(exchange);
      }
      if (run.end != model::End::none) ended(run);
    }
  }

  // After the last event: all requests are known. Then what partition() gives is told all events once more.
  void end() { settle(); }
  const model::RequestTable& table() const { return out_.table; }

  partition::Partitioner partition() {
    partition::Partitioner partitioner(out_.table, std::move(notes_), carriers_);
    if (options_.follow.connection != 0) partitioner.follow(options_.follow);
    if (options_.exemplars > 0) {
      model::Study known;
      known.begin = facts_.first();
      facts_.fill(known.quality);
      partitioner.follow_likely(likely_exemplars(out_.table, Wanted(options_, known)));
    }
    return partitioner;
  }

  void partitioned(partition::Partitioner& partitioner) {
    out_.table.partitions = partitioner.take();
    out_.table.crowd = partitioner.take_crowd();
    courses_ = partitioner.take_courses();
    out_.files = partitioner.take_files();
    out_.wrong = partitioner.wrong();
    findings_.add(partitioner.findings());
  }

  Analysis finish(const formats::FileSummary& file) {
    out_.study.quality.file = file;
    fill_quality();
    if (options_.keep_splits) out_.splits = model::Splits(out_.table, model::ClockErrors(out_.study.quality.preamble));
    select();
    if (options_.study) tail::study_requests(out_.table, out_.study);
    out_.courses = options_.exemplars > 0 ? courses_.of(shown_exemplars(out_.table, out_.study, options_.exemplars))
                                          : courses_.all();
    return std::move(out_);
  }

 private:
  // Requests count from their beginning on: one that waits for its response takes more memory than its row.
  bool admit(const model::Message& message) {
    if (message.kind == model::MessageKind::request)
      ++requests_;
    else if (message.kind != model::MessageKind::response)
      return true;
    if (!allowance_ || allowance_->admits(std::max<std::uint64_t>(requests_, out_.table.rows.size()))) return true;
    full_ = true;
    return false;
  }

  void add(const model::Exchange& exchange) {
    model::Request row = tail::row_of(exchange, tasks_, out_.table.texts, findings_);
    timeline::measure(exchange, row, findings_);
    tail::note_reset(exchange, row);
    calls_ = calls_ || model::is_call(row);
    from_peer_.push(exchange);
    parents_.push(exchange, row, out_.table.texts);
    handlers_.push(exchange);
    if (options_.partition)
      if (auto note = partition::note_of(exchange)) notes_.push_back(std::move(*note));
    const model::Connection* const connection = streams_.connection(exchange.id.connection);
    attempts_.push(exchange, connection && connection->origin == formats::Origin::existed);
    incidents_.push(exchange, connection ? connection->closed : formats::kNoTime);
    if (connection) {
      row.tls = connection->tls;
      note_endpoints(*connection);
      note_carrier(*connection);
      const model::Connection* const carrier = streams_.connection(connection->carrier);
      setups_.push(exchange, *connection, carrier ? *carrier : *connection, out_.table.texts);
      if (const auto peer = ends_.push(exchange, *connection)) row.peer = *peer;
    }
    groups_.push(exchange, out_.table.texts);
    if (options_.keep_trace_states)
      if (const auto state = exchange.request_headers.find("tracestate"); state && state->size() <= kMaxTraceState)
        out_.trace_states.emplace_back(exchange.id, out_.table.texts.intern(*state));
    if (options_.keep_headers)
      out_.headers.push_back({exchange.request_headers, exchange.response_headers, exchange.request_trailers,
                              exchange.response_trailers, exchange.request_headers_complete,
                              exchange.response_headers_complete});
    out_.table.rows.push_back(row);
  }

  void ended(const model::ByteRun& run) {
    const model::Connection* c = streams_.connection(run.connection);
    if (!c) return;
    if (c->tls) {
      ends_.bound(*c);
      if (const model::Connection* carrier = streams_.connection(c->carrier))
        setups_.ended(*c, *carrier, out_.table.texts);
      if (c->carrier != 0 && c->bytes_in + c->bytes_out > 0) tls_.has_plaintext(c->carrier);
      if (c->id < out_.endpoints.size() && out_.endpoints[c->id].local != 0) {
        set_endpoints(*c);
        note_carrier(*c);
      }
    } else if (run.end == model::End::reset || run.end == model::End::error) {
      note_failure(*c);
    }
  }

  // Which socket carries a TLS session may be known later than its first requests.
  void note_carrier(const model::Connection& connection) {
    if (connection.id >= carriers_.size()) carriers_.resize(connection.id + 1);
    carriers_[connection.id] = {connection.socket, connection.tls ? connection.session : 0};
  }

  void set_endpoints(const model::Connection& connection) {
    Endpoints& ends = out_.endpoints[connection.id];
    ends.local = out_.table.texts.intern(model::endpoint(connection, false));
    ends.remote = out_.table.texts.intern(model::endpoint(connection, true));
    ends.socket = connection.socket;
    ends.net_namespace = connection.net_namespace;
  }

  void note_endpoints(const model::Connection& connection) {
    if (connection.id >= out_.endpoints.size()) out_.endpoints.resize(connection.id + 1);
    if (out_.endpoints[connection.id].local != 0) return;
    ++http_connections_;
    set_endpoints(connection);
  }

  void note_tls(const model::Message& message) {
    if (message.kind != model::MessageKind::handshake && message.kind != model::MessageKind::closed) return;
    const model::Connection* connection = streams_.connection(message.connection);
    tls_.push(message, connection);
    if (message.tls) setups_.push(message.connection, message.tls);
    if (message.tls && message.tls->outcome == model::TlsOutcome::failed && connection) {
      const bool client = message.tls->client == model::Direction::out;
      failures_.add(model::endpoint(*connection, client), "TLS handshake: " + model::failure_text(*message.tls));
    }
  }

  // A connection that broke before it carried anything.
  void note_failure(const model::Connection& c) {
    if (c.bytes_in + c.bytes_out > 0 || c.origin == formats::Origin::existed) return;
    if (c.id < failed_.size() && failed_[c.id]) return;
    if (c.id >= failed_.size()) failed_.resize(c.id + 1);
    failed_[c.id] = true;
    failures_.add(model::endpoint(c, true), c.error != 0 ? tail::cause_of(c.error) : "reset before any request");
  }

  // What can be said only when everything is known: losses, the other ends, routes.
  void settle() {
    facts_.taint(out_.table);
    ends_.settle(out_.table.rows);
    from_peer_.settle(out_.table);
    if (calls_) tail::note_contexts(out_.table, findings_);
    tail::assign_routes(out_.table, templates_, options_.max_routes, findings_);
    const std::vector<std::uint32_t> from = tail::sort_rows(out_.table);
    attempts_.settle(out_.table);
    setups_.settle(out_.table);
    parents_.settle(out_.table);
    handlers_.settle(out_.table);
    groups_.settle(out_.table);
    out_.grouped = groups_.size();
    std::sort(out_.trace_states.begin(), out_.trace_states.end());
    if (options_.keep_headers) {
      std::vector<RequestHeaders> sorted;
      sorted.reserve(from.size());
      for (const std::uint32_t i : from) sorted.push_back(std::move(out_.headers[i]));
      out_.headers = std::move(sorted);
    }
  }

  void fill_quality() {
    model::Quality& quality = out_.study.quality;
    facts_.fill(quality);
    for (const model::Findings* f :
         {&streams_.findings(), &parsers_.findings(), &exchanges_.findings(), &ends_.findings()})
      findings_.add(*f);
    quality.findings = findings_;
    quality.tls = streams_.tls();
    quality.connections = streams_.connections() - quality.tls.seen;
    quality.connections_http = http_connections_;
    quality.connections_encrypted = tls_.encrypted();
    out_.study.tls = tls_.list();
    out_.study.names = lookups_.list();
    out_.study.go = go_.list(out_.table, handlers_.take_served(), quality.preamble.cpus, facts_.last());
    const auto local = [&](model::ConnectionId c) { return c < out_.endpoints.size() ? out_.endpoints[c].local : 0; };
    out_.study.incidents = incidents_.list(out_.table, local);
    marks_.fill(out_.table, local, out_.study.changes);
    quality.connections_other = findings_[model::Finding::not_http];
    quality.failed_connections = failures_.total();
    quality.processes = tasks_.summaries(out_.table);
    tail::count_requests(out_.table, quality);
    out_.study.failures = failures_.list();
    out_.study.begin = facts_.first();
    out_.study.end = facts_.last();
    out_.damaged = quality.lost > 0 || !quality.losses.empty() || quality.file.damaged_blocks > 0 ||
                   quality.file.state != formats::CaptureState::complete || !formats::stopped_captures().empty();
  }

  void select() {
    const Wanted wanted(options_, out_.study);
    const auto &from = wanted.from(), &to = wanted.to();
    if (!wanted.all()) {
      std::vector<std::uint32_t> kept;
      for (std::uint32_t i = 0; i < out_.table.rows.size(); ++i)
        if (wanted(out_.table, i)) kept.push_back(i);
      out_.table.rows.keep(kept);
      if (options_.keep_headers) {
        for (std::size_t n = 0; n < kept.size(); ++n)
          if (kept[n] != n) out_.headers[n] = std::move(out_.headers[kept[n]]);
        out_.headers.resize(kept.size());
      }
    }
    if (from) out_.study.begin = std::clamp(*from, out_.study.begin, out_.study.end);
    if (to) out_.study.end = std::clamp(*to, out_.study.begin, out_.study.end);
  }

  formats::RequestAllowance* const allowance_;
  std::uint64_t requests_ = 0;
  bool full_ = false;  // there may be no more requests: what follows is not looked at
  const Options& options_;
  const std::vector<tail::RouteTemplate> templates_;
  tail::Groups groups_{options_.by};
  names::Lookups names_;
  streams::Streams streams_;
  protocols::Parsers parsers_;
  exchanges::Exchanges exchanges_;
  EndMatcher ends_;
  causes::SetupFinder setups_;
  causes::FieldsFromPeer from_peer_;
  causes::Attempts attempts_;
  causes::Goroutines goroutines_;
  causes::Parents parents_{goroutines_};
  causes::HandlerFinder handlers_{goroutines_};
  tail::QualityFacts facts_;
  tail::Tasks tasks_;
  tail::ConnectFailures failures_;
  tail::TlsConnections tls_;
  tail::NameLookups lookups_;
  tail::GoPrograms go_{options_.go};
  tail::Incidents incidents_;
  tail::changes::Marks marks_;
  model::Findings findings_;
  std::vector<partition::ByteCarrier> carriers_;  // by ConnectionId, of those with requests
  std::vector<partition::ExchangeNote> notes_;
  std::vector<bool> failed_;  // by ConnectionId
  std::uint64_t http_connections_ = 0;
  bool calls_ = false;  // there are rows of gRPC
  partition::CourseBook courses_;
  Analysis out_;
};

}  // namespace

Analysis analyze(const std::string& path, const Options& options) {
  Replay replay(path, options.threads);
  return analyze(replay, options, nullptr);
}

Analysis analyze(Replay& replay, const Options& options, SecondReading* beside) {
  formats::RequestAllowance allowance(replay.path());
  Run run(replay.preamble(), options, &allowance);
  replay.run(run);
  run.end();
  if (options.partition) {
    partition::Partitioner partitioner = run.partition();
    if (beside) {
      beside->begin(run.table());
      replay.run(partitioner, *beside);
    } else {
      replay.run(partitioner);
    }
    run.partitioned(partitioner);
  }
  return run.finish(replay.summary());
}

Analysis analyze(const formats::Preamble& preamble, std::span<const formats::Event> events, const Options& options) {
  Run run(preamble, options);
  formats::FileSummary file;
  for (const formats::Event& event : events) {
    run.push(event);
    if (const auto* end = std::get_if<formats::CaptureEnd>(&event.body))
      file.state = end->state;
    else if (!formats::known(file.first) || event.time < file.first)
      file.first = event.time;
    file.last = std::max(file.last, event.time);
  }
  file.events = events.size();
  run.end();
  if (options.partition) {
    partition::Partitioner partitioner = run.partition();
    for (const formats::Event& event : events) partitioner.push(event);
    run.partitioned(partitioner);
  }
  return run.finish(file);
}

}  // namespace tailcap::pipeline

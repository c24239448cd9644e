#include "analyze/pipeline/detail.h"

#include <algorithm>
#include <variant>

#include "analyze/exchanges/exchanges.h"
#include "analyze/names/lookups.h"
#include "analyze/protocols/protocols.h"
#include "analyze/streams/streams.h"
#include "analyze/timeline/timeline.h"
#include "formats/reader.h"

namespace tailcap::pipeline {
namespace {

using flow::RequestDetail;
using formats::known;
using formats::Time;

std::optional<flow::Request> row_of(const flow::RequestTable& table, flow::ExchangeId id) {
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    if (table.rows.id(i) == id) return table.rows[i];
  return std::nullopt;
}

RequestDetail described(const flow::Request& row, const flow::RequestTable& table) {
  const flow::TextPool& texts = table.texts;
  RequestDetail d;
  d.row = row;
  d.method = texts[row.method], d.path = texts[row.path], d.route = texts[row.route], d.authority = texts[row.authority];
  d.comm = texts[row.comm], d.request_id = texts[row.request_id];
  d.path_known = row.path != 0;
  if (const flow::Setup* setup = table.setups.find(row.id)) {
    d.setup = *setup;
    d.dns_name = texts[setup->dns_name], d.server_name = texts[setup->tls_server_name];
  }
  return d;
}

// Collects what belongs to one request from the events of the capture.
class Collector {
 public:
  explicit Collector(RequestDetail* detail) : d_(*detail), from_(d_.row.start), to_(d_.row.start) {
    const auto& d = d_;
    if (d.row.has_duration) to_ = d.row.start + d.row.duration;
    for (const auto& i : {d.exchange.request, d.exchange.response})
      for (const Time t : {i.first_arrived, i.last_arrived, i.first_done, i.last_done}) to_ = std::max(to_, t);
  }

  void push(const formats::Event& event) {
    if (!known(from_)) return;
    std::visit([&](const auto& body) { take(event, body); }, event.body);
  }

 private:
  bool within(Time t) const { return t >= from_ && t <= to_; }

  void take(const formats::Event& event, const formats::OffCpu& off) {
    if (event.thread.tid != d_.row.tid || d_.row.tid == 0 || off.left >= to_ || event.time <= from_) return;
    if (d_.waits.size() == kMaxWaits) ++d_.waits_left_out;
    else d_.waits.push_back({off.left, off.runnable, event.time, off.waker, off.state, off.syscall, off.argument0, off.argument1, off.missed});
  }
  void take(const formats::Event& event, const formats::Retransmit& r) {
    if (r.socket == d_.connection.socket && within(event.time)) add({flow::ConnectionEvent::Kind::retransmit, event.time, r.length, 0});
  }
  void take(const formats::Event& event, const formats::Reset& r) {
    using Kind = flow::ConnectionEvent::Kind;
    if (r.socket == d_.connection.socket && within(event.time))
      add({r.direction == formats::Direction::in ? Kind::reset_received : Kind::reset_sent, event.time, 0, 0});
  }
  void take(const formats::Event& event, const formats::StateChange& s) {
    if (s.socket == d_.connection.socket && s.error != 0 && within(event.time))
      add({flow::ConnectionEvent::Kind::state_error, event.time, 0, s.error});
  }
  void take(const formats::Event& event, const formats::Loss& l) { lost(l.since, event.time, l.count); }
  void take(const formats::Event& event, const formats::Damage& l) { lost(l.since, event.time, 0); }
  template <typename Other>
  void take(const formats::Event&, const Other&) {}

  // A loss is of the whole recording: nobody knows whose events they were.
  void lost(Time since, Time until, std::uint64_t count) {
    if (since <= to_ && until >= from_)
      add({flow::ConnectionEvent::Kind::loss, until, static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX)), 0});
  }
  void add(flow::ConnectionEvent e) {
    if (d_.events.size() == kMaxConnectionEvents) ++d_.events_left_out;
    else d_.events.push_back(e);
  }

  RequestDetail& d_;
  Time from_, to_;
};

// The stages once more, keeping of everything only what belongs to the requests meant.
class SecondLook {
 public:
  explicit SecondLook(std::vector<RequestDetail*> wanted) : wanted_(std::move(wanted)) {}

  void read(const std::string& path, unsigned threads) {
    formats::Reader reader(path, {.threads = threads});
    for (auto events = reader.next(); !events.empty(); events = reader.next())
      for (const auto& event : events) push(event);
    for (RequestDetail* d : wanted_)
      for (const auto& s : timeline_.stretches(d->row)) d->thread.push_back({s.from, s.to, s.what});
  }

 private:
  void push(const formats::Event& event) {
    if (matters(event)) timeline_.push(event);
    names_.push(event);
    if (names_.took()) return;  // as in the first look: or else connections would have other numbers
    for (const flow::ByteRun& run : streams_.push(event)) {
      for (const flow::Message& message : parsers_.push(run))
        for (const flow::Exchange& exchange : exchanges_.push(message))
          for (RequestDetail* d : wanted_)
            if (exchange.id == d->row.id) d->exchange = exchange;
      // A connection may be forgotten after its end.
      for (RequestDetail* d : wanted_)
        if (run.connection == d->row.id.connection)
          if (const auto* connection = streams_.connection(run.connection)) d->connection = *connection;
    }
  }

  // Waits of other threads would only fill the timeline's memory.
  bool matters(const formats::Event& event) const {
    return !std::holds_alternative<formats::OffCpu>(event.body) ||
           std::ranges::any_of(wanted_, [&](const RequestDetail* d) { return event.thread.tid == d->row.tid; });
  }

  std::vector<RequestDetail*> wanted_;
  names::Lookups names_;
  streams::Streams streams_;
  protocols::Parsers parsers_;
  exchanges::Exchanges exchanges_;
  timeline::Timeline timeline_;
};

// What happened around the requests, once it is known when that was.
void collect(std::vector<RequestDetail*> wanted, const std::string& path, unsigned threads) {
  std::vector<Collector> collectors(wanted.begin(), wanted.end());
  formats::Reader reader(path, {.threads = threads});
  for (auto events = reader.next(); !events.empty(); events = reader.next())
    for (const auto& event : events)
      for (auto& collector : collectors) collector.push(event);
  for (RequestDetail* d : wanted) {
    std::ranges::stable_sort(d->waits, {}, &flow::Wait::left);
    std::ranges::stable_sort(d->events, {}, &flow::ConnectionEvent::time);
  }
}

}  // namespace

Look look(const std::string& path, flow::ExchangeId id, unsigned threads) {
  Options options;
  options.threads = threads;
  options.study = false;
  Analysis analysis = analyze(path, options);
  Look out;
  out.study = std::move(analysis.study);
  out.table = std::move(analysis.table);
  out.damaged = analysis.damaged;
  for (const auto any : out.table.rows) {
    if (out.first.connection == 0 || any.id < out.first) out.first = any.id;
    out.last = std::max(out.last, any.id);
  }
  const auto row = row_of(out.table, id);
  if (!row) return out;
  out.detail.emplace();
  out.detail->request = described(*row, out.table);
  std::vector<RequestDetail*> wanted = {&out.detail->request};
  if (const auto peer = row_of(out.table, row->peer)) wanted.push_back(&out.detail->peer.emplace(described(*peer, out.table)));
  SecondLook(wanted).read(path, threads);
  collect(wanted, path, threads);
  for (RequestDetail* d : wanted) {
    d->local = out.table.texts.intern(flow::endpoint(d->connection, false));
    d->remote = out.table.texts.intern(flow::endpoint(d->connection, true));
  }
  return out;
}

}  // namespace tailcap::pipeline

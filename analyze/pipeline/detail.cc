#include "analyze/pipeline/detail.h"

#include <algorithm>
#include <variant>

#include "analyze/exchanges/exchanges.h"
#include "analyze/names/lookups.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/second_reading.h"
#include "analyze/protocols/protocols.h"
#include "analyze/streams/streams.h"
#include "analyze/timeline/binding_finder.h"
#include "analyze/timeline/lane_collector.h"

namespace tailcap::pipeline {
namespace {

using formats::known;
using formats::Time;
using model::RequestDetail;

std::optional<model::Request> row_of(const model::RequestTable& table, model::ExchangeId id) {
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    if (table.rows.id(i) == id) return table.rows[i];
  return std::nullopt;
}

RequestDetail described(const model::Request& row, const model::RequestTable& table) {
  const model::TextPool& texts = table.texts;
  RequestDetail d;
  d.row = row;
  d.method = texts[row.method];
  d.path = texts[row.path];
  d.route = texts[row.route];
  d.authority = texts[row.authority];
  d.comm = texts[row.comm];
  d.request_id = texts[row.request_id];
  d.handler = texts[table.handlers.find(row.id)];
  d.trace = texts[row.traceparent];
  d.path_known = row.path != 0;
  if (const model::Setup* setup = table.setups.find(row.id)) {
    d.setup = *setup;
    d.dns_name = texts[setup->dns_name];
    d.server_name = texts[setup->tls_server_name];
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
    if (d_.waits.size() == kMaxWaits)
      ++d_.waits_left_out;
    else
      d_.waits.push_back({off.left, off.runnable, event.time, off.waker, off.state, off.syscall, off.argument0,
                          off.argument1, off.missed});
  }
  void take(const formats::Event& event, const formats::Retransmit& r) {
    if (r.socket == d_.connection.socket && within(event.time))
      add({model::ConnectionEvent::Kind::retransmit, event.time, r.length, 0});
  }
  void take(const formats::Event& event, const formats::Reset& r) {
    using Kind = model::ConnectionEvent::Kind;
    if (r.socket == d_.connection.socket && within(event.time))
      add({r.direction == formats::Direction::in ? Kind::reset_received : Kind::reset_sent, event.time, 0, 0});
  }
  void take(const formats::Event& event, const formats::StateChange& s) {
    if (s.socket == d_.connection.socket && s.error != 0 && within(event.time))
      add({model::ConnectionEvent::Kind::state_error, event.time, 0, s.error});
  }
  void take(const formats::Event& event, const formats::Loss& l) { lost(l.since, event.time, l.count); }
  void take(const formats::Event& event, const formats::Damage& l) { lost(l.since, event.time, 0); }
  template <typename Other>
  void take(const formats::Event&, const Other&) {}

  // A loss is of the whole recording: nobody knows whose events they were.
  void lost(Time since, Time until, std::uint64_t count) {
    if (since <= to_ && until >= from_)
      add({model::ConnectionEvent::Kind::loss, until,
           static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX)), 0});
  }
  void add(model::ConnectionEvent e) {
    if (d_.events.size() == kMaxConnectionEvents)
      ++d_.events_left_out;
    else
      d_.events.push_back(e);
  }

  RequestDetail& d_;
  Time from_, to_;
};

// Runs the stages once more and keeps what belongs to the request meant and to its other end.
class SecondLook : public SecondReading {
 public:
  explicit SecondLook(model::ExchangeId id) : id_(id) {}

  void begin(const model::RequestTable& table) override {
    const auto row = row_of(table, id_);
    if (!row) return;
    ends_.push_back(described(*row, table));
    if (const auto peer = row_of(table, row->peer)) ends_.push_back(described(*peer, table));
  }

  void push(const formats::Event& event) override {
    if (ends_.empty()) return;
    names_.push(event);
    if (names_.took()) return;  // as in the first reading: otherwise connections would get other numbers
    for (const model::ByteRun& run : streams_.push(event)) {
      for (const model::Message& message : parsers_.push(run))
        for (const model::Exchange& exchange : exchanges_.push(message))
          for (RequestDetail& d : ends_)
            if (exchange.id == d.row.id) d.exchange = exchange;
      // A connection may be forgotten after its end.
      for (RequestDetail& d : ends_)
        if (run.connection == d.row.id.connection)
          if (const auto* connection = streams_.connection(run.connection)) d.connection = *connection;
    }
  }

  // The request and its other end, if it was recorded.
  std::vector<RequestDetail>& ends() { return ends_; }

 private:
  model::ExchangeId id_;
  std::vector<RequestDetail> ends_;
  names::Lookups names_;
  streams::Streams streams_;
  protocols::Parsers parsers_;
  exchanges::Exchanges exchanges_;
};

// A tenth of its time before and after it, of all processes that took part. Unset: the request has no known duration.
std::optional<timeline::LaneCollector> lanes_around(const model::Detail& detail) {
  const auto& row = detail.request.row;
  if (!known(row.start) || !row.has_duration) return std::nullopt;
  Time from = row.start, to = row.start + row.duration;
  std::vector<std::uint32_t> pids = {row.pid};
  if (detail.peer) {
    const model::Request& peer = detail.peer->row;
    if (known(peer.start) && peer.has_duration) {
      from = std::min(from, peer.start);
      to = std::max(to, peer.start + peer.duration);
      if (peer.pid != 0) pids.push_back(peer.pid);
    }
  }
  for (const auto& below : detail.below)
    if (below.row.pid != 0) pids.push_back(below.row.pid);
  const formats::Duration margin = std::max<formats::Duration>((to - from) / 10, std::chrono::microseconds{100});
  return timeline::LaneCollector(from - margin, to + margin, std::move(pids));
}

// Collects what happened around the request and its other end, now that it is known when that was; one more reading.
void collect(Replay& replay, model::Detail& detail, model::Lanes* lanes) {
  std::vector<RequestDetail*> ends = {&detail.request};
  if (detail.peer) ends.push_back(&*detail.peer);
  std::vector<Collector> collectors(ends.begin(), ends.end());
  std::vector<timeline::BindingFinder> bindings;
  for (const RequestDetail* d : ends) bindings.emplace_back(d->row, d->exchange, d->connection);
  std::optional<timeline::LaneCollector> around;
  if (lanes) around = lanes_around(detail);
  replay.each([&](const formats::Event& event) {
    for (auto& collector : collectors) collector.push(event);
    for (auto& binding : bindings) binding.push(event);
    if (around) around->push(event);
  });
  if (around) *lanes = around->done();
  for (std::size_t i = 0; i < ends.size(); ++i) ends[i]->bound = bindings[i].find();
  for (RequestDetail* d : ends) {
    std::ranges::stable_sort(d->waits, {}, &model::ThreadWait::left);
    std::ranges::stable_sort(d->events, {}, &model::ConnectionEvent::time);
  }
}

// Courses are found by request.
const model::Course* course_of(const std::vector<model::Course>& courses, model::ExchangeId id) {
  const auto at = std::ranges::lower_bound(courses, id, {}, &model::Course::request);
  return at != courses.end() && at->request == id ? &*at : nullptr;
}

// What the request shown caused, as far as courses were followed.
class Descent {
 public:
  Descent(const Analysis& analysis, model::Detail& detail) : analysis_(analysis), detail_(detail) {
    for (std::uint32_t i = 0; i < analysis.table.rows.size(); ++i)
      if (course_of(analysis.courses, analysis.table.rows.id(i))) rows_.emplace_back(analysis.table.rows.id(i), i);
    std::ranges::sort(rows_);
  }

  void run() {
    const auto& top = detail_.request;
    // What a client-side request caused is at its other end.
    const model::Course* course =
        course_of(analysis_.courses, top.row.role == model::Role::server ? top.row.id : top.row.peer);
    if (course) calls(*course, 1, true);
  }

  // Of whom the stretches speak.
  void name_culprits(const model::Course& course) {
    for (const auto& s : course.stretches)
      if (s.culprit.request.connection != 0) named_.push_back(s.culprit.request);
  }

  void names() {
    std::ranges::sort(named_);
    named_.erase(std::unique(named_.begin(), named_.end()), named_.end());
    const auto& table = analysis_.table;
    for (const model::Request row : table.rows)
      if (std::ranges::binary_search(named_, row.id)) detail_.titles.emplace_back(row.id, title(row));
    std::ranges::sort(detail_.titles);
  }

 private:
  std::string title(const model::Request& row) const {
    const auto& texts = analysis_.table.texts;
    if (row.method == 0 && row.path == 0) return "a request not seen";
    return std::string(row.method == 0 ? "?" : texts[row.method]) + " " +
           std::string(row.path == 0 ? "?" : texts[row.path]);
  }

  std::optional<model::Request> row(model::ExchangeId id) const {
    const auto at = std::ranges::lower_bound(rows_, id, {}, &std::pair<model::ExchangeId, std::uint32_t>::first);
    if (at == rows_.end() || at->first != id) return std::nullopt;
    return analysis_.table.rows[at->second];
  }

  void add(const model::Request& row, std::uint32_t depth, bool on_path, model::Duration slack) {
    model::Below b;
    b.row = row;
    b.title = title(row);
    b.depth = depth;
    b.on_path = on_path;
    b.slack = slack;
    b.comm = analysis_.table.texts[row.comm];
    if (row.id.connection < analysis_.endpoints.size())
      b.remote = analysis_.table.texts[analysis_.endpoints[row.id.connection].remote];
    if (const model::Course* course = course_of(analysis_.courses, row.id)) b.course = *course;
    name_culprits(b.course);
    detail_.below.push_back(std::move(b));
  }

  void calls(const model::Course& course, std::uint32_t depth, bool on_path) {
    for (const auto& call : course.calls) {
      const auto client = row(call.request);
      if (!client) continue;
      if (detail_.below.size() + 2 > kMaxBelow || depth > kMaxBelow) {
        ++detail_.below_left_out;
        continue;
      }
      const bool there = on_path && call.on_path;
      add(*client, depth, there, call.slack);
      const auto server = client->peer.connection != 0 ? row(client->peer) : std::nullopt;
      if (!server || server->role != model::Role::server) continue;
      add(*server, depth + 1, there, call.slack);
      if (const model::Course* next = course_of(analysis_.courses, server->id)) calls(*next, depth + 2, there);
    }
  }

  const Analysis& analysis_;
  model::Detail& detail_;
  std::vector<std::pair<model::ExchangeId, std::uint32_t>> rows_;
  std::vector<model::ExchangeId> named_;
};

}  // namespace

Look look(const std::string& path, model::ExchangeId id, bool with_lanes, unsigned threads) {
  Options options;
  options.threads = threads;
  options.study = false;
  options.partition = true;
  options.follow = id;
  Replay replay(path, threads);
  SecondLook second(id);
  Analysis analysis = analyze(replay, options, &second);
  Look out;
  out.wrong = analysis.wrong;
  if (!second.ends().empty()) {
    out.detail.emplace();
    out.detail->request = std::move(second.ends().front());
    if (second.ends().size() > 1) out.detail->peer = std::move(second.ends().back());
    const model::Request& row = out.detail->request.row;
    Descent descent(analysis, *out.detail);
    descent.run();
    for (const model::ExchangeId end : {row.id, row.peer})
      if (const model::Course* course = course_of(analysis.courses, end)) descent.name_culprits(*course);
    descent.names();
    out.detail->groups = analysis.table.partitions.groups();
  }
  out.study = std::move(analysis.study);
  out.table = std::move(analysis.table);
  out.damaged = analysis.damaged;
  for (const auto any : out.table.rows) {
    if (out.first.connection == 0 || any.id < out.first) out.first = any.id;
    out.last = std::max(out.last, any.id);
  }
  if (!out.detail) return out;
  std::vector<RequestDetail*> ends = {&out.detail->request};
  if (out.detail->peer) ends.push_back(&*out.detail->peer);
  for (RequestDetail* d : ends) {
    if (const model::Course* course = course_of(analysis.courses, d->row.id)) d->course = *course;
    for (const model::FileCalls& files : analysis.files)
      if (files.request == d->row.id) d->files = files;
  }
  collect(replay, *out.detail, with_lanes ? &out.lanes : nullptr);
  for (RequestDetail* d : ends) {
    d->local = out.table.texts.intern(model::endpoint(d->connection, false));
    d->remote = out.table.texts.intern(model::endpoint(d->connection, true));
  }
  return out;
}

}  // namespace tailcap::pipeline

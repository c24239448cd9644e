#include "analyze/pipeline/request/detail.h"

#include <algorithm>
#include <utility>

#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/request/second_look.h"

namespace tailcap::pipeline {
namespace {

using model::RequestDetail;

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

  // The requests that the stretches name.
  void name_culprits(const model::Course& course) {
    for (const auto& s : course.stretches)
      if (s.culprit.request.connection != 0) named_.push_back(s.culprit.request);
  }

  void names() {
    std::ranges::sort(named_);
    named_.erase(std::unique(named_.begin(), named_.end()), named_.end());
    const auto& table = analysis_.table;
    for (std::uint32_t i = 0; i < table.rows.size(); ++i)
      if (const model::ExchangeId id = table.rows.id(i); std::ranges::binary_search(named_, id))
        detail_.titles.emplace_back(id, title(table.rows[i]));
    std::ranges::sort(detail_.titles);
  }

 private:
  std::string title(const model::Request& row) const {
    const auto& texts = analysis_.table.texts;
    if (row.method == 0 && row.path == 0) return "a request not seen";
    if (has_operation(row.protocol) && row.path == 0) return std::string(texts[row.method]);
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

std::vector<std::uint32_t> processes_of(const model::Detail& detail) {
  std::vector<std::uint32_t> pids = {detail.request.row.pid};
  if (detail.peer && formats::known(detail.peer->row.start) && detail.peer->row.has_duration)
    pids.push_back(detail.peer->row.pid);
  for (const auto& below : detail.below) pids.push_back(below.row.pid);
  std::erase(pids, 0);
  return pids;
}

// What came before the window on the request's connection. False: the request is another one than was searched for.
bool add_past(const Past& past, RequestDetail& request) {
  if (request.row.start != past.start || request.row.duration != past.duration) return false;
  model::Connection& connection = request.connection;
  connection.bytes_in += past.counted->bytes_in;
  connection.bytes_out += past.counted->bytes_out;
  connection.lost_in += past.counted->lost_in;
  connection.lost_out += past.counted->lost_out;
  connection.retransmits += past.counted->retransmits;
  connection.events_missed += past.counted->events_missed;
  return true;
}

}  // namespace

Look look(Replay& replay, model::ExchangeId id, const LookOptions& how) {
  Options options;
  options.partition = true;
  options.follow = id;
  options.exemplars = how.exemplars;
  options.courses_up_to = how.courses_up_to;
  options.beginning = how.part && id.connection != 0;
  options.first_events = how.first_events;
  options.least_left = how.least_left;
  if (options.beginning && how.window && replay.summary().events > how.past.least_before) {
    PastOptions past = how.past;
    past.threads = replay.threads();
    past.least_events = how.first_events;
    past.passed = [&](std::uint64_t events) { replay.passed(events); };
    replay.begin_with(past_of(replay.path(), id, past));
    options.past = replay.past();
  }
  SecondLook second(id, how.lanes, options.past);
  std::vector<SecondReading*> readers = {&second};
  readers.insert(readers.end(), how.beside.begin(), how.beside.end());
  Analysis analysis = analyze(replay, options, readers);
  Look out;
  if (std::vector<RequestDetail> found = second.ends(); !found.empty()) {
    out.detail.emplace();
    out.detail->request = std::move(found.front());
    if (found.size() > 1) out.detail->peer = std::move(found.back());
    const model::Request& row = out.detail->request.row;
    Descent descent(analysis, *out.detail);
    descent.run();
    for (const model::ExchangeId end : {row.id, row.peer})
      if (const model::Course* course = course_of(analysis.courses, end)) descent.name_culprits(*course);
    descent.names();
    out.detail->groups = analysis.table.partitions.groups();
    out.detail->peers = analysis.table.partitions.peers();
    out.detail->locks = analysis.table.partitions.locks();
  }
  static_cast<Analysis&>(out) = std::move(analysis);
  for (const auto any : out.table.rows) {
    if (out.first.connection == 0 || any.id < out.first) out.first = any.id;
    out.last = std::max(out.last, any.id);
  }
  if (options.past) {
    out.mistaken = !out.detail || out.detail->request.connection.socket != options.past->socket;
    if (options.past->counted && !out.mistaken) out.mistaken = !add_past(*options.past, out.detail->request);
    out.partly = options.past->partly;
    out.numbers = options.past->numbers;
  }
  if (!out.detail) return out;
  std::vector<RequestDetail*> ends = {&out.detail->request};
  if (out.detail->peer) ends.push_back(&*out.detail->peer);
  for (RequestDetail* d : ends) {
    if (const model::Course* course = course_of(out.courses, d->row.id)) d->course = *course;
    for (const model::FileCalls& files : out.files)
      if (files.request == d->row.id) d->files = files;
  }
  out.lanes = second.lanes(processes_of(*out.detail));
  for (RequestDetail* d : ends) {
    d->local = out.table.texts.intern(model::endpoint(d->connection, false));
    d->remote = out.table.texts.intern(model::endpoint(d->connection, true));
  }
  return out;
}

bool find_numbers(const Look& look, const std::set<model::ExchangeId>& provisional, LookOptions& how) {
  const NumbersKnown known{look.partly, look.numbers, look.numberless, look.detail->request.row.peer.connection};
  return find_numbers(known, look.study.quality, provisional, how.past);
}

}  // namespace tailcap::pipeline

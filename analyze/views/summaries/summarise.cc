#include "analyze/views/summaries/summarise.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <stdexcept>
#include <utility>
#include <variant>

#include "analyze/model/columns/label_times.h"
#include "analyze/model/columns/store_names.h"
#include "analyze/summaries/merge.h"
#include "analyze/views/compare/functions.h"
#include "analyze/views/export/exported.h"
#include "analyze/views/export/services.h"
#include "analyze/views/export/whole_capture.h"
#include "analyze/views/flame/request_stacks.h"
#include "analyze/views/policy/condition.h"
#include "analyze/views/topology/topology.h"

namespace tailcap::views {
namespace {

using formats::Summary;
using formats::SummaryWindow;

// A name of a summary: the beginning of a long one.
std::string name_within(std::string_view text) {
  if (text.size() <= formats::kMostTextBytes) return std::string(text);
  std::size_t end = formats::kMostTextBytes - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

// Notes on what services run, with their times.
class DeploymentNotes : public pipeline::SecondReading {
 public:
  void begin(const model::RequestTable&, const pipeline::Recording&) override {}
  void push(const formats::Event& event) override {
    const auto* note = std::get_if<formats::Note>(&event.body);
    if (note && is_deployment(note->key) && notes_.size() < formats::kMostDeployments)
      notes_.push_back({event.time, {std::string(note->key), std::string(note->value)}});
  }
  static bool is_deployment(std::string_view key) { return key == "deploy" || key == "version"; }
  const auto& notes() const { return notes_; }

 private:
  std::vector<std::pair<formats::Time, std::pair<std::string, std::string>>> notes_;
};

class SummaryMaker {
 public:
  SummaryMaker(const pipeline::Analysis& analysis, const RequestStacks* stacks, const DeploymentNotes* notes,
               std::int64_t window, const EndedBetween& ended)
      : analysis_(analysis),
        stacks_(stacks),
        notes_(notes),
        ended_(ended),
        services_(analysis),
        topology_(topology_of(analysis)) {
    summary_.window = window;
  }

  Summary make() {
    note_capture();
    for (std::uint32_t i = 0; i < analysis_.table.rows.size(); ++i) add(i);
    add_deployments();
    summaries::keep_most(summary_);
    return std::move(summary_);
  }
  std::uint64_t left_out() const { return left_out_; }

 private:
  std::int64_t start_of(std::int64_t time) const {
    const std::int64_t into = time % summary_.window;
    return time - (into < 0 ? into + summary_.window : into);
  }
  static void require_time(std::int64_t time) {
    if (time < formats::kEarliest || time > formats::kLatest)
      throw std::runtime_error("the capture's wall clock has a time that cannot be");
  }

  // From when on it has requests. The first requests of a later file of a recording began in the file before: such a
  // file begins where the first of its requests ended, and one without requests at its end.
  formats::Time first() const {
    constexpr formats::Duration kLaterFile = std::chrono::seconds{1};
    const model::Quality& quality = analysis_.study.quality;
    if (!formats::known(quality.preamble.started) || quality.file.first - quality.preamble.started < kLaterFile)
      return quality.file.first;
    formats::Time first = formats::kMaxTime;
    for (std::size_t i = 0; i < analysis_.table.rows.size(); ++i)
      if (const model::Request row = analysis_.table.rows[i]; row.has_duration && formats::known(row.start))
        first = std::min(first, policy::ended(row));
    return std::clamp(first, quality.file.first, quality.file.last);
  }

  void note_capture() {
    const model::Quality& quality = analysis_.study.quality;
    const formats::Preamble& preamble = quality.preamble;
    formats::SummarisedCapture capture;
    capture.id = name_within(preamble.capture_id);
    capture.host = name_within(preamble.host);
    const formats::Time begins = ended_.all() ? first() : quality.file.first;
    capture.began = std::min(std::max(quality.clock.realtime(begins), ended_.from), ended_.to);
    capture.ended = std::max(capture.began, std::min(quality.clock.realtime(quality.file.last), ended_.to));
    capture.lost = quality.lost;
    capture.whole = !analysis_.damaged;
    require_time(capture.began);
    require_time(capture.ended);
    if ((capture.ended - capture.began) / summary_.window >= static_cast<std::int64_t>(formats::kMostWindows) - 1)
      throw std::runtime_error("a summary has at most 20,000 windows: give a longer --window");
    for (std::int64_t at = start_of(capture.began); at < capture.ended; at += summary_.window)
      summary_.windows[at].covered =
          static_cast<std::uint64_t>(std::min(capture.ended, at + summary_.window) - std::max(capture.began, at));
    summary_.captures.insert(std::move(capture));
    const auto fact = [&](const char* name, const std::string& value) {
      if (!value.empty()) summary_.environment.emplace(name, name_within(value));
    };
    fact("host", preamble.host);
    fact("kernel", preamble.kernel);
    fact("machine", preamble.architecture);
    fact("cpus", preamble.cpus == 0 ? std::string() : std::to_string(preamble.cpus));
    fact("tailcap", preamble.tool_version);
    for (const auto& [key, value] : preamble.notes)
      if (DeploymentNotes::is_deployment(key)) fact(key.c_str(), value);
  }

  void add_deployments() {
    std::set<std::string> served;
    for (const auto& [start, window] : summary_.windows)
      for (const auto& [route, cell] : window.routes)
        if (route.role == model::name_of(model::Role::server)) served.insert(route.service);
    const model::Quality& quality = analysis_.study.quality;
    const auto note = [&](std::int64_t at, const std::string& key, const std::string& value) {
      for (const std::string& service : served)
        summary_.deployments.insert(
            {at, service, name_within(quality.preamble.host), name_within(key), name_within(value)});
    };
    for (const auto& [key, value] : quality.preamble.notes)
      if (DeploymentNotes::is_deployment(key)) note(quality.preamble.started_realtime, key, value);
    const auto said = [&](formats::Time at, const std::string& key, const std::string& value) {
      if (formats::known(at)) note(quality.clock.realtime(at), key, value);
    };
    if (notes_) {
      for (const auto& [at, text] : notes_->notes()) said(at, text.first, text.second);
    } else {
      for (const model::Change& change : analysis_.study.changes.changes)
        if (change.kind == model::ChangeKind::note && DeploymentNotes::is_deployment(change.key))
          said(change.at, change.key, change.value);
    }
    while (summary_.deployments.size() > formats::kMostDeployments)
      summary_.deployments.erase(summary_.deployments.begin());
  }

  // A request that is under way belongs to the summary of the time in which it ends.
  bool is_asked_for(const model::Request& row, std::int64_t time) const {
    return ended_.all() || (time >= ended_.from && time < ended_.to && row.outcome != model::Outcome::in_flight);
  }

  void add(std::uint32_t i) {
    const model::RequestTable& table = analysis_.table;
    const model::Request row = table.rows[i];
    const formats::Time end = policy::ended(row);
    if (!formats::known(row.start) || !formats::known(end)) {
      ++left_out_;
      return;
    }
    const std::int64_t time = analysis_.study.quality.clock.realtime(end);
    require_time(time);
    if (!is_asked_for(row, time)) return;
    SummaryWindow& window = summary_.windows[start_of(time)];
    const policy::ConditionObservation seen = policy::observe(row);
    add_route(window, i, row, seen);
    if (policy::counts(row) && is_store(row.protocol)) {
      const std::string_view method = table.texts[row.method], path = table.texts[row.path];
      const std::string statement = model::statement_of(row.protocol, method, path);
      if (!statement.empty())
        add_call(window.statements[{std::string(model::name_of(row.protocol)), name_within(statement)}], seen);
    }
    if (const std::uint32_t call = topology_.of[i]; call != 0 && once(row)) {
      const model::TopologyCall& edge = topology_.calls[call - 1];
      add_call(window.edges[{name_within(topology_.nodes[edge.from].name), name_within(topology_.nodes[edge.to].name)}],
               seen);
    }
    if (stacks_ && row.role == model::Role::server) add_functions(window, i, row.id);
  }

  // A call that was recorded at both ends is one call: as its client saw it.
  static bool once(const model::Request& row) { return row.role == model::Role::client || row.peer.connection == 0; }

  void add_route(SummaryWindow& window, std::uint32_t i, const model::Request& row,
                 const policy::ConditionObservation& seen) {
    const model::TextPool& texts = analysis_.table.texts;
    formats::RouteCell& cell =
        window.routes[{name_within(services_.of(i)), std::string(model::name_of(row.role)),
                       name_within(texts[row.method]), row.route == 0 ? "" : name_within(texts[row.route])}];
    ++cell.requests;
    cell.judged += seen.judged;
    cell.failed += seen.failed;
    cell.client_errors += seen.client_error;
    const std::size_t digit = row.status / 100u;
    if (seen.duration >= 0) cell.durations[digit < cell.durations.size() ? digit : 0].add(seen.duration);
    for (const auto& [label, ns] : model::columns::label_times(analysis_.table.partitions.parts(row.id)))
      cell.labels[std::string(model::name_of(label))].add(ns);
  }

  static void add_call(formats::CallCell& cell, const policy::ConditionObservation& seen) {
    ++cell.requests;
    cell.failed += seen.failed;
    if (seen.duration >= 0) cell.durations.add(seen.duration);
  }

  void add_functions(SummaryWindow& window, std::uint32_t i, model::ExchangeId id) {
    for (const OwnedStack& stack : stacks_->stacks_of(id)) {
      if (!stack.stack) continue;
      const std::string function = program_function(*stack.stack).name;
      if (function.empty()) continue;
      auto& amount = window.functions[{name_within(services_.of(i)), name_within(function), stack.waited}];
      amount = formats::saturated(amount, stack.value);
    }
  }

  const pipeline::Analysis& analysis_;
  const RequestStacks* const stacks_;   // null: functions are left out
  const DeploymentNotes* const notes_;  // null: those of the study
  const EndedBetween ended_;
  ExportedServices services_;
  const model::Topology topology_;
  Summary summary_;
  std::uint64_t left_out_ = 0;
};

}  // namespace

Summary summary_of(const pipeline::Analysis& analysis, std::int64_t window) {
  return SummaryMaker(analysis, nullptr, nullptr, window, {}).make();
}

Summarised summarise(const std::string& file, const pipeline::Options& chosen, std::int64_t window,
                     const EndedBetween& ended) {
  pipeline::Options options = of_all(chosen);
  options.partition = true;
  RequestStacks stacks(options);
  DeploymentNotes notes;
  pipeline::SecondReading* const beside[] = {&stacks, &notes};
  Exported read;
  const pipeline::Analysis analysis = analysed(file, options, read, beside);
  require_one_of_many(file, analysis.study.quality);
  need_clock(file, analysis, "requests");
  SummaryMaker maker(analysis, &stacks, &notes, window, ended);
  Summarised out;
  out.summary = maker.make();
  out.left_out = maker.left_out();
  out.damaged = read.damaged;
  out.wrong = std::move(read.wrong);
  return out;
}

}  // namespace tailcap::views

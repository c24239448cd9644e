#include "analyze/views/sql/capture_tables.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

#include "analyze/pipeline/replay.h"
#include "analyze/report/study/report_json.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/words/words.h"
#include "analyze/spans/identities.h"
#include "analyze/sql/capture_rows.h"
#include "analyze/sql/log_rows.h"
#include "analyze/sql/request_rows.h"
#include "analyze/sql/span_rows.h"
#include "analyze/sql/task_rows.h"
#include "analyze/tasks/tasks.h"
#include "analyze/tasks/thread_states.h"
#include "analyze/views/file/blocks.h"
#include "analyze/views/flame/waiting_function.h"
#include "analyze/views/spans/export.h"

namespace tailcap::views {
namespace {

class Filler {
 public:
  Filler(sql::Database& database, const std::set<std::string>& names, const std::string& file, const LogFiles& logs,
         pipeline::Options& options, std::string_view version)
      : database_(database), names_(names), file_(file), logs_(logs), options_(options), version_(version) {}

  Filled fill() {
    database_.begin_filling();
    if (any({"process", "thread", "thread_state", "process_use", "sample", "clock", "request", "segment"}))
      read_events();
    if (any({"request", "segment", "account", "link", "connection", "stream", "verdict", "loss", "_captures"}) ||
        wants_logs())
      analyse();
    if (any({"_span"}) && !out_.without_spans) insert_spans();
    if (any({"block"})) sql::insert_blocks(database_, blocks_of(file_));
    if (any({"_schema_version"})) sql::insert_version(database_, version_);
    database_.end_filling();
    return out_;
  }

 private:
  bool any(std::initializer_list<const char*> names) const {
    return std::any_of(names.begin(), names.end(), [&](const char* name) { return names_.contains(name); });
  }

  bool wants_logs() const { return any({"log"}) && logs_.given(); }

  void read_events() {
    pipeline::Replay replay(file_, options_.threads, options_.progress);
    tasks::ThreadStates states(tasks_);
    std::optional<sql::ThreadStateRows> rows;
    std::optional<sql::Clocks> clocks;
    if (any({"thread_state"})) rows.emplace(database_);
    if (any({"clock"})) clocks.emplace(database_);
    std::optional<sql::SampleRows> samples;
    if (any({"sample"})) samples.emplace(database_);
    std::optional<sql::ProcessUseRows> uses;
    if (any({"process_use"})) uses.emplace(database_);
    replay.each([&](const formats::Event& event) {
      tasks_.push(event);
      if (rows) rows->add(states.push(event));
      if (clocks) clocks->push(event);
      if (const auto* use = std::get_if<formats::ProcessUse>(&event.body); use && uses)
        uses->add(event.time, *use, tasks_.process_at(event.thread.pid, event.time));
      if (const auto* sample = std::get_if<formats::Sample>(&event.body); sample && samples) {
        const model::WaitingFunction& found = function_of(sample->user);
        samples->add(event, *sample, tasks_.thread_at(event.thread.tid, event.time), found.name, found.caller);
      }
    });
    if (any({"process"})) sql::insert_processes(database_, tasks_.processes(), tasks_.containers());
    if (any({"thread"})) sql::insert_threads(database_, tasks_.threads());
    const formats::FileSummary file = replay.summary();
    out_.damaged = file.state != formats::CaptureState::complete || file.damaged_blocks > 0 || file.lost > 0;
  }

  // The application's function that was innermost.
  const model::WaitingFunction& function_of(std::string_view stack) {
    constexpr std::size_t kMost = 65536;  // different stacks; then it begins anew
    if (functions_.size() >= kMost) functions_.clear();
    const auto [known, fresh] = functions_.try_emplace(std::string(stack));
    if (!fresh || stack.empty()) return known->second;
    const std::string with_process = "process;" + known->first;
    known->second = waiting_function({{1, &with_process}}).value_or(model::WaitingFunction());
    return known->second;
  }

  void analyse() {
    options_.study = any({"verdict"});
    options_.partition = any({"segment", "account", "verdict"});
    options_.all_courses = any({"segment"});
    options_.keep_splits = any({"request"});
    options_.keep_connections = any({"connection"});
    const pipeline::Analysis analysis = pipeline::analyze(file_, options_);
    out_.damaged = out_.damaged || analysis.damaged;
    out_.wrong = analysis.wrong;
    insert_requests(analysis);
    // Where spans are asked for alone, their absence is a failure; among other tables it is said.
    out_.without_spans = !analysis.study.quality.clock.known();
    const model::Quality& quality = analysis.study.quality;
    if (wants_logs()) {
      sql::LogRows rows(database_);
      out_.logs = join_logs(logs_, analysis.table, analysis.study,
                            [&](const model::JoinedLine& joined, const std::string& file) { rows.add(joined, file); });
    }
    if (any({"connection"})) sql::insert_connections(database_, analysis.connections, analysis.table);
    if (any({"verdict"})) insert_verdicts(analysis);
    if (any({"loss"})) sql::insert_losses(database_, quality);
    if (any({"_captures"})) sql::insert_capture(database_, quality.preamble, quality.file, quality);
  }

  void insert_requests(const pipeline::Analysis& analysis) {
    if (!any({"request", "segment", "account", "link", "stream"})) return;
    std::vector<spans::ForeignSpan> none;
    const spans::Identities ids = spans::identities_of(analysis.table, none);
    std::vector<model::columns::Traced> traces;
    traces.reserve(ids.rows.size());
    for (const spans::Identity& id : ids.rows) traces.push_back({id.context, id.trace_source, id.span_source});
    const std::function<std::pair<model::TextId, model::TextId>(model::ConnectionId)> ends =
        [&](model::ConnectionId id) -> std::pair<model::TextId, model::TextId> {
      if (id >= analysis.endpoints.size()) return {};
      return {analysis.endpoints[id].local, analysis.endpoints[id].remote};
    };
    const std::function<model::Upid(std::uint32_t, formats::Time)> process = [&](std::uint32_t pid, formats::Time at) {
      return tasks_.process_at(pid, at);
    };
    const std::function<model::Utid(std::uint32_t, formats::Time)> thread = [&](std::uint32_t tid, formats::Time at) {
      return tasks_.thread_at(tid, at);
    };
    const sql::RequestFacts facts{analysis.table, traces, ends,           analysis.study.quality.clock,
                                  process,        thread, analysis.splits};
    if (any({"request"})) sql::insert_requests(database_, facts);
    if (any({"account"})) sql::insert_accounts(database_, facts);
    if (any({"link"})) sql::insert_links(database_, facts);
    if (any({"stream"})) sql::insert_streams(database_, facts);
    if (!any({"segment"})) return;
    sql::insert_segments(database_, facts, analysis.courses);
    if (analysis.courses.size() < analysis.table.partitions.size())
      out_.without_segments = analysis.table.partitions.size() - analysis.courses.size();
  }

  void insert_verdicts(const pipeline::Analysis& analysis) {
    sql::Inserter row(database_, "verdict");
    const model::Study& study = analysis.study;
    for (std::size_t i = 0; i < study.verdicts.size(); ++i) {
      const model::Verdict& v = study.verdicts[i];
      const bool compared = v.kind == model::VerdictKind::tail;
      const std::string sentence = report::tail::sentence(v, study, analysis.table);
      const std::string route = v.routes.size() == 1 ? study.routes[v.routes.front()].route : "";
      const std::string example = v.examples.empty() ? "" : report::id_text(v.examples.front());
      const std::string json = report::verdict_json(v, study, analysis.table);
      row.integer(static_cast<std::int64_t>(i));
      row.text(model::name_of(v.scope));
      row.text(model::name_of(v.kind));
      row.text(model::name_of(v.level));
      row.text_if(compared, model::name_of(v.pattern));
      row.text_or_null(route);
      row.text_or_null(sentence);
      row.text_if(!v.parts.empty(), v.parts.empty() ? "" : model::name_of(v.parts.front().label));
      row.text_if(!v.parts.empty(), v.parts.empty() ? "" : model::name_of(v.parts.front().origin));
      row.integer(static_cast<std::int64_t>(v.requests));
      row.integer(static_cast<std::int64_t>(v.of));
      row.integer_if(v.slow != 0, v.slow);
      row.integer_if(v.typical != 0, v.typical);
      row.integer_if(compared, v.excess);
      row.integer_if(v.part_of >= 0, v.part_of);
      row.text_or_null(example);
      row.text(json);
      row.end_row();
    }
  }

  void insert_spans() {
    SpanChoice choice;
    choice.requests.routes = options_.routes;
    sql::SpanRows rows(database_, version_);
    const SpanExport made =
        export_spans(file_, choice, [&](std::vector<model::SpanResource>& resources) { rows.add(resources); });
    out_.damaged = out_.damaged || made.damaged;
    if (out_.wrong.empty()) out_.wrong = made.wrong;
  }

  sql::Database& database_;
  const std::set<std::string>& names_;
  const std::string& file_;
  const LogFiles& logs_;
  pipeline::Options& options_;
  std::string_view version_;
  tasks::Tasks tasks_;
  std::unordered_map<std::string, model::WaitingFunction> functions_;  // by stack
  Filled out_;
};

}  // namespace

Filled fill_tables(sql::Database& database, const std::set<std::string>& names, const std::string& file,
                   const LogFiles& logs, pipeline::Options& options, std::string_view version) {
  return Filler(database, names, file, logs, options, version).fill();
}

std::set<std::string> all_tables() {
  std::set<std::string> out;
  for (const sql::SqlTable& table : sql::tables())
    if (!table.view) out.insert(table.name);
  return out;
}

}  // namespace tailcap::views

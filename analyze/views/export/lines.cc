#include "analyze/views/export/lines.h"

#include <map>
#include <set>

#include "analyze/model/columns/facts.h"
#include "analyze/model/columns/whole_row.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/report/export/har.h"
#include "analyze/report/export/log_line.h"
#include "analyze/spans/identities.h"
#include "analyze/tasks/tasks.h"

namespace tailcap::views {
namespace {

namespace columns = model::columns;

constexpr std::size_t kPiece = 64u << 10;  // bytes that are written at a time

// The containers of processes.
class Containers : public pipeline::SecondReading {
 public:
  void begin(const model::RequestTable&, const pipeline::Recording&) override {}
  void push(const formats::Event& event) override { tasks_.push(event); }
  const model::Container& of(std::uint32_t pid, formats::Time at) {
    const model::Upid upid = tasks_.process_at(pid, at);
    const auto [found, is_new] = known_.try_emplace(upid);
    if (is_new && upid != 0) found->second = tasks_.containers().of(tasks_.processes()[upid - 1].cgroup);
    return found->second;
  }

 private:
  tasks::Tasks tasks_;
  std::map<model::Upid, model::Container> known_;
};

columns::Traced traced_of(const spans::Identity& id) { return {id.context, id.trace_source, id.span_source}; }

}  // namespace

Exported export_har(const std::string& file, const pipeline::Options& chosen, std::string_view version,
                    const Write& write) {
  Exported out;
  out.what = "entries";
  out.why = "their method, URL, start or duration is not known";
  pipeline::Options options = of_all(chosen);
  options.keep_headers = true;
  const pipeline::Analysis analysis = analysed(file, options, out);
  need_clock(file, analysis, "requests");
  const model::RequestTable& table = analysis.table;
  std::vector<spans::ForeignSpan> none;
  const spans::Identities ids = spans::identities_of(table, none);
  const pipeline::Wanted wanted(chosen, analysis);
  std::set<model::ExchangeId> written;  // clients' ends: an archive has a request once
  for (std::uint32_t i = 0; i < table.rows.size(); ++i)
    if (wanted(table, i) && table.rows.role(i) == model::Role::client && report::fits_har(table, table.rows[i]))
      written.insert(table.rows.id(i));
  std::string text;
  report::Har har(text, version);
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    if (!wanted(table, i)) continue;
    const model::Request row = model::whole_row(table, i);
    if (row.role == model::Role::server && written.contains(row.peer)) continue;
    if (!report::fits_har(table, row)) {
      ++out.left_out;
      continue;
    }
    ++out.requests;
    const pipeline::RequestHeaders& headers = analysis.headers[i];
    columns::ColumnFacts facts(table, row);
    pipeline::add_known(facts, analysis);
    const columns::Traced traced = traced_of(ids.rows[i]);
    facts.traced = &traced;
    har.add({facts, analysis.study.quality.clock.realtime(row.start),
             table.texts[row.role == model::Role::client ? facts.remote : facts.local], &headers.request,
             &headers.response});
    if (text.size() < kPiece) continue;
    write(text);
    text.clear();
  }
  har.end();
  write(text);
  return out;
}

Exported export_loki(const std::string& file, const pipeline::Options& chosen, const Write& write) {
  Exported out;
  out.what = "lines";
  out.why = "their start is not known";
  pipeline::Options options = of_all(chosen);
  options.partition = true;
  Containers containers;
  pipeline::SecondReading* const beside[] = {&containers};
  const pipeline::Analysis analysis = analysed(file, options, out, beside);
  need_clock(file, analysis, "requests");
  const model::RequestTable& table = analysis.table;
  std::vector<spans::ForeignSpan> none;
  const spans::Identities ids = spans::identities_of(table, none);
  const pipeline::Wanted wanted(chosen, analysis);
  std::string text;
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    if (!wanted(table, i)) continue;
    const model::Request row = model::whole_row(table, i);
    if (!formats::known(row.start)) {
      ++out.left_out;
      continue;
    }
    ++out.requests;
    columns::ColumnFacts facts(table, row);
    pipeline::add_known(facts, analysis);
    const columns::Traced traced = traced_of(ids.rows[i]);
    facts.traced = &traced;
    report::append_log_line(
        text, {facts, analysis.study.quality.clock.realtime(row.start), containers.of(row.pid, row.start)});
    if (text.size() < kPiece) continue;
    write(text);
    text.clear();
  }
  write(text);
  return out;
}

}  // namespace tailcap::views

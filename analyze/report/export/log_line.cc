#include "analyze/report/export/log_line.h"

#include <utility>

#include "analyze/model/columns/label_times.h"
#include "analyze/report/json/column_json.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

std::string_view level_of(const model::Request& row) {
  switch (row.outcome) {
    case model::Outcome::ok:
    case model::Outcome::upgraded:
      return row.grpc_status > 0 ? "warn" : "info";
    case model::Outcome::client_error:
    case model::Outcome::cancelled:
      return "warn";
    case model::Outcome::in_flight:
    case model::Outcome::unknown:
      return "unknown";
    default:
      return "error";
  }
}

// The label with the most time, of requests that have an account.
void put_main_label(JsonWriter& json, const LogLine& line) {
  const auto labels = model::columns::longest_labels(line.facts.table.partitions.parts(line.facts.row.id));
  json.key("longest_label");
  json.text_or_null(labels.empty() ? std::string_view{} : model::name_of(labels[0].first));
  json.key("longest_label_ns");
  labels.empty() ? json.null() : json.number(labels[0].second);
}

}  // namespace

void append_log_line(std::string& out, const LogLine& line) {
  const model::Request& row = line.facts.row;
  JsonWriter json(out);
  json.begin_object();
  json.field("time_ns", std::to_string(line.start));
  json.field("level", level_of(row));
  json.field("msg", request_title(row, line.facts.table.texts) + " " +
                        outcome_text(row, line.facts.table.texts[row.store.error_code]) +
                        (row.has_duration ? " in " + duration_text(row.duration) : ""));
  for (const model::columns::RequestColumn* const column : model::columns::on(model::columns::Surface::log_line))
    append_column(json, *column, line.facts, column->on(model::columns::Surface::log_line).name);
  put_main_label(json, line);
  const model::Container& c = line.container;
  const std::pair<const char*, const std::string&> of_container[] = {
      {"container_id", c.id}, {"k8s_namespace", c.name_space}, {"k8s_pod", c.pod}, {"k8s_container", c.name}};
  for (const auto& [name, value] : of_container)
    if (!value.empty()) json.field(name, value);
  json.end_object();
  out += '\n';
}

}  // namespace tailcap::report

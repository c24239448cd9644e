#include "analyze/report/page/data_columns.h"

#include <algorithm>
#include <array>

#include "analyze/model/columns/columns.h"
#include "analyze/model/columns/whole_row.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::page {
namespace {

// Columns of every request.
constexpr std::string_view kShort[] = {"id",      "role",        "protocol", "method", "route", "status",
                                       "outcome", "duration_ns", "pid",      "comm",   "peer",  "tainted"};
// Columns of those that are detailed.
constexpr std::string_view kDetails[] = {"path",
                                         "authority",
                                         "grpc_status",
                                         "handler",
                                         "tid",
                                         "connection",
                                         "stream",
                                         "parent",
                                         "attempt",
                                         "first_byte_ns",
                                         "request_bytes",
                                         "response_bytes",
                                         "tls",
                                         "complete",
                                         "machine",
                                         "parent_how",
                                         "duration_at_least_ns",
                                         "operation",
                                         "resource"};

struct ChosenColumn {
  const model::columns::RequestColumn* column = nullptr;
  bool detail = false;
  std::vector<std::int64_t> data{};
  std::vector<bool> known{};
};

std::vector<ChosenColumn> chosen_columns() {
  std::vector<ChosenColumn> out;
  for (const model::columns::RequestColumn* const column : model::columns::on(model::columns::Surface::filter)) {
    if (std::ranges::find(kShort, column->name) != std::end(kShort)) out.push_back({column, false});
    if (std::ranges::find(kDetails, column->name) != std::end(kDetails)) out.push_back({column, true});
  }
  return out;
}

void add_value(ChosenColumn& to, const model::columns::ColumnValue& value, DataTexts& texts) {
  std::int64_t number = 0;
  if (const auto* const n = std::get_if<std::int64_t>(&value)) number = *n;
  if (const auto* const b = std::get_if<bool>(&value)) number = *b;
  if (const auto* const text = std::get_if<std::string_view>(&value)) number = texts.number(*text);
  if (const auto* const flags = std::get_if<model::columns::Flags>(&value)) number = flags->bits;
  to.data.push_back(number);
  to.known.push_back(model::columns::known(value));
}

std::string_view name_of_type(model::columns::ColumnType type) {
  switch (type) {
    case model::columns::ColumnType::number:
      return "number";
    case model::columns::ColumnType::boolean:
      return "boolean";
    case model::columns::ColumnType::list:
      return "list";
    default:
      return "text";
  }
}

void write_column(JsonWriter& json, const ChosenColumn& column) {
  json.begin_object();
  json.field("name", column.column->name);
  json.field("short", column.column->short_form);
  json.field("type", name_of_type(column.column->type));
  json.field("unit", column.column->unit == model::columns::Unit::nanoseconds ? "ns"
                     : column.column->unit == model::columns::Unit::bytes     ? "bytes"
                                                                              : "");
  if (column.column->values) {
    json.key("values");
    json.begin_array();
    for (const std::string_view name : column.column->values()) json.text(name);
    json.end_array();
  }
  json.field("details", column.detail);
  json.key("data");
  json.begin_array();
  // Where no value is known there is no data; the script reads a null for each row.
  if (std::ranges::find(column.known, true) != column.known.end())
    for (std::size_t i = 0; i < column.data.size(); ++i) {
      if (column.known[i])
        json.number(column.data[i]);
      else
        json.null();
    }
  json.end_array();
  json.end_object();
}

}  // namespace

std::uint32_t DataTexts::number(std::string_view text) {
  return text.size() > kLongest ? texts_.intern(std::string(text.substr(0, kLongest)) + "…") : texts_.intern(text);
}

std::uint32_t DataTexts::id(model::ExchangeId id) { return id.connection == 0 ? 0 : number(id_text(id)); }

void DataTexts::write(JsonWriter& json) const {
  json.begin_array();
  json.null();
  for (model::TextId id = 1; id <= texts_.size(); ++id) json.text(printable(texts_[id]));
  json.end_array();
}

void write_columns(JsonWriter& json, const model::RequestTable& table, std::span<const ShownRow> rows, DataTexts& texts,
                   const std::function<void()>& after_each) {
  std::vector<ChosenColumn> chosen = chosen_columns();
  const auto detailed = static_cast<std::size_t>(std::ranges::count(rows, true, &ShownRow::detailed));
  for (ChosenColumn& column : chosen) {
    column.data.reserve(column.detail ? detailed : rows.size());
    column.known.reserve(column.data.capacity());
  }
  for (const ShownRow& shown : rows) {
    const model::Request row = model::whole_row(table, shown.row);
    const model::columns::ColumnFacts facts(table, row);
    for (ChosenColumn& column : chosen)
      if (!column.detail || shown.detailed) add_value(column, column.column->get(facts), texts);
  }
  json.key("columns");
  json.begin_array();
  for (ChosenColumn& column : chosen) {
    write_column(json, column);
    after_each();
    column = {};
  }
  json.end_array();
}

}  // namespace tailcap::report::page

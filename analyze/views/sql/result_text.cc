#include "analyze/views/sql/result_text.h"

#include <algorithm>
#include <utility>

#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/csv.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/views/events/event_names.h"
#include "ground/text.h"

namespace tailcap::views {
namespace {

constexpr std::size_t kWidest = 120;  // columns of a cell in a table; CSV and JSON have all of it

std::string real_text(double value) {
  std::string out;
  report::JsonWriter(out).real(value);
  return out;
}

// Text of a cell without what could control a terminal; nothing where it is NULL.
struct Plain {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(std::int64_t n) const { return std::to_string(n); }
  std::string operator()(double n) const { return real_text(n); }
  std::string operator()(std::string_view text) const { return report::printable(text); }
  std::string operator()(const sql::Blob& blob) const { return "x'" + ground::hex_text(blob.bytes) + "'"; }
};

void put_json(report::JsonWriter& json, const sql::SqlCell& cell) {
  if (const auto* n = std::get_if<std::int64_t>(&cell))
    json.number(*n);
  else if (const auto* r = std::get_if<double>(&cell))
    json.real(*r);
  else if (const auto* text = std::get_if<std::string_view>(&cell))
    json.text(*text);
  else if (const auto* blob = std::get_if<sql::Blob>(&cell))
    json.text(ground::hex_text(blob->bytes));
  else
    json.null();
}

void pad(std::string& out, const std::string& text, std::size_t width, bool right, bool last) {
  const std::size_t n = report::columns(text), fill = n < width ? width - n : 0;
  if (right) out.append(fill, ' ');
  out += text;
  if (!right && !last) out.append(fill, ' ');
}

}  // namespace

ResultText::ResultText(std::string_view format, std::vector<std::string> columns)
    : form_(format == "csv"    ? Form::csv
            : format == "json" ? Form::json
                               : Form::text),
      columns_(std::move(columns)),
      numbers_(columns_.size()) {}

void ResultText::add(const sql::Query& row, std::string& out) {
  if (form_ == Form::csv && rows_ == 0) put_heads(out);
  ++rows_;
  if (form_ == Form::json) {
    report::JsonWriter json(out);
    json.begin_object();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      std::string key;
      report::JsonWriter(key).text(columns_[i]);
      json.key(std::string_view(key).substr(1, key.size() - 2));
      put_json(json, row.cell(i));
    }
    json.end_object();
    out += '\n';
    return;
  }
  std::vector<std::string> cells;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const sql::SqlCell cell = row.cell(i);
    const bool null = std::holds_alternative<std::monostate>(cell);
    std::string text = std::visit(Plain{}, cell);
    if (form_ == Form::csv) {
      if (std::holds_alternative<std::string_view>(cell)) text = report::csv_text(std::move(text));
      (out += i == 0 ? "" : ",") += null ? std::string() : report::csv_field(text);
      continue;
    }
    const bool number = std::holds_alternative<std::int64_t>(cell) || std::holds_alternative<double>(cell);
    if (number && rows_ == 1) numbers_[i] = true;
    if (!number && !null) numbers_[i] = false;
    cells.push_back(null ? "–" : report::shortened(text, kWidest));
  }
  if (form_ == Form::csv)
    out += '\n';
  else
    kept_.push_back(std::move(cells));
}

void ResultText::put_heads(std::string& out) const {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    (out += i == 0 ? "" : ",") += report::csv_field(report::csv_text(report::printable(columns_[i])));
  out += '\n';
}

void ResultText::put_table(std::string& out) const {
  std::vector<std::string> heads;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    heads.push_back(report::shortened(report::printable(columns_[i]), kWidest));
    widths.push_back(report::columns(heads[i]));
    for (const auto& row : kept_) widths[i] = std::max(widths[i], report::columns(row[i]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out += "  ";
      pad(out, cells[i], widths[i], numbers_[i], i + 1 == cells.size());
    }
    out += '\n';
  };
  line(heads);
  for (const auto& row : kept_) line(row);
}

void ResultText::end(bool more, std::string& out) {
  if (form_ == Form::text) put_table(out);
  if (form_ == Form::csv && rows_ == 0) put_heads(out);
  if (!more) return;
  if (form_ == Form::text) out += "… there are more rows; -n shows more than " + report::count_text(rows_) + "\n";
  if (form_ == Form::json) {
    report::JsonWriter json(out);
    json.begin_object();
    json.field("_truncated", true);
    json.field("_rows", std::uint64_t{rows_});
    json.end_object();
    out += '\n';
  }
}

}  // namespace tailcap::views

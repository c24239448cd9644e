#include "analyze/cli/options/chosen_columns.h"

#include <algorithm>
#include <string_view>

#include "analyze/cli/options/command_line.h"
#include "analyze/model/columns/columns.h"
#include "analyze/report/json/column_json.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "formats/nearest.h"

namespace tailcap::cli {
namespace {

using model::columns::ColumnType;
using model::columns::RequestColumn;
using model::columns::Unit;

constexpr std::string_view kUnknown = "–";

const RequestColumn& column_named(std::string_view name) {
  std::vector<std::string_view> names;
  for (const RequestColumn* const column : model::columns::on(model::columns::Surface::filter)) {
    if (column->type == ColumnType::nested) continue;
    if (name == column->name || (!name.empty() && name == column->short_form)) return *column;
    names.push_back(column->name);
  }
  throw UsageError("there is no column '" + report::printable(name) + "'" + formats::suggestion(name, names) +
                   "; --fields lists them");
}

struct ValueText {
  Unit unit;
  std::string operator()(std::monostate) const { return std::string(kUnknown); }
  std::string operator()(bool truth) const { return truth ? "true" : "false"; }
  std::string operator()(std::string_view text) const { return report::printable(text); }
  std::string operator()(std::int64_t number) const {
    switch (unit) {
      case Unit::nanoseconds:
        return report::duration_text(report::Duration{number});
      case Unit::since_1970:
        return report::utc_text(number, 6);
      case Unit::bytes:
        if (number >= 0) return report::bytes_text(static_cast<std::uint64_t>(number));
        break;
      case Unit::none:
        break;
    }
    return std::to_string(number);
  }
  std::string operator()(const model::columns::Flags& flags) const {
    std::string out;
    for (const std::string_view name : flags.names(flags.bits)) out += (out.empty() ? "" : ",") + std::string(name);
    return out.empty() ? std::string(kUnknown) : out;
  }
};

}  // namespace

ChosenColumns::ChosenColumns(const std::string& names) {
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t comma = std::min(names.find(',', at), names.size());
    std::string name = names.substr(at, comma - at);
    columns_.push_back(&column_named(name));
    widths_.push_back(report::columns(name));
    names_.push_back(std::move(name));
    at = comma + 1;
  }
}

bool ChosenColumns::need(model::columns::Need what) const {
  return std::ranges::any_of(columns_, [&](const RequestColumn* column) { return (column->needs & what) != 0; });
}

std::vector<std::string> ChosenColumns::cells(const model::columns::ColumnFacts& facts) const {
  std::vector<std::string> out;
  for (const RequestColumn* const column : columns_)
    out.push_back(std::visit(ValueText{column->unit}, column->get(facts)));
  return out;
}

void ChosenColumns::append(report::JsonWriter& json, const model::columns::ColumnFacts& facts) const {
  for (const RequestColumn* const column : columns_) {
    if (model::columns::known(column->get(facts))) {
      report::append_column(json, *column, facts, column->name);
      continue;
    }
    json.key(column->name);
    json.null();
  }
}

void ChosenColumns::make_room(const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < widths_.size(); ++i) widths_[i] = std::max(widths_[i], report::columns(cells[i]));
}

std::string ChosenColumns::line(const std::vector<std::string>& cells) const {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::size_t width = report::columns(cells[i]);
    const std::string room(width < widths_[i] ? widths_[i] - width : 0, ' ');
    const bool last = i + 1 == cells.size();
    out += columns_[i]->type == ColumnType::number ? room + cells[i] : cells[i] + (last ? std::string() : room);
    if (!last) out += "  ";
  }
  return out;
}

std::string ChosenColumns::head() const { return line(names_); }

}  // namespace tailcap::cli

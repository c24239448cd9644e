#include "analyze/query/field.h"

#include <array>
#include <utility>
#include <vector>

#include "analyze/model/columns/columns.h"
#include "analyze/model/label.h"
#include "formats/nearest.h"

namespace tailcap::query {
namespace {

namespace columns = model::columns;
using columns::RequestColumn;

constexpr std::string_view kLabelPrefix = "labels.";  // of fields that are named after labels: "labels.lock.futex"

template <std::size_t label>
columns::ColumnValue label_of(const columns::ColumnFacts& f) {
  const auto parts = f.row.account ? f.row.account->parts(f.row.id) : model::AccountParts();
  if (parts.empty()) return {};
  std::int64_t time = 0;
  for (const model::AccountPart& part : parts)
    if (part.label == static_cast<model::Label>(label)) time += part.time;
  return time;
}

template <std::size_t... labels>
constexpr auto label_getters(std::index_sequence<labels...>) {
  return std::array<decltype(RequestColumn::get), sizeof...(labels)>{label_of<labels>...};
}
constexpr auto kLabelGetters = label_getters(std::make_index_sequence<model::kLabels>());

struct LabelFields {
  std::array<std::string, model::kLabels> names;
  std::array<RequestColumn, model::kLabels> fields;
  LabelFields() {
    for (std::size_t i = 0; i < model::kLabels; ++i) {
      names[i] = std::string(kLabelPrefix) + std::string(model::name_of(static_cast<model::Label>(i)));
      fields[i] = RequestColumn{.name = names[i],
                                .type = columns::ColumnType::number,
                                .unit = columns::Unit::nanoseconds,
                                .says = "time under this label",
                                .get = kLabelGetters[i]}
                      .needing(columns::kAccount)
                      .at_its_end();
    }
  }
};

}  // namespace

std::optional<Field> find_field(std::string_view name) {
  if (name.starts_with(kLabelPrefix)) {
    static const LabelFields of;
    const auto label = model::label_of(name.substr(kLabelPrefix.size()));
    if (!label) return std::nullopt;
    const RequestColumn& column = of.fields[static_cast<std::size_t>(*label)];
    return Field{column.name, &column};
  }
  for (const RequestColumn* const column : columns::on(columns::Surface::filter))
    for (const std::string_view known : {column->name, column->short_form, column->old_name})
      if (!known.empty() && known == name) return Field{known, column};
  return std::nullopt;
}

std::string suggested_field(std::string_view name) {
  std::vector<std::string_view> names;
  for (const RequestColumn* const column : columns::on(columns::Surface::filter)) {
    names.push_back(column->name);
    if (!column->short_form.empty()) names.push_back(column->short_form);
  }
  return formats::suggestion(name, names);
}

std::string field_names() {
  std::string out;
  for (const RequestColumn* const column : columns::on(columns::Surface::filter)) {
    if (!out.empty()) out += ", ";
    out += column->short_form.empty() ? column->name : column->short_form;
  }
  return out + ", labels.NAME";
}

}  // namespace tailcap::query

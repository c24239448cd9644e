#include "analyze/report/page/function_data.h"

#include <algorithm>

namespace tailcap::report::page {
namespace {

constexpr std::size_t kFunctionsOfOne = 40;  // those with the most

}  // namespace

void write_functions(JsonWriter& json, const model::RequestTable& table, const FactsOfRequests& facts,
                     std::span<const ShownRow> rows, DataTexts& texts) {
  json.key("stacks");
  json.begin_array();
  json.boolean(facts.samples);
  json.boolean(facts.wait_stacks);
  json.end_array();
  json.key("functions");
  json.begin_array();
  for (std::uint32_t i = 0; i < rows.size() && facts.functions; ++i) {
    if (!rows[i].detailed || table.rows.role(rows[i].row) != model::Role::server) continue;
    const auto functions = facts.functions(table.rows.id(rows[i].row));
    for (std::size_t n = 0; n < std::min(functions.size(), kFunctionsOfOne); ++n) {
      const model::RequestFunction& f = functions[n];
      json.number(std::uint64_t{i});
      json.number(std::uint64_t{f.waited});
      json.number(std::uint64_t{f.stacked});
      for (const std::string* name : {&f.function, &f.called, &f.caller})
        json.number(std::uint64_t{name->empty() ? 0 : texts.number(*name)});
      json.number(f.count);
      json.number(f.value);
    }
  }
  json.end_array();
}

}  // namespace tailcap::report::page

#include "analyze/report/page/shown_rows.h"

#include <algorithm>
#include <set>

namespace tailcap::report::page {
namespace {

// Chooses `many` of `from` at equal distances.
std::vector<std::uint32_t> evenly(const std::vector<std::uint32_t>& from, std::size_t many) {
  if (from.size() <= many) return from;
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < many; ++i) out.push_back(from[i * from.size() / many]);
  return out;
}

// The `most` rows of `from` with the greatest weight, ascending. A quarter of them is kept for rows without weight, so
// that what is special is seen beside what is usual.
std::vector<std::uint32_t> most_telling(const std::vector<std::uint32_t>& from,
                                        const std::vector<std::uint8_t>& weight_of, std::size_t most) {
  if (from.size() <= most) return from;
  std::vector<std::uint32_t> telling, others;
  for (const int weight : {4, 3, 2, 1}) {
    std::vector<std::uint32_t> alike;
    for (const std::uint32_t row : from)
      if (weight_of[row] == weight) alike.push_back(row);
    const std::vector<std::uint32_t> some = evenly(alike, most - most / 4 - telling.size());
    telling.insert(telling.end(), some.begin(), some.end());
  }
  std::ranges::sort(telling);
  for (const std::uint32_t row : from)
    if (!std::ranges::binary_search(telling, row)) others.push_back(row);
  const std::vector<std::uint32_t> some = evenly(others, most - telling.size());
  telling.insert(telling.end(), some.begin(), some.end());
  std::ranges::sort(telling);
  return telling;
}

// Their other ends and what they called.
void add_below(const model::RequestTable& table, std::set<model::ExchangeId>& around) {
  for (std::size_t before = 0; before != around.size();) {
    before = around.size();
    for (std::size_t i = 0; i < table.rows.size(); ++i)
      if (around.contains(table.rows.id(i)) && table.rows.peer(i).connection != 0) around.insert(table.rows.peer(i));
    for (const auto& [call, cause] : table.causes)
      if (around.contains(cause.parent)) around.insert(call);
  }
}

}  // namespace

std::vector<model::ExchangeId> requests_around(const model::Study& study, const model::RequestTable& table,
                                               model::ExchangeId opened) {
  if (opened.connection == 0) return {};
  std::set<model::ExchangeId> around = {opened};
  for (const model::RouteStudy& route : study.routes)
    if (route.tail)
      for (const model::Exemplar& e : route.tail->exemplars)
        if (table.rows.id(e.row) == opened) around.insert(table.rows.id(e.typical));
  add_below(table, around);
  for (const model::Culprit& c : table.partitions.culprits(opened))
    if (c.request.connection != 0) around.insert(c.request);
  if (const auto chains = table.chains.find(opened); chains != table.chains.end())
    for (const model::Chain& chain : chains->second)
      for (const model::Culprit& c : chain.steps)
        if (c.request.connection != 0) around.insert(c.request);
  return {around.begin(), around.end()};
}

std::vector<ShownRow> shown_rows(const model::RequestTable& table, std::span<const model::Course> courses,
                                 std::span<const std::uint32_t> answers, std::span<const model::ExchangeId> first,
                                 std::size_t detailed, std::size_t in_columns) {
  const model::Rows& rows = table.rows;
  std::vector<std::uint8_t> weight(rows.size());
  std::vector<std::uint32_t> all(rows.size());
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    all[i] = i;
    const auto course = std::ranges::lower_bound(courses, rows.id(i), {}, &model::Course::request);
    const bool followed = course != courses.end() && course->request == rows.id(i);
    const bool failed =
        rows.status(i) >= 500 || model::broke_off(rows.outcome(i), rows.taints(i), rows.has_duration(i));
    weight[i] = std::ranges::binary_search(first, rows.id(i)) ? 4 : answers[i] != 0 ? 3 : followed ? 2 : failed ? 1 : 0;
  }
  const std::vector<std::uint32_t> held = most_telling(all, weight, in_columns);
  const std::vector<std::uint32_t> known = most_telling(held, weight, detailed);
  std::vector<ShownRow> out;
  for (const std::uint32_t row : held) out.push_back({row, answers[row], std::ranges::binary_search(known, row)});
  return out;
}

}  // namespace tailcap::report::page

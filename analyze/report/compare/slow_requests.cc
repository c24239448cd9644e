#include "analyze/report/compare/slow_requests.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

#include "analyze/report/compare/compare_words.h"
#include "analyze/report/request/waterfall_table.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using render::Column;
using render::Table;

constexpr std::size_t kSlowLabels = 12;

std::string of_ns(std::int64_t ns) { return duration_text(Duration{ns}); }

std::string change_of(std::int64_t ns) {
  return ns == 0 ? "0 s" : (ns < 0 ? "−" : "+") + duration_text(Duration{std::abs(ns)});
}

Table labels_of(const SlowPair& pair) {
  std::map<std::size_t, std::array<std::int64_t, 2>> sums;
  for (std::size_t side = 0; side < 2; ++side)
    for (const auto& [account, ns] : (side == 0 ? pair.base : pair.fresh).accounts) sums[account][side] += ns;
  std::vector<std::pair<std::size_t, std::array<std::int64_t, 2>>> rows(sums.begin(), sums.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& x, const auto& y) {
    return std::abs(x.second[1] - x.second[0]) > std::abs(y.second[1] - y.second[0]);
  });
  Table table;
  table.columns = {{"label", Column::Kind::name}, {"base"}, {"new"}, {"change"}};
  std::array<std::int64_t, 2> rest{pair.base.duration, pair.fresh.duration};
  const auto add = [&](const std::string& name, std::int64_t base, std::int64_t fresh) {
    render::Row row;
    row.cells = {name, of_ns(base), of_ns(fresh), change_of(fresh - base)};
    table.rows.push_back(std::move(row));
  };
  for (std::size_t i = 0; i < std::min(kSlowLabels, rows.size()); ++i) {
    const auto& [account, ns] = rows[i];
    add(account_text(account), ns[0], ns[1]);
    rest = {rest[0] - ns[0], rest[1] - ns[1]};
  }
  if (rows.size() > kSlowLabels) add(std::to_string(rows.size() - kSlowLabels) + " more labels", rest[0], rest[1]);
  add("all", pair.base.duration, pair.fresh.duration);
  table.rows.back().strong = true;
  return table;
}

void add_side(const SlowRequest& r, const char* side, Duration span, Table& table) {
  const std::string name = std::string(side) + ", request " + id_text(r.id);
  if (const std::string why = no_waterfall(r.waterfall); why.empty()) {
    add_waterfall(r.waterfall, span, name + ": ", table);
  } else {
    render::Row row;
    row.group = name;
    row.cells = {render::Cell()};
    row.below.emplace_back(render::Tone::care, "no waterfall: " + why);
    table.rows.push_back(std::move(row));
  }
}

}  // namespace

void add_slow_pairs(const std::vector<SlowPair>& pairs, render::Document& out) {
  for (const SlowPair& pair : pairs) {
    out.heading(2, "One slow request of each side: " + route_text(pair.route));
    out.paragraph("The request of each side whose duration is nearest to its " + pair.metric + ": " +
                  id_text(pair.base.id) + " of " + printable(pair.base.path) + " took " + of_ns(pair.base.duration) +
                  ", " + id_text(pair.fresh.id) + " of " + printable(pair.fresh.path) + " took " +
                  of_ns(pair.fresh.duration) + ". They are examples: what differs on average is in the tables below.");
    render::List commands;
    for (const auto& [side, request] : {std::pair("base", &pair.base), {"new", &pair.fresh}}) {
      render::List::Item item;
      item.text = std::string(side);
      item.commands = {"tailcap show " + shell_word(request->path) + " " + id_text(request->id)};
      commands.items.push_back(std::move(item));
    }
    out.add(std::move(commands));
    out.add(labels_of(pair));
    const Duration span = std::max(pair.base.waterfall.span, pair.fresh.waterfall.span);
    Table table = waterfall_table();
    add_side(pair.base, "base", span, table);
    add_side(pair.fresh, "new", span, table);
    out.add(std::move(table));
    out.note("Both on one axis of " + duration_text(span) + ".");
  }
}

}  // namespace tailcap::report

#include "analyze/tail/health.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "analyze/tail/rows/standing.h"
#include "analyze/tail/study.h"

namespace tailcap::tail {
namespace {

constexpr std::size_t kServices = 4096;  // looked at; requests of further ones are left out

struct Sums {
  model::HealthRow row;
  std::size_t window = 0;               // the rows come in the order of their start: no earlier one is met again
  std::vector<std::int64_t> durations;  // in that window
  std::vector<std::int64_t> usual;      // 99th percentiles of windows
};

model::Duration p99_of(std::vector<std::int64_t>& durations) {
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(0.99 * static_cast<double>(durations.size()) - 1e-9)) - 1;
  const auto at = durations.begin() + std::max<std::ptrdiff_t>(rank, 0);
  std::nth_element(durations.begin(), at, durations.end());
  return model::Duration{*at};
}

void end_window(Sums& sums) {
  if (sums.durations.empty()) return;
  model::HealthCell& cell = sums.row.cells[sums.window];
  cell.timed = sums.durations.size();
  cell.p99 = p99_of(sums.durations);
  if (cell.timed >= model::Health::kFewest) sums.usual.push_back(cell.p99.count());
  sums.durations.clear();
}

}  // namespace

model::Health health_of(const model::RequestTable& table, const model::Study& study) {
  model::Health out;
  if (!formats::known(study.begin) || study.end <= study.begin) return out;
  out.begin = study.begin;
  out.window =
      model::Duration{(study.end - study.begin).count() / static_cast<std::int64_t>(model::Health::kWindows) + 1};
  std::map<std::pair<model::Role, model::TextId>, Sums> services;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const formats::Time start = table.rows.start(i);
    if (!formats::known(start) || start < study.begin || start >= study.end) continue;
    const model::RowNames names = table.rows.names(i);
    const model::Role role = table.rows.role(i);
    const model::Outcome outcome = table.rows.outcome(i);
    const model::TextId name = role == model::Role::server ? names.comm : names.authority;
    const std::pair key{role, name};
    if (services.size() >= kServices && services.find(key) == services.end()) continue;
    Sums& sums = services[key];
    if (sums.row.cells.empty()) {
      sums.row.name = table.texts[name];
      sums.row.role = role;
      sums.row.cells.resize(model::Health::kWindows);
    }
    const auto window = static_cast<std::size_t>((start - study.begin).count() / out.window.count());
    if (window != sums.window) end_window(sums);
    sums.window = window;
    model::HealthCell& cell = sums.row.cells[window];
    const DurationStanding standing = standing_of(table.rows, i);
    const bool error = outcome == model::Outcome::server_error || standing == DurationStanding::failed;
    ++cell.requests;
    ++sums.row.requests;
    cell.errors += error;
    sums.row.errors += error;
    count_answer(table.rows, i, sums.row.kinds);
    sums.row.kinds.other += outcome != model::Outcome::server_error && standing == DurationStanding::failed;
    if (standing == DurationStanding::clean) sums.durations.push_back(table.rows.duration(i).count());
    if (standing == DurationStanding::failed)
      sums.durations.push_back(std::max<std::int64_t>(0, table.rows[i].at_least));
  }
  for (auto& [key, sums] : services) {
    end_window(sums);
    std::sort(sums.usual.begin(), sums.usual.end());
    if (!sums.usual.empty()) sums.row.p99 = model::Duration{sums.usual[(sums.usual.size() - 1) / 2]};
    out.rows.push_back(std::move(sums.row));
  }
  std::stable_sort(out.rows.begin(), out.rows.end(), [](const model::HealthRow& a, const model::HealthRow& b) {
    if (a.role != b.role) return a.role == model::Role::server;
    return a.requests != b.requests ? a.requests > b.requests : a.name < b.name;
  });
  if (out.rows.size() > model::Health::kRows) {
    out.left_out = out.rows.size() - model::Health::kRows;
    out.rows.resize(model::Health::kRows);
  }
  return out;
}

}  // namespace tailcap::tail

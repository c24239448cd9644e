#include "analyze/tail/health.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "analyze/tail/study.h"

namespace tailcap::tail {
namespace {

constexpr std::size_t kServices = 4096;  // looked at; requests of further ones are left out

struct Sums {
  flow::HealthRow row;
  std::vector<std::vector<std::int64_t>> durations;  // by window
};

flow::Duration p99_of(std::vector<std::int64_t>& durations) {
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(0.99 * static_cast<double>(durations.size()) - 1e-9)) - 1;
  const auto at = durations.begin() + std::max<std::ptrdiff_t>(rank, 0);
  std::nth_element(durations.begin(), at, durations.end());
  return flow::Duration{*at};
}

}  // namespace

flow::Health health_of(const flow::RequestTable& table, const flow::Study& study) {
  flow::Health out;
  if (!formats::known(study.begin) || study.end <= study.begin) return out;
  out.begin = study.begin;
  out.window =
      flow::Duration{(study.end - study.begin).count() / static_cast<std::int64_t>(flow::Health::kWindows) + 1};
  std::map<std::pair<flow::Role, flow::TextId>, Sums> services;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const flow::Request row = table.rows[i];
    if (!formats::known(row.start) || row.start < study.begin || row.start >= study.end) continue;
    const flow::TextId name = row.role == flow::Role::server ? row.comm : row.authority;
    const std::pair key{row.role, name};
    if (services.size() >= kServices && services.find(key) == services.end()) continue;
    Sums& sums = services[key];
    if (sums.durations.empty()) {
      sums.row.name = table.texts[name];
      sums.row.role = row.role;
      sums.row.cells.resize(flow::Health::kWindows);
      sums.durations.resize(flow::Health::kWindows);
    }
    const auto window = static_cast<std::size_t>((row.start - study.begin).count() / out.window.count());
    flow::HealthCell& cell = sums.row.cells[window];
    const Standing standing = standing_of(row);
    const bool error = row.outcome == flow::Outcome::server_error || standing == Standing::failed;
    ++cell.requests;
    ++sums.row.requests;
    cell.errors += error;
    sums.row.errors += error;
    if (standing == Standing::clean) sums.durations[window].push_back(row.duration.count());
  }
  for (auto& [key, sums] : services) {
    std::vector<std::int64_t> usual;
    for (std::size_t w = 0; w < sums.durations.size(); ++w) {
      flow::HealthCell& cell = sums.row.cells[w];
      cell.timed = sums.durations[w].size();
      if (cell.timed < flow::Health::kFewest) continue;
      cell.p99 = p99_of(sums.durations[w]);
      usual.push_back(cell.p99.count());
    }
    std::sort(usual.begin(), usual.end());
    if (!usual.empty()) sums.row.p99 = flow::Duration{usual[(usual.size() - 1) / 2]};
    out.rows.push_back(std::move(sums.row));
  }
  std::stable_sort(out.rows.begin(), out.rows.end(), [](const flow::HealthRow& a, const flow::HealthRow& b) {
    if (a.role != b.role) return a.role == flow::Role::server;
    return a.requests != b.requests ? a.requests > b.requests : a.name < b.name;
  });
  if (out.rows.size() > flow::Health::kRows) {
    out.left_out = out.rows.size() - flow::Health::kRows;
    out.rows.resize(flow::Health::kRows);
  }
  return out;
}

}  // namespace tailcap::tail

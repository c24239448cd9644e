#include "analyze/tail/verdict/new_calls.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace tailcap::tail::verdict {
namespace {

constexpr std::size_t kLeastEachSide = 20;  // requests
constexpr double kMostSince = 0.5;          // of the requests since then make the call
// That none of the requests before made it by chance, if as many did as since then.
constexpr double kByChance = 1e-6;
constexpr std::size_t kMaxKinds = 64;  // of calls that are followed; the first that occur

struct CallKind {
  model::TextId method = 0, route = 0, authority = 0;
  auto operator<=>(const CallKind&) const = default;
};

struct Calls {
  std::size_t first = 0;       // the first request with one, a place in items
  std::set<std::size_t> with;  // requests
  double time = 0;
  model::ExchangeId example;
};

std::string name_of(const CallKind& kind, const Calls& calls, const model::RequestTable& table) {
  std::string out(table.texts[kind.method]);
  if (kind.route != 0) out += (out.empty() ? "" : " ") + std::string(table.texts[kind.route]);
  const model::ConnectionId connection = calls.example.connection;
  const std::string at = kind.authority != 0                 ? std::string(table.texts[kind.authority])
                         : connection < table.remotes.size() ? std::string(table.texts[table.remotes[connection]])
                                                             : std::string();
  return at.empty() ? out : out + " at " + at;
}

std::int64_t median_of(const std::vector<slow::Item>& items, std::size_t from, std::size_t to) {
  std::vector<std::int64_t> all;
  for (std::size_t i = from; i < to; ++i) all.push_back(items[i].duration);
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>((all.size() - 1) / 2);
  std::nth_element(all.begin(), middle, all.end());
  return *middle;
}

bool other_processes(const std::vector<slow::Item>& items, const Calls& calls, const model::RequestTable& table) {
  std::set<std::uint32_t> before, since;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::uint32_t pid = table.rows[items[i].row].pid;
    if (i < calls.first) before.insert(pid);
    if (calls.with.contains(i)) since.insert(pid);
  }
  return std::ranges::none_of(since, [&](std::uint32_t pid) { return pid == 0 || before.contains(pid); });
}

}  // namespace

std::optional<model::NewCalls> new_calls(const std::vector<slow::Item>& items, const VerdictContext& around) {
  const model::RequestTable& table = around.table;
  if (items.size() < 2 * kLeastEachSide || table.rows.role(items.front().row) != model::Role::server)
    return std::nullopt;
  std::map<CallKind, Calls> kinds;
  for (std::size_t i = 0; i < items.size(); ++i)
    for (const auto& [parent, call] : around.links.calls_of(table.rows.id(items[i].row))) {
      const auto row = around.links.row_of(call);
      if (!row) continue;
      const model::Request made = table.all()[*row];
      const CallKind kind{made.method, made.route, made.authority};
      auto at = kinds.find(kind);
      if (at == kinds.end()) {
        if (kinds.size() == kMaxKinds) continue;
        at = kinds.emplace(kind, Calls{.first = i, .with = {}, .time = 0, .example = call}).first;
      }
      at->second.with.insert(i);
      if (made.has_duration) at->second.time += static_cast<double>(made.duration.count());
    }
  const std::pair<const CallKind, Calls>* most = nullptr;
  for (const auto& kind : kinds) {
    const Calls& calls = kind.second;
    const std::size_t before = calls.first, since = items.size() - before;
    if (before < kLeastEachSide || since < kLeastEachSide) continue;
    const double share = static_cast<double>(calls.with.size()) / static_cast<double>(since);
    if (share < kMostSince || std::pow(1 - share + 1e-9, static_cast<double>(before)) > kByChance) continue;
    if (!most || calls.time > most->second.time) most = &kind;
  }
  if (!most) return std::nullopt;
  const Calls& calls = most->second;
  model::NewCalls out;
  out.what = name_of(most->first, calls, table);
  out.since = table.rows.start(items[calls.first].row);
  out.before = calls.first;
  out.after = calls.with.size();
  out.of = items.size() - calls.first;
  out.time = static_cast<std::int64_t>(calls.time / static_cast<double>(calls.with.size()));
  out.median_before = median_of(items, 0, calls.first);
  out.median_after = median_of(items, calls.first, items.size());
  out.other_processes = other_processes(items, calls, table);
  return out;
}

}  // namespace tailcap::tail::verdict

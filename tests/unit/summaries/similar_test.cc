#include "analyze/summaries/similar.h"

#include <algorithm>
#include <random>

namespace tailcap::summaries {
namespace {

using formats::Summary;

// What an incident of a kind adds to what a service does anyway: shares of its time. Made after the incidents of
// tests/lab: a lock, a slow database, disks, a CPU quota, a busy machine, a collector, a slow callee, a full pool.
struct IncidentKind {
  const char* label;
  const char* callee;
  const char* running;
  const char* waiting;
};
constexpr IncidentKind kKinds[] = {
    {"lock.futex", "", "", "reserve"},          {"down.wait", "db:5432", "", "execute"},
    {"io.disk", "", "", "write_journal"},       {"sched.throttled", "", "render", ""},
    {"sched.runq", "", "compress", ""},         {"go.gc_wait", "", "runtime.gcBgMarkWorker", ""},
    {"down.wait", "stock:8082", "", "receive"}, {"q.pool", "", "", "take"},
};

// The share of the incident is from 15 to 70 % of all; everything varies by chance, by a factor of 2 up or down.
Summary incident(std::size_t kind, std::mt19937_64& random) {
  const auto vary = [&](double x) { return x * std::exp(std::normal_distribution<double>(0, 0.35)(random)); };
  const double share = std::uniform_real_distribution<double>(0.15, 0.7)(random);
  const auto ns = [](double x) { return static_cast<std::int64_t>(x * 1e9) + 1; };
  Summary out;
  out.window = 300'000'000'000;
  auto& window = out.windows[0];
  auto& cell = window.routes[{"shop", "server", "GET", "/cart"}];
  const double scale = std::exp(std::uniform_real_distribution<double>(-3, 3)(random));  // load, and how long it lasted
  const auto label = [&](const char* name, double x) { cell.labels[name].add(ns(vary(x) * scale)); };
  for (const auto& [name, x] : {std::pair{"cpu", 0.35},
                                {"down.wait", 0.3},
                                {"sched.runq", 0.06},
                                {"lock.futex", 0.05},
                                {"io.disk", 0.03},
                                {"net.upload", 0.03},
                                {"q.accept", 0.02}})
    label(name, x * (1 - share));
  label(kKinds[kind].label, share);
  const auto call = [&](const char* to, double x) { window.edges[{"shop", to}].durations.add(ns(vary(x) * scale)); };
  for (const auto& [to, x] : {std::pair{"db:5432", 0.4}, {"stock:8082", 0.3}, {"redis:6379", 0.1}})
    call(to, x * (1 - share));
  if (*kKinds[kind].callee) call(kKinds[kind].callee, share);
  const auto function = [&](const char* name, double x, bool waited) {
    window.functions[{"shop", name, waited}] += static_cast<std::uint64_t>(vary(x) * scale * (waited ? 1e9 : 1e4)) + 1;
  };
  for (const char* name : {"parse", "render", "serialise", "compress"}) function(name, 0.2 * (1 - share), false);
  for (const char* name : {"execute", "receive", "read_request"}) function(name, 0.2 * (1 - share), true);
  if (*kKinds[kind].running) function(kKinds[kind].running, share, false);
  if (*kKinds[kind].waiting) function(kKinds[kind].waiting, share, true);
  return out;
}

TEST(Similar, TheNearestIncidentIsOfTheSameKind) {
  std::mt19937_64 random(17);
  std::vector<std::pair<std::size_t, SummaryProfile>> past;
  for (int i = 0; i < 10; ++i)
    for (std::size_t kind = 0; kind < std::size(kKinds); ++kind)
      past.emplace_back(kind, profile_of(incident(kind, random)));
  std::size_t same = 0, all = 0;
  for (int i = 0; i < 50; ++i)
    for (std::size_t kind = 0; kind < std::size(kKinds); ++kind) {
      const SummaryProfile profile = profile_of(incident(kind, random));
      const auto nearest =
          std::ranges::min_element(past, {}, [&](const auto& p) { return *compared(profile, p.second).distance; });
      same += nearest->first == kind;
      ++all;
    }
  RecordProperty("same_kind", std::to_string(same) + " of " + std::to_string(all));
  EXPECT_GE(static_cast<double>(same) / static_cast<double>(all), 0.95) << same << " of " << all;
}

TEST(Similar, DistancesAreThoseOfTheDefinition) {
  EXPECT_DOUBLE_EQ(shannon_distance({{"a", 1}}, {{"a", 1}}), 0);
  EXPECT_DOUBLE_EQ(shannon_distance({{"a", 1}}, {{"b", 1}}), 1);
  // p = (1/2, 1/2), q = (1, 0): divergence 0.311278 bits.
  EXPECT_NEAR(shannon_distance({{"a", 0.5}, {"b", 0.5}}, {{"a", 1}}), std::sqrt(0.3112781), 1e-6);
  EXPECT_DOUBLE_EQ(shannon_distance({{"a", 0.5}, {"b", 0.5}}, {{"a", 1}}),
                   shannon_distance({{"a", 1}}, {{"a", 0.5}, {"b", 0.5}}));
}

TEST(Similar, PartsThatOneDoesNotKnowAreLeftOut) {
  std::mt19937_64 random(1);
  Summary a = incident(0, random), b = incident(0, random);
  for (auto& [start, window] : b.windows) window.functions.clear();
  const model::SimilarSummary found = compared(profile_of(a), profile_of(b));
  EXPECT_TRUE(found.parts[0] && found.parts[1]);
  EXPECT_FALSE(found.parts[2] || found.parts[3]);
  ASSERT_TRUE(found.distance);
  EXPECT_FALSE(found.shared.empty());
  EXPECT_FALSE(compared(profile_of(a), profile_of(Summary{})).distance);
}

}  // namespace
}  // namespace tailcap::summaries

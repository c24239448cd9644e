#include "analyze/summaries/merge.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <stdexcept>

#include "formats/summary/summary_file.h"

namespace tailcap::summaries {
namespace {

using formats::Summary;
using formats::SummaryWindow;

constexpr std::int64_t kFive = 300'000'000'000;

// routes, edges, functions of `names` different names each, some of them shared with other seeds.
Summary made(std::uint64_t seed, std::size_t names = 20, int windows = 2) {
  std::mt19937_64 random(seed);
  Summary out;
  out.window = kFive;
  out.captures.insert({"capture-" + std::to_string(seed), "host", static_cast<std::int64_t>(seed) * kFive,
                       static_cast<std::int64_t>(seed + 1) * kFive, seed % 3, seed % 5 != 0});
  out.environment.emplace("kernel", "6.1." + std::to_string(seed % 300));
  for (int w = 0; w < windows; ++w) {
    SummaryWindow& window = out.windows[static_cast<std::int64_t>(random() % 50) * kFive];
    window.covered += kFive / 2;
    for (std::size_t i = 0; i < names; ++i) {
      const std::string name = std::to_string(random() % (2 * names + 1));
      formats::RouteCell& cell = window.routes[{"shop", i % 4 == 0 ? "client" : "server", "GET", "/" + name}];
      const std::uint64_t n = 1 + random() % 50;
      cell.requests += n;
      cell.judged += n;
      cell.failed += random() % 2;
      for (std::uint64_t k = 0; k < n; ++k)
        cell.durations[2].add(static_cast<std::int64_t>(1 + random() % 1'000'000'000));
      for (const char* label : {"cpu", "lock.futex", "down.wait", "io.disk", "sched.runq"})
        cell.labels[label].add(static_cast<std::int64_t>(1 + random() % 10'000'000), n);
      auto& call = window.edges[{"shop", "db" + name}];
      ++call.requests;
      call.durations.add(static_cast<std::int64_t>(1 + random() % 1'000'000));
      ++window.statements[{"postgresql", "SELECT " + name}].requests;
      window.functions[{"shop", "f" + name, i % 2 == 0}] += 1 + random() % 9;
    }
  }
  return out;
}

Summary sum(std::vector<Summary> parts) {
  Merger merger;
  for (Summary& part : parts) merger.add(std::move(part));
  return merger.finish();
}

TEST(Merge, AnyOrderAndGroupingGiveTheSameBytes) {
  std::vector<Summary> parts;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) parts.push_back(made(seed, 300));  // more names than are kept
  const Summary whole = sum(parts);
  const std::string bytes = formats::encode_summary(whole);
  std::set<std::string> routes;
  for (const auto& [start, window] : whole.windows)
    for (const auto& [route, cell] : window.routes) routes.insert(route.service + route.role + route.route);
  EXPECT_EQ(routes.size(), formats::kMostNames + 2);  // the others of servers and of clients
  std::mt19937_64 random(1);
  for (int round = 0; round < 15; ++round) {
    std::vector<Summary> left = parts;
    std::ranges::shuffle(left, random);
    while (left.size() > 1) {  // two at a time, any two
      const std::size_t i = random() % left.size();
      Summary one = std::move(left[i]);
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(i));
      const std::size_t j = random() % left.size();
      Summary stored;
      const std::string file = formats::encode_summary(one);
      ASSERT_EQ(formats::decode_summary(std::as_bytes(std::span(file)), stored), "");
      left[j] = sum({std::move(left[j]), std::move(stored)});
    }
    ASSERT_EQ(formats::encode_summary(left.front()), bytes) << "round " << round;
  }
}

TEST(Merge, NothingIsLostInOther) {
  std::vector<Summary> parts;
  std::uint64_t requests = 0, samples = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    parts.push_back(made(seed, 300));
    for (const auto& [start, window] : parts.back().windows) {
      for (const auto& [route, cell] : window.routes) requests += cell.requests;
      for (const auto& [function, amount] : window.functions) samples += amount;
    }
  }
  const Summary whole = sum(parts);
  for (const auto& [start, window] : whole.windows) {
    for (const auto& [route, cell] : window.routes) requests -= cell.requests;
    for (const auto& [function, amount] : window.functions) samples -= amount;
  }
  EXPECT_EQ(requests, 0u);
  EXPECT_EQ(samples, 0u);
}

TEST(Merge, ARecordingCountsOnce) {
  EXPECT_THROW(sum({made(1), made(1)}), std::runtime_error);
  Summary longer = made(1);
  longer.captures = {{"capture-1", "host", kFive + 5'000'000'000, 3 * kFive, 0, true}};  // a later snapshot of it
  EXPECT_THROW(sum({made(1), longer}), std::runtime_error);
  longer.captures = {{"capture-1", "host", 2 * kFive, 3 * kFive, 0, true}};  // the file after that
  EXPECT_EQ(sum({made(1), longer}).captures.size(), 2u);
}

TEST(Merge, WindowsHaveOneLength) {
  Summary other = made(2);
  other.window = 2 * kFive;
  EXPECT_THROW(sum({made(1), other}), std::runtime_error);
}

TEST(Merge, TheMostFrequentNamesOfACaptureStay) {
  Summary one = made(1, 0, 0);
  SummaryWindow& window = one.windows[0];
  for (int i = 0; i < 150; ++i)
    window.routes[{"shop", "server", "GET", "/" + std::to_string(i)}].requests = 1000u + static_cast<unsigned>(i);
  keep_most(one);
  EXPECT_EQ(window.routes.size(), formats::kOfCapture + 1);
  EXPECT_FALSE(window.routes.contains({"shop", "server", "GET", "/49"}));
  EXPECT_TRUE(window.routes.contains({"shop", "server", "GET", "/50"}));
}

// A measurement, not a bound: tests assert no speed (bench/RESULTS.md has it).
TEST(Merge, AThousandSummaries) {
  std::vector<std::string> files;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) files.push_back(formats::encode_summary(made(seed)));
  const auto begin = std::chrono::steady_clock::now();
  Merger merger;
  for (const std::string& file : files) {
    Summary one;
    ASSERT_EQ(formats::decode_summary(std::as_bytes(std::span(file)), one), "");
    merger.add(std::move(one));
  }
  const Summary whole = merger.finish();
  const std::string bytes = formats::encode_summary(whole);
  RecordProperty("seconds",
                 std::to_string(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()));
  EXPECT_EQ(whole.captures.size(), 1000u);
  EXPECT_LT(bytes.size(), 4u << 20);
}

}  // namespace
}  // namespace tailcap::summaries

// A capture read with one thread and with several says the same, losses and broken connections included.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "analyze/pipeline/pipeline.h"
#include "analyze/report/json/request_json.h"
#include "analyze/report/study/report_json.h"
#include "formats/bounds/read_limits.h"
#include "ground/threads/background.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/conversation.h"
#include "tests/synth/scenario.h"

namespace tailcap::threads_test {
namespace {

using namespace std::chrono_literals;
using synth::Scenario;

std::string report_of(const std::string& path, unsigned threads) {
  pipeline::Options options;
  options.threads = threads;
  options.partition = true;
  options.keep_connections = true;
  const pipeline::Analysis a = pipeline::analyze(path, options);
  std::string out = report::json_report(a.study, a.table);
  for (const model::Request row : a.table.rows) report::append_request(out, a.table, row, a.study.quality.clock);
  for (const model::Connection& c : a.connections)
    out += std::to_string(c.id) + " " + std::to_string(c.bytes_in) + " " + std::to_string(c.bytes_out) + "\n";
  return out;
}

// Six connections, one after the other reset, closed or left open; every fourth load loses events.
void load(unsigned seed, Scenario& scenario) {
  std::mt19937 random(seed);
  const auto between = [&](int low, int high) {
    return std::chrono::microseconds(std::uniform_int_distribution<int>(low, high)(random));
  };
  for (int number = 0; number < 6; ++number) {
    synth::Opening opening;
    opening.thread = {20, static_cast<std::uint32_t>(20 + number)};
    opening.remote = "10.0.0.2:" + std::to_string(40000 + number);
    auto [client, server] =
        scenario.loopback(between(0, 3'000), opening, {10, static_cast<std::uint32_t>(100 + number)});
    synth::converse(client, server, 150, random,
                    [&](int i) { return "/" + std::to_string(number) + "/" + std::to_string(i % 7); });
  }
  if (seed % 4 == 0) scenario.loss(between(0, 100'000), 300ms, formats::Kind::receive, 3);
}

TEST(Threads, SeveralSayWhatOneSays) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("threads_test-" + std::to_string(getpid()) + ".tcap");
  for (unsigned seed = 1; seed <= 12; ++seed) {
    Scenario scenario;
    load(seed, scenario);
    synth::write_capture(path, synth::plain_preamble(), scenario.events());
    if (seed % 3 == 0) std::filesystem::resize_file(path, std::filesystem::file_size(path) * 2 / 3);
    const std::string one = report_of(path, 1);
    EXPECT_GT(one.size(), 100'000u) << seed;
    for (const unsigned threads : {2u, 4u}) EXPECT_EQ(report_of(path, threads), one) << seed << ", " << threads;
  }
  std::filesystem::remove(path);
}

// Each reading is the first one of a file of its own: later readings stop where the first one did.
void expect_same_up_to(std::uint64_t requests, const Scenario& scenario) {
  const formats::ReadLimits before = formats::read_limits();
  formats::ReadLimits limits;
  limits.requests = requests;
  formats::set_read_limits(limits);
  std::vector<std::string> reports;
  for (const unsigned threads : {1u, 2u, 4u}) {
    const std::string path =
        std::filesystem::temp_directory_path() / ("threads_test-" + std::to_string(getpid()) + "-" +
                                                  std::to_string(requests) + "-" + std::to_string(threads) + ".tcap");
    synth::write_capture(path, synth::plain_preamble(), scenario.events());
    pipeline::Options options;
    options.threads = threads;
    const pipeline::Analysis a = pipeline::analyze(path, options);
    EXPECT_EQ(a.table.rows.size(), requests) << threads;
    reports.push_back(report::json_report(a.study, a.table));
    std::filesystem::remove(path);
  }
  EXPECT_EQ(reports[1], reports[0]) << requests;
  EXPECT_EQ(reports[2], reports[0]) << requests;
  formats::set_read_limits(before);
}

TEST(Threads, SeveralSayWhatOneSaysOfACaptureThatIsNotReadToItsEnd) {
  Scenario scenario;
  load(1, scenario);
  for (const std::uint64_t requests : {1u, 100u, 700u}) expect_same_up_to(requests, scenario);
}

// Far from the limit events are read ahead; near it they are not, so that it holds exactly.
TEST(Threads, SeveralSayWhatOneSaysWhereTheLimitComesAfterManyRequests) {
  constexpr std::uint64_t kMost = formats::RequestAllowance::kFar + 3'000;
  Scenario scenario;
  std::mt19937 random(1);
  auto [client, server] = scenario.loopback(1ms, {}, {10, 100});
  synth::converse(client, server, static_cast<int>(kMost / 2) + 100, random, [](int) { return std::string("/x"); });
  expect_same_up_to(kMost, scenario);
}

TEST(Background, DoesOneTaskAfterTheOther) {
  std::vector<int> done;
  {
    ground::Background background;
    for (int i = 0; i < 1000; ++i) background.run([&done, i] { done.push_back(i); });
    background.wait();
    EXPECT_EQ(done.size(), 1000u);
    background.run([&done] { done.push_back(1000); });
  }
  ASSERT_EQ(done.size(), 1001u);
  for (int i = 0; i <= 1000; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
}

TEST(Background, WaitsUntilThreeTasksAreLeft) {
  std::mutex mutex;
  std::vector<int> done;
  ground::Background background;
  for (int i = 0; i < 100; ++i) {
    background.run([&, i] {
      const std::lock_guard hold(mutex);
      done.push_back(i);
    });
    background.wait(3);
    const std::lock_guard hold(mutex);
    EXPECT_GE(done.size() + 3, static_cast<std::size_t>(i) + 1);
  }
}

TEST(Background, HandsOnWhatATaskThrows) {
  ground::Background background;
  int done = 0;
  std::mutex begin;
  {
    const std::lock_guard hold(begin);
    background.run([&] {
      const std::lock_guard wait(begin);
      throw std::runtime_error("from the task");
    });
    background.run([&done] { ++done; });  // not begun
  }
  EXPECT_THROW(background.wait(), std::runtime_error);
  EXPECT_EQ(done, 0);
  background.run([&done] { ++done; });
  background.wait();
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace tailcap::threads_test

// Requests of a window of time have the labels that they have in the whole recording. Others get none: that would take
// as long as the whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/conversation.h"
#include "tests/synth/scenario.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using pipeline::Moment;

// Four connections with requests after one another for some seconds.
void load(synth::Scenario& scenario) {
  std::mt19937 random(7);
  const auto between = [&](int low, int high) {
    return std::chrono::microseconds(std::uniform_int_distribution<int>(low, high)(random));
  };
  for (int number = 0; number < 4; ++number) {
    synth::Opening opening;
    opening.thread = {20, static_cast<std::uint32_t>(20 + number)};
    opening.remote = "10.0.0.2:" + std::to_string(40000 + number);
    auto [client, server] =
        scenario.loopback(between(0, 3'000), opening, {10, static_cast<std::uint32_t>(100 + number)});
    synth::converse(client, server, 300, random, [](int) { return std::string("/"); });
  }
}

TEST(Window, LabelsAreThoseOfTheWholeRecording) {
  synth::Scenario scenario;
  load(scenario);
  const std::vector<formats::Event> events = scenario.events();
  pipeline::Options options;
  options.partition = true;
  const pipeline::Analysis whole = pipeline::analyze(synth::plain_preamble(), events, options);
  options.from = Moment{false, 1'500'000'000};
  options.to = Moment{false, 1'700'000'000};
  const pipeline::Analysis part = pipeline::analyze(synth::plain_preamble(), events, options);
  ASSERT_GT(part.table.rows.size(), 50u);
  for (const model::Request row : part.table.rows) {
    const auto labels = part.table.partitions.parts(row.id), expected = whole.table.partitions.parts(row.id);
    ASSERT_FALSE(labels.empty());
    ASSERT_TRUE(std::equal(labels.begin(), labels.end(), expected.begin(), expected.end()));
    if (row.peer.connection != 0) {
      EXPECT_FALSE(part.table.partitions.parts(row.peer).empty());
    }
  }
  std::size_t without = 0;
  for (const model::Request row : whole.table.rows) {
    const formats::Duration start = row.start - part.study.begin + 1500ms;
    if (start + row.duration < 400ms || start > 2900ms) {
      EXPECT_TRUE(part.table.partitions.parts(row.id).empty());
      ++without;
    }
  }
  EXPECT_GT(without, 200u);
}

}  // namespace
}  // namespace tailcap

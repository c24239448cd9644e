// A report on the requests between two moments of a long capture reads only that part, and says of them what a report
// says that reads everything.
#include "analyze/pipeline/moments/since.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "analyze/model/wire/named_requests.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/question/question.h"
#include "analyze/pipeline/replay.h"
#include "analyze/report/study/report_json.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/conversation.h"
#include "tests/synth/scenario.h"
#include "tests/unit/pipeline/provisional_numbers.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using pipeline::Moment;
using synth::Scenario;

class Since : public testing::Test {
 protected:
  ~Since() override { std::filesystem::remove(path_); }

  void write(const Scenario& s) { synth::write_capture(path_, synth::plain_preamble(), s.events()); }

  struct Said {
    std::string json;  // without what is said of the whole capture
    std::size_t requests = 0;
    unsigned windows = 0;  // that were read; 0: everything was
    model::Quality quality;
  };
  Said said(std::optional<Moment> from, std::optional<Moment> to, bool part) const {
    Said out;
    pipeline::Options options;
    options.partition = true;
    options.from = from;
    options.to = to;
    options.first_events = 100;
    pipeline::Question question(path_, 0, {}, {.before = 200ms, .least_before = 1});
    question.ask(options, {.window = part, .decided = [](bool) { return true; }}, [&](pipeline::Replay& replay) {
      pipeline::Answer answer;
      pipeline::Analysis& a = answer.analysis;
      a = pipeline::analyze(replay, options, {});
      EXPECT_TRUE(a.wrong.empty());
      out.quality = std::exchange(a.study.quality, {});
      out.requests = a.table.rows.size();
      const model::NamedRequests named;
      out.json = report::json_report(a.study, a.table);
      answer.named = named.provisional();
      EXPECT_TRUE(std::ranges::includes(answer.named, provisional_numbers(out.json)));
      a.study.quality = out.quality;
      EXPECT_EQ(formats::known(out.quality.read_from), options.past != nullptr);
      out.windows += options.past != nullptr;
      return answer;
    });
    EXPECT_TRUE(provisional_numbers(out.json).empty());
    return out;
  }

  const std::string path_ =
      std::filesystem::temp_directory_path() / ("since_test-" + std::to_string(getpid()) + ".tcap");
};

// Eight connections with requests after one another for some seconds.
void add_http1(Scenario& scenario, std::mt19937& random) {
  for (int number = 0; number < 8; ++number) {
    synth::Opening opening;
    opening.thread = {20, static_cast<std::uint32_t>(20 + number)};
    opening.remote = "10.0.0.2:" + std::to_string(40000 + number);
    auto [client, server] = scenario.loopback(std::chrono::microseconds(number * 700), opening,
                                              {10, static_cast<std::uint32_t>(100 + number)});
    synth::converse(client, server, 400, random,
                    [](int i) { return i % 3 == 0 ? "/items/" + std::to_string(i) : std::string("/"); });
  }
}

std::string frame(char type, char flags, char stream, const std::string& payload) {
  return std::string{0, 0, static_cast<char>(payload.size()), type, flags, 0, 0, 0, stream} + payload;
}

// A connection whose later requests refer to the path of the first one.
void add_http2(Scenario& scenario) {
  synth::Opening opening;
  opening.thread = {30, 30};
  opening.remote = "10.0.0.3:50000";
  auto [client, server] = scenario.loopback(5ms, opening, {11, 110});
  const auto exchange = [](const std::string& a, synth::Endpoint& from, synth::Endpoint& to, formats::Duration at) {
    from.send(at, a);
    to.receive(at + 20us, at + 40us, a);
  };
  exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, ""), client, server, 6ms);
  exchange(frame(4, 0, 0, ""), server, client, 7ms);
  for (char i = 0; i < 60; ++i) {
    const auto at = 10ms + i * 50ms;
    const char stream = static_cast<char>(2 * i + 1);
    const std::string path = i == 0 ? std::string("\x44\x06/alpha") : std::string("\xbe");
    exchange(frame(1, 5, stream, "\x82\x86" + path), client, server, at);
    exchange(frame(1, 5, stream, "\x88"), server, client, at + 3ms + i * 10us);
  }
}

TEST_F(Since, SaysTheSameOfTheRequestsBetweenTwoMoments) {
  unsigned searched = 0;
  for (unsigned seed = 1; seed <= 6; ++seed) {
    std::mt19937 random(seed);
    Scenario scenario;
    add_http1(scenario, random);
    if (seed % 2 == 0) add_http2(scenario);
    write(scenario);
    const Moment from{false, 1'200'000'000 + seed * 100'000'000}, to{false, 2'200'000'000};
    for (const std::optional<Moment> end : {std::optional<Moment>(to), std::optional<Moment>()}) {
      const Said all = said(from, end, false), part = said(from, end, true);
      EXPECT_EQ(all.windows, 0u);
      EXPECT_GT(part.windows, 0u) << seed;
      EXPECT_LT(part.windows, 4u) << seed;
      EXPECT_GT(part.requests, 200u);
      EXPECT_EQ(part.requests, all.requests) << seed;
      EXPECT_EQ(part.json, all.json) << seed;
      EXPECT_LT(part.quality.events, all.quality.events);
      EXPECT_EQ(part.quality.requests, part.quality.complete) << "requests that began before the window";
      searched += part.windows > 1;
      if (seed % 2 == 0) {
        EXPECT_NE(part.json.find("/alpha"), std::string::npos);
      }
    }
  }
  EXPECT_GT(searched, 0u) << "no report named a request of a connection that was joined";
}

TEST_F(Since, ATimeOfDayIsThatOfTheWholeCapture) {
  std::mt19937 random(3);
  Scenario scenario;
  add_http1(scenario, random);
  write(scenario);
  pipeline::Options options;
  options.from = Moment{false, 1'500'000'000};
  const std::int64_t realtime = pipeline::analyze(path_).study.quality.realtime_offset;
  if (realtime == 0) GTEST_SKIP() << "the capture has no wall clock";
  const auto first = pipeline::analyze(path_).study.quality.file.first;
  const Moment of_day{true, formats::nanoseconds(first) + realtime + 1'500'000'000};
  EXPECT_EQ(said(of_day, {}, true).json, said(Moment{false, 1'500'000'000}, {}, false).json);
}

TEST_F(Since, ATimeOfDayIsNotKnownBeforeReadingADamagedCapture) {
  std::mt19937 random(3);
  Scenario scenario;
  add_http1(scenario, random);
  write(scenario);
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path_) / 2));
    file << "damage";
  }
  pipeline::Replay replay(path_);
  pipeline::Options options;
  options.from = Moment{true, 1'700'000'000'000'000'000};
  options.to = Moment{false, 2'000'000'000};
  EXPECT_FALSE(pipeline::resolve_moments(replay, options));
  EXPECT_TRUE(options.from->absolute);
  EXPECT_FALSE(options.to->of_capture);
}

TEST_F(Since, AllIsReadWhereTheRequestsBeginEarly) {
  std::mt19937 random(4);
  Scenario scenario;
  add_http1(scenario, random);
  write(scenario);
  EXPECT_EQ(said(Moment{false, 100'000'000}, Moment{false, 400'000'000}, true).windows, 0u);
}

TEST_F(Since, NothingBeginsAfterTheEnd) {
  std::mt19937 random(4);
  Scenario scenario;
  add_http1(scenario, random);
  write(scenario);
  EXPECT_EQ(said(Moment{false, 100'000'000'000}, {}, true).requests, 0u);
}

}  // namespace
}  // namespace tailcap

// What is said of requests of a capture of which only the beginning is read, or a window, is what is said of the whole.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/study/cut_note.h"
#include "analyze/model/wire/named_requests.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/question/question.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/request/detail.h"
#include "analyze/pipeline/window/past.h"
#include "analyze/report/request/show.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"
#include "tests/unit/pipeline/provisional_numbers.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using synth::Scenario;

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class Beginning : public testing::Test {
 protected:
  ~Beginning() override { std::filesystem::remove(path_); }

  void write(const Scenario& s) { synth::write_capture(path_, synth::plain_preamble(), s.events()); }

  pipeline::Analysis analyze(std::size_t first, std::optional<pipeline::Moment> until = {}) const {
    pipeline::Options options;
    options.study = false;
    options.beginning = first > 0 || until;
    options.first = first;
    options.to = until;
    options.first_events = 100;
    return pipeline::analyze(path_, options);
  }

  // What a line of `tailcap requests` is made of.
  static std::vector<std::string> lines(const pipeline::Analysis& a, std::size_t n) {
    std::vector<std::string> out;
    for (const model::Request row : a.table.rows) {
      if (out.size() == n) break;
      std::string line = std::to_string(row.id.connection) + "." + std::to_string(row.id.index) + " " +
                         std::to_string((row.start - synth::kStart).count()) + " " +
                         (row.has_duration ? std::to_string(row.duration.count()) : "-") + " " +
                         std::to_string(row.first_byte.count()) + " " + std::to_string(row.response_bytes) + " " +
                         std::to_string(row.status) + " " + std::string(model::name_of(row.outcome)) + " " +
                         std::string(a.table.texts[row.method]) + " " + std::string(a.table.texts[row.path]);
      for (const auto taint : model::names_of(row.taints)) line += " " + std::string(taint);
      out.push_back(line);
    }
    return out;
  }

  // What `tailcap show` says, without what a connection comes to in the end.
  std::string shown(model::ExchangeId id, bool beginning, bool& all_read) const {
    pipeline::Replay replay(path_);
    pipeline::Look look = pipeline::look(replay, id, {.part = beginning, .first_events = 100, .least_left = 0});
    all_read = !formats::known(look.study.quality.read_until);
    if (!look.detail) return "none";
    look.study.quality.read_until = formats::kNoTime;
    look.detail->request.connection = {};
    if (look.detail->peer) look.detail->peer->connection = {};
    return report::json_show(*look.detail, look.study, look.table);
  }

  struct InWindow {
    std::string text = "none";
    bool window = false;   // there was one
    bool counted = false;  // of the request's connection what came before it was only counted
    model::Connection connection;
  };
  // What it says after reading a window around the request.
  InWindow shown_in_window(model::ExchangeId id, std::uint32_t most_exchanges, std::uint64_t least_left = 0) const {
    InWindow out;
    pipeline::Question question(path_, 0, {}, {.least_before = 1, .most_exchanges = most_exchanges});
    question.ask({.part = true, .first_events = 100, .least_left = least_left},
                 [&](pipeline::Replay& replay, const pipeline::LookOptions& how) {
                   pipeline::AnswerOnOne answer;
                   answer.look = pipeline::look(replay, id, how);
                   out.window = replay.past() != nullptr;
                   out.counted = out.window && replay.past()->counted;
                   if (!answer.look.detail) return answer;
                   EXPECT_FALSE(answer.look.mistaken);
                   pipeline::Look& look = answer.look;
                   const formats::Time from = look.study.quality.read_from, until = look.study.quality.read_until;
                   EXPECT_EQ(formats::known(look.study.quality.read_from), out.window);
                   look.study.quality.read_until = look.study.quality.read_from = formats::kNoTime;
                   out.connection = std::exchange(look.detail->request.connection, {});
                   if (look.detail->peer) look.detail->peer->connection = {};
                   const model::NamedRequests named;
                   out.text = report::json_show(*look.detail, look.study, look.table);
                   answer.named = named.provisional();
                   EXPECT_TRUE(std::ranges::includes(answer.named, provisional_numbers(out.text)));
                   look.study.quality.read_from = from;
                   look.study.quality.read_until = until;
                   return answer;
                 });
    EXPECT_TRUE(provisional_numbers(out.text).empty());
    return out;
  }

  const std::string path_ =
      std::filesystem::temp_directory_path() / ("beginning_test-" + std::to_string(getpid()) + ".tcap");
};

struct Load {
  std::mt19937 random;
  Scenario scenario;

  explicit Load(unsigned seed) : random(seed) {}
  std::chrono::microseconds between(int low, int high) {
    return std::chrono::microseconds(std::uniform_int_distribution<int>(low, high)(random));
  }
  // One request after the other for a minute, seen at both ends; one in `rare` takes seconds.
  void connection(int number, int rare) {
    synth::Opening opening;
    opening.thread = {20, static_cast<std::uint32_t>(20 + number)};
    opening.remote = "10.0.0.2:" + std::to_string(40000 + number);
    const auto at = between(0, 3'000'000);
    auto [client, server] = scenario.loopback(at, opening, {10, static_cast<std::uint32_t>(100 + number)});
    formats::Duration now = at + 1ms;
    for (int i = 0; now < 60s; ++i) {
      const bool slow = std::uniform_int_distribution<int>(0, rare)(random) == 0;
      const std::string request =
          "GET /" + std::to_string(number) + "/" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
      const formats::Duration took = slow ? between(2'000'000, 20'000'000) : between(1'000, 100'000);
      client.send(now, request);
      server.receive(now + 20us, now + 50us, request);
      server.send(now + took, kOk);
      if (i % 7 == 0) server.retransmit(now + took + 10us, static_cast<std::uint32_t>(kOk.size()));
      client.receive(now + took + 20us, now + took + 40us, kOk);
      now += took + between(1'000, 800'000);
    }
  }
  void six_connections(bool losses) {
    for (int c = 0; c < 6; ++c) connection(c, 60);
    if (losses) scenario.loss(between(0, 5'000'000), 5s + between(0, 900'000), formats::Kind::receive, 3);
  }
};

TEST_F(Beginning, HasTheFirstRequestsOfTheWhole) {
  int beginnings = 0, wholes = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    Load load(seed);
    load.six_connections(seed % 4 == 0);
    write(load.scenario);
    const pipeline::Analysis whole = analyze(0);
    for (const std::size_t n : {1u, 7u, 60u}) {
      const pipeline::Analysis some = analyze(n);
      EXPECT_EQ(lines(some, n), lines(whole, n)) << "seed " << seed << ", " << n;
      (formats::known(some.study.quality.read_until) ? beginnings : wholes) += 1;
      EXPECT_EQ(some.damaged, seed % 4 == 0) << seed;
    }
  }
  EXPECT_GT(beginnings, 60);
}

// A cut capture shows only some requests: the first ones are the first of those.
TEST_F(Beginning, HasTheFirstRequestsOfACutCapture) {
  Load load(5);
  load.six_connections(false);
  write(load.scenario);
  const pipeline::Analysis whole = analyze(0);
  model::CutNote cut;
  cut.requests = whole.table.rows.size();
  for (std::size_t i = 0; i < whole.table.rows.size(); i += 9) cut.ids.push_back(whole.table.rows.id(i));
  std::ranges::sort(cut.ids);
  cut.shown = cut.ids.size();
  formats::Preamble preamble = synth::plain_preamble();
  for (auto& note : cut.to_notes()) preamble.notes.push_back(std::move(note));
  synth::write_capture(path_, preamble, load.scenario.events());
  const pipeline::Analysis all = analyze(0), some = analyze(7);
  ASSERT_EQ(all.table.rows.size(), cut.ids.size());
  EXPECT_EQ(lines(some, 7), lines(all, 7));
  EXPECT_TRUE(formats::known(some.study.quality.read_until));
}

TEST_F(Beginning, HasThoseBeforeAMoment) {
  int beginnings = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Load load(seed);
    load.six_connections(false);
    write(load.scenario);
    const pipeline::Moment until{.nanoseconds = std::chrono::nanoseconds(load.between(2'000'000, 20'000'000)).count()};
    const pipeline::Analysis whole = analyze(0), some = analyze(0, until);
    std::size_t n = 0;
    for (const model::Request row : whole.table.rows)
      n += row.start - whole.study.quality.file.first < formats::Duration(until.nanoseconds);
    ASSERT_EQ(some.table.rows.size(), n) << seed;
    EXPECT_EQ(lines(some, n), lines(whole, n)) << seed;
    EXPECT_EQ(some.study.quality.incomplete, 0u) << "under way where the reading ended";
    beginnings += formats::known(some.study.quality.read_until);
  }
  EXPECT_GT(beginnings, 15);
}

TEST_F(Beginning, SaysTheSameOfARequest) {
  int beginnings = 0, requests = 0;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    Load load(seed);
    load.six_connections(seed % 4 == 0);
    write(load.scenario);
    const pipeline::Analysis whole = analyze(0);
    for (std::size_t i = 0; i < whole.table.rows.size() / 3; i += 17) {
      bool all_read = false, always = true;
      const model::ExchangeId id = whole.table.rows.id(i);
      EXPECT_EQ(shown(id, true, all_read), shown(id, false, always)) << "seed " << seed << ", request " << i;
      EXPECT_TRUE(always);
      beginnings += !all_read;
      ++requests;
    }
  }
  EXPECT_GT(requests, 50);
  EXPECT_GT(beginnings, requests / 2);
}

TEST_F(Beginning, SaysTheSameOfARequestInAWindow) {
  int windows = 0, counted = 0, requests = 0;
  std::uint32_t retransmits = 0;
  for (unsigned seed = 1; seed <= 2; ++seed) {
    Load load(seed);
    for (int c = 0; c < 6; ++c) load.connection(c, 60);
    write(load.scenario);
    const pipeline::Analysis whole = analyze(0);
    for (std::size_t i = whole.table.rows.size() / 2; i < whole.table.rows.size(); i += 19) {
      bool always = true;
      const model::ExchangeId id = whole.table.rows.id(i);
      const std::string expected = shown(id, false, always);
      const InWindow all = shown_in_window(id, 1'000'000), few = shown_in_window(id, 0);
      EXPECT_EQ(all.text, expected) << "seed " << seed << ", request " << i;
      EXPECT_EQ(few.text, expected) << "seed " << seed << ", request " << i;
      EXPECT_FALSE(all.counted);
      windows += all.window;
      counted += few.counted;
      ++requests;
      if (requests % 4 != 0) continue;
      // Both read up to the end, so that they know the same of the connection.
      constexpr std::uint64_t kAll = 1'000'000;
      const model::Connection read = shown_in_window(id, kAll, kAll).connection;
      const model::Connection added = shown_in_window(id, 0, kAll).connection;
      EXPECT_EQ(added.established, read.established);
      EXPECT_EQ(added.bytes_in, read.bytes_in);
      EXPECT_EQ(added.bytes_out, read.bytes_out);
      EXPECT_EQ(added.lost_in, read.lost_in);
      EXPECT_EQ(added.lost_out, read.lost_out);
      EXPECT_EQ(added.retransmits, read.retransmits);
      retransmits += read.retransmits;
    }
  }
  EXPECT_GT(requests, 50);
  EXPECT_GT(windows, requests / 2);
  EXPECT_GT(counted, windows / 2);
  EXPECT_GT(retransmits, 0u);
}

TEST_F(Beginning, ReadsAllWhereLittleIsLeftOrTheRequestIsNotThere) {
  Load load(3);
  for (int c = 0; c < 6; ++c) load.connection(c, 1'000'000);
  write(load.scenario);
  const model::ExchangeId first = analyze(0).table.rows.id(0);
  const auto read_until = [&](model::ExchangeId id, std::uint64_t least_left) {
    pipeline::Replay replay(path_);
    return pipeline::look(replay, id, {.part = true, .first_events = 100, .least_left = least_left})
        .study.quality.read_until;
  };
  EXPECT_TRUE(formats::known(read_until(first, 0)));
  EXPECT_FALSE(formats::known(read_until(first, 1'000'000)));
  EXPECT_FALSE(formats::known(read_until({first.connection, 1'000'000}, 0)));
}

TEST_F(Beginning, ReadsOnWhileAnEarlierRequestHasNoAnswer) {
  Load load(1);
  auto& hung = load.scenario.open(0ms);
  hung.receive(1ms, 2ms, "GET /hung HTTP/1.1\r\nHost: h\r\n\r\n");
  load.connection(1, 1'000'000);
  write(load.scenario);
  const pipeline::Analysis a = analyze(1);
  EXPECT_FALSE(formats::known(a.study.quality.read_until));
  ASSERT_GE(a.table.rows.size(), 1u);
  EXPECT_EQ(a.table.texts[model::Request(*a.table.rows.begin()).path], "/hung");
  bool all_read = false;
  EXPECT_NE(shown(a.table.rows.id(1), true, all_read), "none");
  EXPECT_TRUE(all_read);
}

TEST_F(Beginning, FewerThanAskedForAreAll) {
  Load load(2);
  load.connection(1, 1'000'000);
  write(load.scenario);
  const std::size_t all = analyze(0).table.rows.size();
  const pipeline::Analysis a = analyze(all + 1);
  EXPECT_FALSE(formats::known(a.study.quality.read_until));
  EXPECT_EQ(a.table.rows.size(), all);
}

}  // namespace
}  // namespace tailcap

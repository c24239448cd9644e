// Random captures compared with their truth: every label of every request to the nanosecond, whatever else was
// recorded.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/labelled.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using formats::Event;
using model::Label;
using synth::Duration;
using synth::Scenario;

// Ten thousand requests in all.
constexpr std::uint64_t kCaptures = 100;
constexpr std::uint32_t kThreads = 4, kRequests = 25;

using Labels = std::map<std::string, std::map<Label, Duration>>;

pipeline::Analysis analysed(const std::vector<Event>& events) {
  pipeline::Options options;
  options.study = false;
  options.partition = true;
  return pipeline::analyze(synth::plain_preamble(), events, options);
}

Labels labels_of(const std::vector<Event>& events) {
  const pipeline::Analysis a = analysed(events);
  EXPECT_TRUE(a.wrong.empty());
  Labels out;
  for (const model::Request row : a.table.rows) {
    const std::string path(a.table.texts[row.path]);
    if (row.role != model::Role::server || path.substr(0, 2) != "/t") continue;
    Duration sum{};
    std::array<Duration, model::kPhases> phases{};
    for (const model::AccountPart& p : a.table.partitions.parts(row.id)) {
      EXPECT_GT(std::int64_t{p.time}, 0);
      out[path][p.label] += Duration{std::int64_t{p.time}};
      phases[static_cast<std::size_t>(p.phase)] += Duration{std::int64_t{p.time}};
      sum += Duration{std::int64_t{p.time}};
    }
    EXPECT_EQ(sum, row.duration);
    const auto names = model::phases_of(row.role);
    for (std::size_t i = 0; i < names.size(); ++i)
      EXPECT_EQ(phases[static_cast<std::size_t>(names[i])].count(), row.phases[i]);
  }
  return out;
}

Labels truth_of(const std::vector<synth::LabelledTruth>& truth) {
  Labels out;
  for (const auto& t : truth) out[t.target] = t.labels;
  return out;
}

// The differences; empty: none.
std::string difference(const Labels& found, const Labels& truth) {
  const auto text = [](const std::map<Label, Duration>& labels) {
    std::string out;
    for (const auto& [label, time] : labels)
      out += " " + std::string(model::name_of(label)) + " " + std::to_string(time.count());
    return out;
  };
  std::string out;
  for (const auto& [target, labels] : truth) {
    const auto at = found.find(target);
    if (at == found.end())
      out += target + " is missing\n";
    else if (at->second != labels)
      out += target + ":" + text(at->second) + "\n  is " + text(labels) + "\n";
  }
  return out.substr(0, 2000) + (found.size() > truth.size() ? "more than the truth" : "");
}

TEST(Partition, EveryLabelIsTheTruth) {
  for (std::uint64_t seed = 0; seed < kCaptures; ++seed) {
    Scenario s;
    const auto truth = truth_of(synth::labelled_service(s, seed, kThreads, kRequests));
    ASSERT_EQ(difference(labels_of(s.with_end()), truth), "") << "seed " << seed;
  }
}

// Longer than any state is kept, with a request under way all the time.
TEST(Partition, WhatIsForgottenIsNotMissed) {
  Scenario s;
  Labels truth;
  synth::Endpoint& stream = s.open(0ms, {});
  stream.receive(1ms, 1001us, "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int i = 0; i < 40; ++i) {
    const auto some =
        truth_of(synth::labelled_service(s, static_cast<std::uint64_t>(i), kThreads, kRequests, i * 1500ms));
    truth.insert(some.begin(), some.end());
    if (i == 20) stream.send(i * 1500ms, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }
  ASSERT_EQ(difference(labels_of(s.with_end()), truth), "");
}

TEST(Partition, OthersChangeNothing) {
  for (std::uint64_t seed = 0; seed < kCaptures; ++seed) {
    Scenario s;
    const auto truth = truth_of(synth::labelled_service(s, seed, kThreads, kRequests));
    std::mt19937_64 random(seed);
    const auto last = static_cast<std::uint64_t>((s.last() - synth::kStart).count());
    for (int i = 0; i < 200; ++i) {
      const Duration at{static_cast<std::int64_t>(random() % last)};
      const formats::Thread other{random() % 2 ? 10u : 77u, 5000 + static_cast<std::uint32_t>(random() % 5)};
      formats::OffCpu off;
      off.left = synth::kStart + at;
      off.runnable = off.left + Duration{10};
      off.state = 1;
      off.syscall = 202;
      off.argument0 = 0x7f00;
      switch (random() % 4) {
        case 0:
          s.add(at + 20ns, other, off);
          break;
        case 1:
          s.add(at, {}, formats::Arrival{900'000 + random() % 9, static_cast<std::uint32_t>(random()), 100, 0});
          break;
        case 2:
          s.add(at, {}, formats::Retransmit{900'000 + random() % 9, static_cast<std::uint32_t>(random()), 100});
          break;
        default:
          s.add(at, {78, 78},
                formats::GoRuntime{random() % 2 ? formats::GoPhase::stop_begin : formats::GoPhase::started, {}});
          break;
      }
    }
    ASSERT_EQ(difference(labels_of(s.with_end()), truth), "") << "seed " << seed;
  }
}

// Streams of several CPUs are only nearly in order.
TEST(Partition, NearlyInOrderIsEnough) {
  for (std::uint64_t seed = 0; seed < kCaptures; ++seed) {
    Scenario s;
    const auto truth = truth_of(synth::labelled_service(s, seed, kThreads, kRequests));
    std::vector<Event> events = s.events();
    // Off-CPU intervals and stalls of one stream come up to 50 µs after the others.
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      const auto place = [](const Event& e) {
        return e.time + (std::holds_alternative<formats::OffCpu>(e.body) ? 50us : 0us);
      };
      return place(a) < place(b);
    });
    events.push_back({s.last(), {}, formats::CaptureEnd{}});
    ASSERT_EQ(difference(labels_of(events), truth), "") << "seed " << seed;
  }
}

TEST(Partition, ALossTakesItsOwnTimeOnly) {
  for (std::uint64_t seed = 0; seed < kCaptures; ++seed) {
    Scenario s;
    const auto truth = synth::labelled_service(s, seed, kThreads, kRequests);
    std::mt19937_64 random(seed);
    const auto last = (s.last() - synth::kStart).count();
    const Duration from{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(last))},
        to = from + Duration{1 + static_cast<std::int64_t>(random() % 100'000)};
    s.loss(from, to, formats::Kind::off_cpu, 3, formats::LossCause::queue_full);
    const Labels found = labels_of(s.with_end());
    for (const auto& t : truth) {
      const Duration lost = std::max(Duration{}, std::min(to, t.end) - std::max(from, t.start));
      const auto& labels = found.at(t.target);
      const auto at = labels.find(Label::unexplained_lost);
      ASSERT_EQ(at == labels.end() ? Duration{} : at->second, lost);
      if (lost == Duration{}) {
        ASSERT_EQ(labels, t.labels);
      }
      for (const auto& [label, time] : labels) {
        if (label == Label::unexplained_lost) continue;
        ASSERT_TRUE(t.labels.contains(label));
        ASSERT_LE(time, t.labels.at(label));
      }
    }
  }
}

}  // namespace
}  // namespace tailcap

// Sums over an event loop's timeline are what its turns, looked at one by one for each request, come to.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap::partition_sums_test {
namespace {

using namespace std::chrono_literals;
using synth::Duration;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;
using synth::Thread;

// Ten thousand requests in all.
constexpr std::uint64_t kCaptures = 100;
constexpr std::size_t kRequests = 100;
constexpr Thread kLoop{10, 10};
const std::string kRequest = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kCall = "GET /call HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// A loop with many connections, in each iteration of which it reads and answers some; it waits, is preempted, stopped,
// and calls another service.
class RandomLoop {
 public:
  RandomLoop(Scenario& s, std::uint64_t seed) : s_(s), random_(seed) {}

  void run() {
    const std::size_t connections = 1 + below(40);
    for (std::size_t i = 0; i < connections; ++i) {
      Opening o;
      o.thread = kLoop;
      o.remote = "10.0.0.2:" + std::to_string(40000 + i);
      lanes_.push_back({&s_.open(0ms, o)});
      Opening c;
      c.thread = kLoop;
      c.origin = formats::Origin::connected;
      c.local = "10.0.0.1:" + std::to_string(50000 + i);
      c.remote = "10.0.0.3:80";
      lanes_.back().call = &s_.open(0ms, c);
    }
    for (std::size_t answered = 0; answered < kRequests;) {
      idle();
      for (std::size_t n = 1 + below(8); n > 0; --n) answered += act(lanes_[below(lanes_.size())]);
    }
  }

 private:
  struct Lane {
    Endpoint* in = nullptr;
    Endpoint* call = nullptr;
    Duration free{};  // of its last byte
    enum { none, reading, working, calling } state = none;
  };

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  Duration some(std::uint64_t most) { return Duration{1 + static_cast<std::int64_t>(below(most))}; }

  void off(Duration left, Duration runnable, Duration on, std::int16_t syscall, std::uint32_t state) {
    formats::OffCpu o;
    o.left = synth::kStart + left;
    o.runnable = syscall >= 0 && below(10) == 0 ? formats::kNoTime : synth::kStart + runnable;  // wake-up not seen
    o.syscall = syscall;
    o.state = state;
    s_.add(on, kLoop, o);
  }

  void idle() {
    const Duration left = now_;
    const Duration runnable = left + some(300'000), on = runnable + some(20'000);
    off(left, runnable, on, 232, 1);
    now_ = on;
  }

  // 1: a request was answered.
  std::size_t act(Lane& lane) {
    now_ += some(50'000);
    if (below(20) == 0) {
      const Duration on = now_ + some(2'000'000);
      off(now_, now_, on, -1, 0);
      now_ = on + some(1'000);
    } else if (below(200) == 0) {
      const Duration runnable = now_ + some(5'000'000), on = runnable + some(10'000);
      off(now_, runnable, on, -1, 4);
      now_ = on + some(1'000);
    }
    switch (lane.state) {
      case Lane::none: {
        const Duration arrived = std::max(lane.free + 1ns, now_ - some(400'000));
        if (arrived >= now_) return 0;
        if (below(8) == 0) {
          lane.in->arrive(arrived, 10);
          lane.in->read(now_, kRequest.substr(0, 10));
          lane.state = Lane::reading;
        } else {
          lane.in->receive(arrived, now_, kRequest);
          lane.state = Lane::working;
        }
        lane.free = now_;
        return 0;
      }
      case Lane::reading:
        lane.in->receive(std::max(lane.free + 1ns, now_ - some(100'000)), now_, kRequest.substr(10));
        lane.state = Lane::working;
        return 0;
      case Lane::working:
        if (below(6) == 0) {
          lane.call->send(now_, kCall);
          lane.free = now_;
          lane.state = Lane::calling;
          return 0;
        }
        lane.in->send(now_, kOk);
        lane.free = now_;
        lane.state = Lane::none;
        return 1;
      case Lane::calling:
        lane.call->receive(std::max(lane.free + 1ns, now_ - some(200'000)), now_, kOk);
        lane.free = now_;
        lane.state = Lane::working;
        return 0;
    }
    return 0;
  }

  Scenario& s_;
  std::mt19937_64 random_;
  std::vector<Lane> lanes_;
  Duration now_ = 1ms;
};

pipeline::Analysis analysed(const Scenario& s, bool every_turn) {
  pipeline::Options options;
  options.study = false;
  options.partition = true;
  options.every_turn = every_turn;
  return pipeline::analyze(synth::plain_preamble(), s.with_end(), options);
}

TEST(PartitionSums, AreWhatTheTurnsComeTo) {
  std::size_t requests = 0, blamed = 0;
  for (std::uint64_t seed = 0; seed < kCaptures; ++seed) {
    Scenario s;
    RandomLoop(s, seed).run();
    const pipeline::Analysis each = analysed(s, true), summed = analysed(s, false);
    ASSERT_TRUE(each.wrong.empty());
    ASSERT_TRUE(summed.wrong.empty());
    ASSERT_EQ(each.table.rows.size(), summed.table.rows.size());
    for (const model::Request r : each.table.rows) {
      const auto a = each.table.partitions.parts(r.id), b = summed.table.partitions.parts(r.id);
      ASSERT_EQ(a.size(), b.size()) << "seed " << seed;
      for (auto x = a.begin(), y = b.begin(); x != a.end(); ++x, ++y) {
        const model::AccountPart &one = *x, &other = *y;
        ASSERT_EQ(one.phase, other.phase) << "seed " << seed;
        ASSERT_EQ(one.label, other.label) << "seed " << seed;
        ASSERT_EQ(one.evidence, other.evidence) << "seed " << seed << " " << model::name_of(one.label);
        ASSERT_EQ(one.time, other.time) << "seed " << seed << " " << model::name_of(one.label);
      }
      requests += !a.empty();
      // Who is named is one of those who did hold it up, and not for longer than they did.
      for (const model::Culprit& c : summed.table.partitions.culprits(r.id)) {
        const auto all = each.table.partitions.culprits(r.id);
        if (c.label != model::Label::q_loop || all.size() >= 4) continue;
        ++blamed;
        ASSERT_TRUE(std::any_of(
            all.begin(), all.end(),
            [&](const model::Culprit& x) { return x.label == c.label && x.request == c.request && x.time >= c.time; }))
            << "seed " << seed;
      }
    }
  }
  EXPECT_GE(requests, kCaptures * kRequests);
  EXPECT_GT(blamed, 0u);
}

}  // namespace
}  // namespace tailcap::partition_sums_test

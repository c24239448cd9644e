// The stacks of requests, collected in the second reading of a capture.
#include "analyze/views/flame/request_stacks.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "analyze/pipeline/replay.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/text.h"

namespace tailcap {
namespace {

using formats::SampleKind;
using model::FoldedStack;

// Two requests of a thread, one after the other, and one of goroutine 7, which two threads run.
const std::string kCapture = R"(preamble tier=a payload_limit=256
+0 task_info pid=10 tid=10 comm="shop"
+0 task_info pid=20 tid=20 comm="stock"
+0.001 socket_info socket=5 family=inet type=stream origin=accepted state=established local=10.0.0.1:80 remote=10.0.0.2:4000 next_in=1000 next_out=5000
+0.001 socket_info socket=6 family=inet type=stream origin=accepted state=established local=10.0.0.1:81 remote=10.0.0.2:4001 next_in=1000 next_out=5000
+0.010 sample pid=10 tid=11 user="main;idle"
+0.020 arrival socket=5 pos=1000 len=25
+0.0201 receive pid=10 tid=11 socket=5 pos=1000 data="GET /a HTTP/1.1\r\nH: s\r\n\r\n"
+0.021 sample pid=10 tid=11 user="main;a;x" weight=2
+0.022 sample pid=10 tid=11 user="main;a;y" kernel="read"
+0.023 sample pid=10 tid=12 user="main;other"
+0.030 send pid=10 tid=11 socket=5 pos=5000 data="HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
+0.035 sample pid=10 tid=11 user="main;idle"
+0.040 arrival socket=5 pos=1025 len=25
+0.0401 receive pid=10 tid=11 socket=5 pos=1025 data="GET /a HTTP/1.1\r\nH: s\r\n\r\n"
+0.041 sample pid=10 tid=11 user="main;a;x"
+0.050 send pid=10 tid=11 socket=5 pos=5038 data="HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
+0.060 arrival socket=6 pos=1000 len=25
+0.0601 receive pid=20 tid=21 goroutine=7 socket=6 pos=1000 data="GET /b HTTP/1.1\r\nH: s\r\n\r\n"
+0.061 sample pid=20 tid=21 goroutine=7 user="serve;b"
+0.062 sample pid=20 tid=22 goroutine=7 user="serve;b"
+0.063 sample pid=20 tid=21 goroutine=8 user="other"
+0.064 sample pid=20 tid=22 user="runtime"
+0.065 sample pid=20 tid=22 goroutine=7 why=preempted user="serve;b"
+0.070 send pid=20 tid=22 goroutine=7 socket=6 pos=5000 data="HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
)";

class RequestStacks : public testing::Test {
 protected:
  RequestStacks() {
    const synth::TextCapture capture = synth::parse_text(kCapture);
    synth::write_capture(path_, capture.preamble, capture.events);
    options_.partition = true;
  }
  ~RequestStacks() override { std::filesystem::remove(path_); }

  void read(views::RequestStacks& stacks) {
    pipeline::Replay replay(path_);
    pipeline::SecondReading* const beside[] = {&stacks};
    analysis_ = pipeline::analyze(replay, options_, beside);
    EXPECT_EQ(replay.readings(), 2u);
  }

  static std::vector<FoldedStack> of(const views::RequestStacks& stacks, model::ExchangeId id,
                                     SampleKind kind = SampleKind::on_cpu) {
    return stacks.of({&id, 1}, kind);
  }

  const std::string path_ =
      std::filesystem::temp_directory_path() / ("request_stacks_test-" + std::to_string(getpid()) + ".tcap");
  pipeline::Options options_;
  pipeline::Analysis analysis_;
};

const std::vector<FoldedStack> kFirst = {{"shop;main;a;x", 2}, {"shop;main;a;y;read_[k]", 1}};
const std::vector<FoldedStack> kSecond = {{"shop;main;a;x", 1}};
const std::vector<FoldedStack> kGo = {{"stock;serve;b", 2}};

TEST_F(RequestStacks, OfAReportAreThoseOfEachRequest) {
  views::RequestStacks stacks(options_);
  read(stacks);
  EXPECT_EQ(of(stacks, {1, 1}), kFirst);
  EXPECT_EQ(of(stacks, {1, 2}), kSecond);
  EXPECT_EQ(of(stacks, {2, 1}), kGo);
  EXPECT_TRUE(of(stacks, {2, 1}, SampleKind::preempted).empty());  // a report has none
  const std::array<model::ExchangeId, 2> both = {{{1, 1}, {1, 2}}};
  EXPECT_EQ(stacks.of(both, SampleKind::on_cpu)[0], (FoldedStack{"shop;main;a;x", 3}));
  EXPECT_EQ(stacks.left_out(SampleKind::on_cpu), 0u);
}

TEST_F(RequestStacks, OfARouteAreThoseOfItsRequests) {
  views::RequestStacks stacks(options_);
  read(stacks);
  views::FlameChoice choice;
  const views::FlameResult all = stacks.of_route(analysis_.table.texts, "GET", "/a", choice);
  const std::vector<FoldedStack> expected = {{"shop;main;a;x", 3}, {"shop;main;a;y;read_[k]", 1}};
  EXPECT_EQ(all.flame.stacks, expected);
  EXPECT_EQ(all.flame.subtitle, "4 samples of 2 requests");
  choice.cohort = views::FlameRequests::slow;
  EXPECT_TRUE(stacks.of_route(analysis_.table.texts, "GET", "/a", choice).flame.stacks.empty());  // too few
  EXPECT_TRUE(stacks.of_route(analysis_.table.texts, "GET", "/c", {}).flame.stacks.empty());
}

TEST_F(RequestStacks, OfOneRequestAreNoOthers) {
  views::RequestStacks of_thread(model::ExchangeId{1, 2});
  read(of_thread);
  EXPECT_EQ(of(of_thread, {1, 2}), kSecond);
  EXPECT_TRUE(of(of_thread, {1, 1}).empty());
  views::RequestStacks of_goroutine(model::ExchangeId{2, 1});
  read(of_goroutine);
  EXPECT_EQ(of(of_goroutine, {2, 1}), kGo);
  EXPECT_EQ(of(of_goroutine, {2, 1}, SampleKind::preempted), (std::vector<FoldedStack>{{"stock;serve;b", 1}}));
}

TEST_F(RequestStacks, BeyondTheLimitAreCounted) {
  views::RequestStacks stacks(options_, {.samples = 3});
  read(stacks);
  EXPECT_EQ(of(stacks, {1, 1}), kFirst);
  EXPECT_EQ(of(stacks, {1, 2}), kSecond);
  EXPECT_TRUE(of(stacks, {2, 1}).empty());
  EXPECT_EQ(stacks.left_out(SampleKind::on_cpu), 3u);  // of goroutines; what no request had is none of them
}

TEST_F(RequestStacks, ManyDifferentStacksAreOne) {
  views::RequestStacks stacks(options_, {.texts = 2});
  read(stacks);
  EXPECT_EQ(of(stacks, {1, 1}), (std::vector<FoldedStack>{{"(other stacks)", 1}, {"shop;main;a;x", 2}}));
  EXPECT_EQ(of(stacks, {2, 1}), (std::vector<FoldedStack>{{"(other stacks)", 2}}));
}

}  // namespace
}  // namespace tailcap

// Responses that went out long after the service had written them.
#include <gtest/gtest.h>

#include "analyze/report/tail/sentence.h"
#include "tests/unit/tail/tail_case.h"

namespace tailcap::tests::undelivered_test {
namespace {

using model::Label;
using model::Verdict;
using model::VerdictKind;
using model::VerdictLevel;

constexpr std::int64_t kMs = 1'000'000;

// 40 requests of 3 ms; every fourth response went out only `late` ms after that.
struct Late : TailCase {
  Late(Label label, std::int64_t late, std::int64_t round_trip, std::uint8_t window) {
    std::vector<model::Undelivered> undelivered;
    for (int i = 0; i < 40; ++i) {
      model::Request& row = add("/export", i * 500 * kMs, {{Label::cpu, 3 * kMs}});
      row.response_bytes = 400'000;
      keep();
      if (i % 4 == 0) undelivered.push_back({row.id, late * kMs, label, window, round_trip, i == 0 ? 2u : 1u});
    }
    table.partitions.set_peers({{"10.0.0.9"}, {"10.0.0.8"}});
    table.partitions.set_undelivered(std::move(undelivered));
  }
  std::string answer() {
    for (const Verdict& v : run().verdicts)
      if (v.kind == VerdictKind::undelivered) {
        const bool avoidable = v.parts.front().label == Label::net_nagle;
        EXPECT_EQ(v.level, avoidable ? VerdictLevel::notable : VerdictLevel::note);
        return report::tail::sentence(v, study, table);
      }
    return "none";
  }
};

TEST(Undelivered, AClientThatReadsSlowly) {
  const std::string text = Late(Label::send_sndbuf, 460, 50'000, 97).answer();
  EXPECT_EQ(
      text.find("GET /export: 10 of 40 responses went out only 460 ms after the service had written them, on "
                "average; the service itself took 3.00 ms. They lay in the socket's buffer: the receive window of the "
                "client 10.0.0.9 was full for 97.0 % of that time, because it read slowly (inferred)."),
      0u)
      << text;
}

// 400 kB in windows of 8 KiB take 49 round trips, a second here: the client may read at once.
TEST(Undelivered, AFarClientWithASmallWindow) {
  const std::string text = Late(Label::send_sndbuf, 1000, 20 * kMs, 97).answer();
  EXPECT_NE(text.find("was full for 97.0 % of that time."), text.npos) << text;
  EXPECT_EQ(text.find("slowly"), text.npos) << text;
}

TEST(Undelivered, Nagle) {
  const std::string text = Late(Label::net_nagle, 41, 50'000, 0).answer();
  EXPECT_NE(text.find("Nagle's algorithm held their end back until the client 10.0.0.9 had acknowledged"), text.npos)
      << text;
  EXPECT_EQ(Late(Label::net_nagle, 41, 40 * kMs, 0).answer(), "none") << "a round trip is no delay";
}

TEST(Undelivered, WhatNetworksDo) {
  EXPECT_EQ(Late(Label::send_cwnd, 15, 50'000, 0).answer(), "none");
  EXPECT_EQ(Late(Label::send_sndbuf, 2, 50'000, 97).answer(), "none");
  EXPECT_NE(Late(Label::send_cwnd, 100, 50'000, 0).answer().find("the network on the way to the client 10.0.0.9"),
            std::string::npos);
}

}  // namespace
}  // namespace tailcap::tests::undelivered_test

// Generated load: the analyser finds every request exactly, at both ends.
#include <gtest/gtest.h>

#include <map>

#include "tests/synth/chain.h"
#include "tests/synth/load.h"

namespace tailcap {
namespace {

class LoadOf : public ::testing::TestWithParam<bool> {};

TEST_P(LoadOf, EveryRequestIsFoundAsItWas) {
  synth::LoadOptions options;
  options.requests = 20000;
  options.connections = 50;
  options.client = GetParam();
  synth::Load load(options);
  synth::Chain chain;
  std::map<std::pair<std::uint32_t, formats::Time>, synth::Truth> truth;
  std::map<std::pair<std::uint32_t, formats::Time>, model::Exchange> found;
  const auto keep = [&](const model::Exchange& x) {
    const formats::Time start = options.client ? x.request.first_done : x.request.first_arrived;
    found[{x.id.connection - 1, start}] = x;
  };
  formats::Time last = formats::kNoTime;
  std::uint64_t events = 0;
  while (const formats::Event* e = load.next()) {
    ASSERT_GE(e->time, last);
    last = e->time;
    ++events;
    chain.push(*e, keep);
    if (const synth::Truth* t = load.completed()) truth[{t->connection, t->start}] = *t;
  }
  chain.push({last, {}, formats::CaptureEnd{}}, keep);
  EXPECT_EQ(truth.size(), options.requests);
  EXPECT_EQ(found.size(), options.requests);
  EXPECT_GT(events, options.requests * 3);
  for (const auto& [key, t] : truth) {
    const auto it = found.find(key);
    ASSERT_NE(it, found.end()) << t.path;
    const model::Exchange& x = it->second;
    ASSERT_EQ(x.method, t.method);
    ASSERT_EQ(x.target, t.path);
    ASSERT_EQ(x.status, t.status);
    ASSERT_EQ(x.request_bytes, t.request_bytes);
    ASSERT_EQ(x.response_bytes, t.response_bytes);
    ASSERT_EQ(x.response.first_done, t.first_byte);
    ASSERT_EQ(x.response.last_done, t.end);
    ASSERT_TRUE(x.complete);
    ASSERT_EQ(x.predecessor_done, formats::kNoTime);
  }
}

INSTANTIATE_TEST_SUITE_P(Ends, LoadOf, ::testing::Bool(),
                         [](const auto& i) { return std::string(i.param ? "client" : "server"); });

TEST(Load, TheSameOptionsGiveTheSameEvents) {
  synth::Load a({}), b({});
  std::uint64_t n = 0;
  while (const formats::Event* e = a.next()) {
    const formats::Event* f = b.next();
    ASSERT_NE(f, nullptr);
    ASSERT_EQ(*e, *f);
    ++n;
  }
  EXPECT_EQ(b.next(), nullptr);
  EXPECT_GT(n, 4000u);
}

}  // namespace
}  // namespace tailcap

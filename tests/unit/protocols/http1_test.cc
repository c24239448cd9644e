// HTTP/1 messages from whole, split and truncated bytes, and the exchanges that result.
#include <gtest/gtest.h>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using model::Outcome;
using synth::Endpoint;
using synth::Scenario;

TEST(Http1, OneRequestOnAServer) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  e.send(5ms, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  const auto r = synth::analyse(s.events());
  ASSERT_EQ(r.exchanges.size(), 1u);
  const model::Exchange& x = r.exchanges[0];
  EXPECT_EQ(x.role, model::Role::server);
  EXPECT_EQ(x.method, "GET");
  EXPECT_EQ(x.target, "/a");
  EXPECT_EQ(x.authority, "x");
  EXPECT_EQ(x.status, 200);
  EXPECT_EQ(x.outcome, Outcome::ok);
  EXPECT_TRUE(x.complete);
  EXPECT_EQ(x.request_bytes, 0u);
  EXPECT_EQ(x.response_bytes, 2u);
  EXPECT_EQ(x.request.first_arrived, synth::kStart + 1ms);
  EXPECT_EQ(x.request.first_done, synth::kStart + 2ms);
  EXPECT_EQ(x.response.last_done, synth::kStart + 5ms);
  EXPECT_EQ(x.taints, 0u) << synth::describe(x);
}

}  // namespace
}  // namespace tailcap

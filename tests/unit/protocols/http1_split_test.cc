// Split everywhere: the division of a message into reads, writes and captured pieces changes nothing.
#include <gtest/gtest.h>

#include "tests/synth/chain.h"
#include "tests/synth/pairs.h"
#include "tests/synth/scenario.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using synth::Endpoint;
using synth::Pair;
using synth::Scenario;

const std::string kNext = "GET /next HTTP/1.1\r\nHost: n\r\n\r\n";
const std::string kNextAnswer = "HTTP/1.1 203 Next\r\nContent-Length: 3\r\n\r\nend";

// Moves `bytes` in pieces that end at the given places.
void move(Endpoint& e, bool in, formats::Duration at, const std::string& bytes, const std::vector<std::size_t>& cuts) {
  std::size_t from = 0;
  if (in) e.arrive(at - 1ms, static_cast<std::uint32_t>(bytes.size()));
  const auto piece = [&](std::size_t to) {
    if (to <= from || to > bytes.size()) return;
    const auto part = std::string_view(bytes).substr(from, to - from);
    in ? e.read(at, part) : e.send(at, part);
    from = to;
  };
  for (const std::size_t cut : cuts) piece(cut);
  piece(bytes.size());
}

std::string run(const Pair& p, bool server, const std::vector<std::size_t>& request_cuts,
                const std::vector<std::size_t>& response_cuts) {
  Scenario s;
  synth::Opening o;
  o.origin = server ? formats::Origin::accepted : formats::Origin::connected;
  Endpoint& e = s.open(0ms, o);
  move(e, server, 10ms, p.request, request_cuts);
  move(e, !server, 20ms, p.response, response_cuts);
  if (!p.ends_by_fin) {
    move(e, server, 30ms, kNext, {});
    move(e, !server, 40ms, kNextAnswer, {});
  }
  if (server)
    e.shut_down(50ms).close(51ms);
  else
    e.fin_arrives(50ms).eof(51ms).shut_down(52ms).close(53ms);
  const auto r = synth::analyse(s.events());
  EXPECT_EQ(r.findings[model::Finding::negative_interval], 0u) << p.name;
  return synth::describe(r.exchanges);
}

class Split : public ::testing::TestWithParam<bool> {};

TEST_P(Split, WholeMessagesAreUnderstood) {
  for (const Pair& p : synth::pairs()) {
    SCOPED_TRACE(p.name);
    Scenario s;
    synth::Opening o;
    o.origin = GetParam() ? formats::Origin::accepted : formats::Origin::connected;
    Endpoint& e = s.open(0ms, o);
    move(e, GetParam(), 10ms, p.request, {});
    move(e, !GetParam(), 20ms, p.response, {});
    if (GetParam())
      e.shut_down(50ms).close(51ms);
    else
      e.fin_arrives(50ms).eof(51ms);
    const auto r = synth::analyse(s.events());
    ASSERT_EQ(r.exchanges.size(), 1u);
    const model::Exchange& x = r.exchanges[0];
    EXPECT_EQ(x.method, p.method);
    EXPECT_EQ(x.target, p.target);
    EXPECT_EQ(x.status, p.status);
    EXPECT_EQ(x.request_bytes, p.request_bytes);
    EXPECT_EQ(x.response_bytes, p.response_bytes);
    EXPECT_TRUE(x.complete) << synth::describe(x);
    EXPECT_EQ(x.role, GetParam() ? model::Role::server : model::Role::client);
  }
}

TEST_P(Split, EveryTwoWaySplitOfBothDirectionsIsTheSame) {
  ASSERT_GE(synth::pairs().size(), 40u);
  for (const Pair& p : synth::pairs()) {
    const std::string whole = run(p, GetParam(), {}, {});
    for (std::size_t cut = 1; cut < p.request.size(); ++cut)
      ASSERT_EQ(run(p, GetParam(), {cut}, {}), whole) << p.name << ", request split at " << cut;
    for (std::size_t cut = 1; cut < p.response.size(); ++cut)
      ASSERT_EQ(run(p, GetParam(), {}, {cut}), whole) << p.name << ", response split at " << cut;
  }
}

TEST_P(Split, ByteByByteIsTheSame) {
  for (const Pair& p : synth::pairs()) {
    std::vector<std::size_t> all;
    for (std::size_t i = 1; i < 300; ++i) all.push_back(i);
    ASSERT_EQ(run(p, GetParam(), all, all), run(p, GetParam(), {}, {})) << p.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Ends, Split, ::testing::Bool(),
                         [](const auto& i) { return std::string(i.param ? "server" : "client"); });

// Pipelined: all requests in one read, all responses in one write, cut anywhere.
TEST(SplitPipelined, EveryTwoWaySplitIsTheSame) {
  std::string requests, responses;
  std::size_t n = 0;
  for (const Pair& p : synth::pairs()) {
    if (p.ends_by_fin || p.name == "connection close" || n == 12) continue;
    requests += p.request;
    responses += p.response;
    ++n;
  }
  const Pair all{"pipelined", requests, responses, "", "", 0, 0, 0, false};
  const std::string whole = run(all, true, {}, {});
  EXPECT_NE(whole.find("id 1.13\n"), std::string::npos);  // twelve, and the request behind them
  for (std::size_t cut = 1; cut < responses.size(); ++cut) ASSERT_EQ(run(all, true, {}, {cut}), whole) << cut;
}

// The beginning and the end of a long read of many requests are kept: those in the middle are not known, and the
// reason is that.
TEST(Http1Split, RequestsInTheMiddleOfALongRead) {
  for (const std::size_t keep : {100u, 105u, 107u, 120u}) {
    SCOPED_TRACE(keep);
    Scenario s;
    s.keep_payload(keep, 20);
    Endpoint& e = s.open(0ms);
    std::string requests;
    for (int i = 0; i < 10; ++i) requests += "GET /a HTTP/1.1\r\nHost: abcdefgh\r\n\r\n";
    e.receive(1ms, 2ms, requests);
    for (int i = 0; i < 10; ++i) e.send(3ms + i * 1ms, "HTTP/1.1 204 No Content\r\n\r\n");
    e.fin_arrives(20ms).eof(20ms).shut_down(21ms).close(22ms);
    const auto r = synth::analyse(s.events());
    EXPECT_EQ(r.exchanges.size(), 10u) << synth::describe(r.exchanges);
    EXPECT_EQ(r.findings[model::Finding::malformed_message], 0u);
    EXPECT_EQ(r.findings[model::Finding::unsolicited_response], 0u);
    int unseen = 0;
    for (const model::Exchange& x : r.exchanges) {
      EXPECT_FALSE(has(x.taints, model::Taint::began_before)) << synth::describe(x);
      EXPECT_FALSE(has(x.taints, model::Taint::bytes_lost)) << synth::describe(x);
      if (!x.method.empty()) continue;
      ++unseen;
      EXPECT_TRUE(has(x.taints, model::Taint::payload_cut)) << synth::describe(x);
    }
    EXPECT_GE(unseen, 6);
  }
}

}  // namespace
}  // namespace tailcap

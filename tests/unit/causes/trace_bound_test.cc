// A trace id that arrives late in a request applies to the whole request.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "analyze/pipeline/request/detail.h"
#include "analyze/report/request/show.h"
#include "tests/unit/spans/spans_case.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using synth::Endpoint;
using synth::Scenario;

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct Bound {
  Scenario s;
  std::string path =
      std::filesystem::temp_directory_path() / ("trace_bound_test-" + std::to_string(getpid()) + ".tcap");
  ~Bound() { std::filesystem::remove(path); }
  pipeline::Look look(model::ExchangeId id = {1, 1}) {
    synth::write_capture(path, synth::plain_preamble(), s.events());
    pipeline::Replay replay(path);
    return pipeline::look(replay, id);
  }
  std::string text(model::ExchangeId id = {1, 1}) {
    const auto l = look(id);
    report::ReportOptions how;
    how.width = 400;
    return report::text_show(*l.detail, l.study, how);
  }
};

const std::string kFirst = "GET /late HTTP/1.1\r\nHost: h\r\n", kSecond = "X-Filler: aaaa\r\nTracePar",
                  kThird = "ent: 00-" + kTrace + "-b7ad6b7169203331-01\r\n\r\n";

TEST(TraceBound, InTheThirdSegment) {
  Bound b;
  b.s.clock(0ms, 1'700'000'000'000'000'000);
  Endpoint& c = b.s.open(0ms);
  c.receive(1ms, 1ms + 100us, kFirst);
  formats::Stall fault;
  fault.what = formats::StallKind::major_fault;
  fault.began = synth::kStart + 2ms;
  b.s.add(2ms + 100us, c.thread(), fault);
  c.receive(3ms, 3ms + 100us, kSecond);
  c.receive(5ms, 6ms, kThird);
  c.send(9ms, kOk);
  const auto l = b.look();
  ASSERT_TRUE(l.detail && l.detail->request.bound);
  const model::TraceBinding& bound = *l.detail->request.bound;
  EXPECT_EQ(bound.field, "TraceParent");
  EXPECT_EQ(bound.byte, kFirst.size() + kSecond.size() + kThird.size() - 5) << "the last of its value";
  EXPECT_EQ(bound.sequence, 5000 + bound.byte);
  EXPECT_EQ(bound.part, 3u);
  EXPECT_EQ(bound.parts, 3u);
  EXPECT_EQ(bound.at, synth::kStart + 5ms);
  EXPECT_EQ(bound.read, synth::kStart + 6ms);
  const std::string text = b.text();
  EXPECT_NE(text.find("trace       " + kTrace + ", bound at byte " + std::to_string(bound.byte) +
                      " of the request (seq " + std::to_string(bound.sequence) +
                      "), the end of TraceParent, in the 3rd of 3 segments, which arrived at +4.00 ms, read at +5.00 "
                      "ms; what happened before it carries it, too"),
            std::string::npos)
      << text;
  const auto json = nlohmann::json::parse(report::json_show(*l.detail, l.study, l.table));
  EXPECT_EQ(json["end"]["trace_bound"]["part"], 3);
  EXPECT_EQ(json["end"]["trace_bound"]["at_ns"], 4'000'000);
  // Everything between the first segment and the third belongs to that trace.
  const auto spans = spans::spans_of_events(b.s.with_end());
  ASSERT_EQ(spans->all().size(), 1u);
  EXPECT_EQ(model::trace_hex(spans->all()[0]->context), kTrace);
  EXPECT_EQ(spans->all()[0]->start, 1'700'000'000'001'000'000);
  ASSERT_EQ(spans->all()[0]->events.size(), 1u);
  EXPECT_EQ(spans->all()[0]->events[0].name, "page_fault.major");
}

TEST(TraceBound, OfTheSecondRequestOnAConnectionWithASegmentSentAgain) {
  Bound b;
  Endpoint& c = b.s.open(0ms);
  const std::string other = "GET /other HTTP/1.1\r\nHost: h\r\n\r\n";
  c.receive(1ms, 1ms, other).send(2ms, kOk);
  c.receive(11ms, 11ms, kFirst);
  c.arrive_at(12ms, other.size(), static_cast<std::uint32_t>(kFirst.size()));  // the same once more
  c.receive(13ms, 13ms, kSecond + kThird);
  c.send(19ms, kOk);
  const auto l = b.look({1, 2});
  ASSERT_TRUE(l.detail && l.detail->request.bound);
  EXPECT_EQ(l.detail->request.bound->byte, kFirst.size() + kSecond.size() + kThird.size() - 5);
  EXPECT_EQ(l.detail->request.bound->part, 2u);
  EXPECT_EQ(l.detail->request.bound->parts, 2u);
}

TEST(TraceBound, WhereItCannotBeToldItIsNot) {
  {
    Bound b;  // none at all
    Endpoint& c = b.s.open(0ms);
    c.receive(1ms, 1ms, kFirst + "\r\n").send(2ms, kOk);
    EXPECT_FALSE(b.look().detail->request.bound);
    EXPECT_EQ(b.text().find("\n   trace "), std::string::npos);
  }
  {
    Bound b;  // the segment with it was not seen to arrive
    Endpoint& c = b.s.open(0ms);
    c.receive(1ms, 1ms, kFirst).read(2ms, kSecond + kThird).send(3ms, kOk);
    const auto l = b.look();
    ASSERT_TRUE(l.detail->request.bound);
    EXPECT_EQ(l.detail->request.bound->part, 0u);
    EXPECT_EQ(l.detail->request.bound->read, synth::kStart + 2ms);
  }
  {
    Bound b;  // a client: the call that sent it
    synth::Opening o;
    o.origin = formats::Origin::connected;
    Endpoint& c = b.s.open(0ms, o);
    c.send(1ms, kFirst).send(2ms, kSecond + kThird).receive(3ms, 3ms, kOk);
    const auto l = b.look();
    ASSERT_TRUE(l.detail->request.bound);
    EXPECT_EQ(l.detail->request.bound->part, 2u);
    EXPECT_EQ(l.detail->request.bound->at, synth::kStart + 2ms);
    EXPECT_NE(b.text().find("in the 2nd of 2 calls that sent its head, at +1.00 ms"), std::string::npos) << b.text();
  }
}

}  // namespace
}  // namespace tailcap

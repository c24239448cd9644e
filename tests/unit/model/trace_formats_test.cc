// Each form of trace context: a valid one gives its ids and a broken one none; if two differ, neither is used.
#include "analyze/model/wire/trace_formats.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "analyze/model/wire/trace_context.h"

namespace tailcap::model {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c", kSpan = "b7ad6b7169203331", kParent = "00f067aa0ba902b7";
const std::string kW3c = "00-" + kTrace + "-" + kSpan + "-01";

TraceContext of(std::initializer_list<std::pair<const char*, std::string>> fields) {
  Headers headers;
  for (const auto& [name, value] : fields) headers.add(name, value);
  return trace_context(headers);
}

TEST(TraceFormats, B3InOneField) {
  const auto whole = ids_of_b3(kTrace + "-" + kSpan + "-1-" + kParent);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->trace, kTrace);
  EXPECT_EQ(whole->span, kSpan);
  EXPECT_EQ(whole->parent, kParent);
  EXPECT_EQ(whole->flags, "01");
  EXPECT_EQ(ids_of_b3(kTrace + "-" + kSpan)->flags, "00");
  EXPECT_EQ(ids_of_b3(kTrace + "-" + kSpan + "-d")->flags, "01");
  EXPECT_EQ(ids_of_b3("8448EB211C80319C-" + kSpan)->trace, "00000000000000008448eb211c80319c");
  for (const std::string& broken :
       {std::string(), std::string("-"), kTrace, kTrace + "-", kTrace + "-" + kSpan + "-x",
        kTrace + "-" + kSpan + "-1-", kTrace + "-" + kSpan + "-1-" + kParent + "-", kTrace.substr(1) + "-" + kSpan,
        std::string(32, '0') + "-" + kSpan, kTrace + "-" + std::string(16, '0'), "g" + kTrace.substr(1) + "-" + kSpan})
    EXPECT_FALSE(ids_of_b3(broken)) << broken;
}

TEST(TraceFormats, B3ThatOnlyDecidesIsNoContext) {
  for (const char* decision : {"0", "1", "d"}) {
    const auto c = of({{"b3", decision}});
    EXPECT_FALSE(c.invalid);
    EXPECT_EQ(c.format, TraceFormat::none);
  }
}

TEST(TraceFormats, Uber) {
  const auto ids = ids_of_uber("af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:f067aa0ba902b7:3");
  ASSERT_TRUE(ids);
  EXPECT_EQ(ids->trace, kTrace);
  EXPECT_EQ(ids->span, kSpan);
  EXPECT_EQ(ids->parent, kParent);
  EXPECT_EQ(ids->flags, "01");
  EXPECT_EQ(ids_of_uber(kTrace + "%3A" + kSpan + "%3a0%3A0")->parent, "");
  for (const char* broken : {"", ":::", "1:2:3", "1:2:3:4:5", "0:2:3:1", "1:0:0:1", "1:2::1", "1:2:0:", "1:2:0:x",
                             "x:2:0:1", "1:2:0:123", "123456789012345678901234567890123:2:0:1"})
    EXPECT_FALSE(ids_of_uber(broken)) << broken;
}

TEST(TraceFormats, Sw8) {
  // "trace-1", "segment", span 3; the rest does not matter.
  const auto ids = ids_of_sw8("1-dHJhY2UtMQ==-c2VnbWVudA==-3-c2Vydg==-aW5z-L2FwaQ==-aG9zdDo4MA==");
  ASSERT_TRUE(ids);
  EXPECT_EQ(ids->trace, "trace-1");
  EXPECT_EQ(ids->span, "segment-3");
  for (const char* broken : {"", "1-dHJhY2UtMQ==-c2VnbWVudA==-3-a-b-c", "2-dHJhY2UtMQ==-c2VnbWVudA==-3-a-b-c-d",
                             "1-?-c2VnbWVudA==-3-a-b-c-d", "1--c2VnbWVudA==-3-a-b-c-d",
                             "1-dHJhY2UtMQ==-c2VnbWVudA==-x-a-b-c-d", "1-dHJhY2UtMQ==-c2VnbWVudA==--a-b-c-d"})
    EXPECT_FALSE(ids_of_sw8(broken)) << broken;
  const auto c = of({{"sw8", "1-dHJhY2UtMQ==-c2VnbWVudA==-3-c2Vydg==-aW5z-L2FwaQ==-aG9zdDo4MA=="}});
  EXPECT_EQ(c.traceparent, "");
  EXPECT_EQ(c.text(), "trace-1/segment-3");
  EXPECT_EQ(trace_id_in(c.text()), "trace-1");
  EXPECT_EQ(span_id_in(c.text()), "segment-3");
}

TEST(TraceFormats, Amzn) {
  const auto ids =
      ids_of_amzn("Self=1-0-0; Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1");
  ASSERT_TRUE(ids);
  EXPECT_EQ(ids->trace, kTrace);
  EXPECT_EQ(ids->span, kSpan);
  EXPECT_EQ(ids->flags, "01");
  const auto root = of({{"X-Amzn-Trace-Id", "Root=1-0af76519-16cd43dd8448eb211c80319c"}});
  EXPECT_EQ(trace_id_in(root.text()), kTrace);
  EXPECT_EQ(span_id_in(root.text()), "");
  for (const char* broken :
       {"", "Root=", "Root=1-0af76519-16cd43dd8448eb211c80319", "Root=2-0af76519-16cd43dd8448eb211c80319c",
        "Parent=b7ad6b7169203331", "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7"})
    EXPECT_FALSE(ids_of_amzn(broken)) << broken;
}

TEST(TraceFormats, EachIsNamedAndOneIsChosen) {
  const std::string low = "00000000000000008448eb211c80319c";
  EXPECT_EQ(of({{"traceparent", kW3c}, {"b3", kTrace + "-" + kSpan}}).format, TraceFormat::traceparent);
  EXPECT_EQ(
      of({{"X-B3-TraceId", kTrace}, {"X-B3-SpanId", kSpan}, {"X-B3-ParentSpanId", kParent}, {"X-B3-Sampled", "1"}})
          .format,
      TraceFormat::x_b3);
  const auto b3 =
      of({{"X-B3-TraceId", kTrace}, {"X-B3-SpanId", kSpan}, {"X-B3-ParentSpanId", kParent}, {"X-B3-Sampled", "1"}});
  EXPECT_EQ(b3.traceparent, kW3c);
  EXPECT_EQ(b3.parent_span, kParent);
  EXPECT_EQ(of({{"uber-trace-id", kTrace + ":" + kSpan + ":0:1"}}).traceparent, kW3c);
  // The lower half of an id counts as the same id.
  EXPECT_EQ(of({{"traceparent", kW3c}, {"x-b3-traceid", low.substr(16)}, {"x-b3-spanid", kSpan}}).format,
            TraceFormat::traceparent);
  EXPECT_TRUE(of({{"X-B3-TraceId", kTrace}}).invalid);
}

TEST(TraceFormats, WhatContradictsIsBelievedNeither) {
  const std::string other = "1" + kTrace.substr(1);
  for (const auto& c : {of({{"traceparent", kW3c}, {"X-B3-TraceId", other}, {"X-B3-SpanId", kSpan}}),
                        of({{"traceparent", kW3c}, {"traceparent", "00-" + other + "-" + kSpan + "-01"}}),
                        of({{"b3", other + "-" + kSpan}, {"uber-trace-id", kTrace + ":" + kSpan + ":0:1"}})}) {
    EXPECT_EQ(c.format, TraceFormat::conflicting);
    EXPECT_EQ(c.text(), "");
    EXPECT_TRUE(c.present);
  }
  EXPECT_EQ(of({{"traceparent", kW3c}, {"traceparent", kW3c}}).traceparent, kW3c)
      << "the same twice is no contradiction";
  // A load balancer adds its own ids to the service's.
  const auto both = of({{"x-amzn-trace-id", "Root=1-1af76519-16cd43dd8448eb211c80319c"}, {"traceparent", kW3c}});
  EXPECT_EQ(both.format, TraceFormat::traceparent);
  EXPECT_EQ(both.traceparent, kW3c);
}

TEST(TraceFormats, MembersOfLists) {
  EXPECT_EQ(members_of_tracestate("rojo=00f0, congo=t61=x ,,=1,noequals"),
            (Members{{"rojo", "00f0"}, {"congo", "t61=x"}}));
  EXPECT_EQ(members_of_baggage("user=a%20b;prop=1, k = v"), (Members{{"user", "a%20b"}, {"k", "v"}}));
  std::string many;
  for (int i = 0; i < 200; ++i) many += "k" + std::to_string(i) + "=1,";
  EXPECT_EQ(members_of_baggage(many).size(), kMaxMembers);
}

TEST(TraceFormats, FlagsOfATraceparent) {
  const std::string ids = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-";
  EXPECT_EQ(trace_flags_in(ids + "01"), 1);
  EXPECT_EQ(trace_flags_in(ids + "ff"), 255);
  EXPECT_EQ(trace_flags_in("trace-1/segment-3"), -1);
  EXPECT_EQ(trace_flags_in(""), -1);
}

}  // namespace
}  // namespace tailcap::model

#include "analyze/model/trace/span_context.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analyze/model/wire/trace_context.h"
#include "analyze/report/spans/otlp.h"

namespace tailcap::model {
namespace {

struct Vector {
  SpanContextBytes bytes;
  SpanContext context;
  const char* traceparent;
};

// The second has the highest bit of every word set, the third is asymmetric within each byte.
const Vector kVectors[] = {
    {{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c,
      0x80, 0x31, 0x9c, 0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31, 0x01},
     {0x0af7651916cd43dd, 0x8448eb211c80319c, 0xb7ad6b7169203331, 0x01},
     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03},
     {0xffffffffffffffff, 0x8000000000000000, 0x8000000000000000, 0x03},
     "00-ffffffffffffffff8000000000000000-8000000000000000-03"},
    {{0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89,
      0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10, 0x00},
     {0, 0x0123456789abcdef, 0xfedcba9876543210, 0x00},
     "00-00000000000000000123456789abcdef-fedcba9876543210-00"},
};

TEST(SpanContext, BytesStructHexAndOtlpAgree) {
  for (const Vector& v : kVectors) {
    SCOPED_TRACE(v.traceparent);
    const SpanContext read = span_context_of(v.bytes);
    EXPECT_EQ(read, v.context);
    EXPECT_EQ(bytes_of(read), v.bytes);
    EXPECT_EQ(traceparent_of(read), v.traceparent);
    EXPECT_TRUE(valid_traceparent(traceparent_of(read)));
    // And back from hexadecimal.
    SpanContext back;
    ASSERT_TRUE(set_trace(back, trace_id_in(v.traceparent)));
    back.span = id_of_hex(span_id_in(v.traceparent)).value();
    back.flags = static_cast<std::uint8_t>(trace_flags_in(v.traceparent));
    EXPECT_EQ(back, v.context);

    SpanResource resource;
    resource.spans.emplace_back();
    resource.spans.back().context = read;
    const auto json = nlohmann::json::parse(report::otlp_json({}, {resource}, "1"));
    const auto& span = json["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    EXPECT_EQ(span["traceId"], std::string(v.traceparent).substr(3, 32));
    EXPECT_EQ(span["spanId"], std::string(v.traceparent).substr(36, 16));
    EXPECT_EQ(span["flags"].get<unsigned>() & 0xff, v.context.flags);
    EXPECT_EQ((span["flags"].get<unsigned>() & 1) != 0, v.context.sampled());
  }
  EXPECT_TRUE(kVectors[0].context.sampled());
  EXPECT_FALSE(kVectors[2].context.sampled());
}

TEST(SpanContext, WhatIsNoIdIsNone) {
  SpanContext c;
  EXPECT_FALSE(set_trace(c, "00000000000000000000000000000000"));
  EXPECT_FALSE(set_trace(c, "0af7651916cd43dd8448eb211c80319"));
  EXPECT_FALSE(set_trace(c, "0af7651916cd43dd8448eb211c80319g"));
  EXPECT_FALSE(set_trace(c, "trace-1"));
  EXPECT_FALSE(c.has_trace());
  EXPECT_FALSE(id_of_hex("0000000000000000"));
  EXPECT_FALSE(id_of_hex("b7ad6b716920333"));
  EXPECT_FALSE(id_of_hex(""));
  EXPECT_EQ(id_of_hex("B7AD6B7169203331"), 0xb7ad6b7169203331u);
}

}  // namespace
}  // namespace tailcap::model

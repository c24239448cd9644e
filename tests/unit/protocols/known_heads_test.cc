#include "analyze/protocols/http1/known_heads.h"

#include <gtest/gtest.h>

#include <string>

namespace tailcap::protocols {
namespace {

struct Parsed {
  model::Message message;
  Framing framing;
};

Parsed parsed(std::string_view text, bool request) {
  Parsed p;
  EXPECT_TRUE(parse_head(text, request, true, p.message, p.framing));
  return p;
}

void note(KnownHeads& known, std::string_view text, bool request) {
  const Parsed p = parsed(text, request);
  known.note(text, request, p.message, p.framing);
}

void expect_same(const Parsed& a, const Parsed& b) {
  EXPECT_EQ(a.message.method, b.message.method);
  EXPECT_EQ(a.message.target, b.message.target);
  EXPECT_EQ(a.message.protocol, b.message.protocol);
  EXPECT_EQ(a.message.status, b.message.status);
  EXPECT_EQ(a.message.headers, b.message.headers);
  EXPECT_EQ(a.message.headers_complete, b.message.headers_complete);
  EXPECT_EQ(a.message.taints, b.message.taints);
  EXPECT_EQ(a.framing, b.framing);
}

constexpr std::string_view kRequest = "PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.0 404 No\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\nBad : y\r\n\r\n";

TEST(KnownHeads, SaysWhatParsingSays) {
  for (const bool request : {true, false}) {
    KnownHeads known;
    const std::string bytes = std::string(request ? kRequest : kResponse) + "body";
    const std::string_view head = std::string_view(bytes).substr(0, bytes.size() - 4);
    Parsed p;
    EXPECT_EQ(known.take(bytes, request, p.message, p.framing), 0u);
    note(known, head, request);
    EXPECT_EQ(known.take(bytes, request, p.message, p.framing), 0u);  // seen once
    note(known, head, request);
    EXPECT_EQ(known.take(bytes, request, p.message, p.framing), head.size());
    expect_same(p, parsed(head, request));
  }
}

// The memory of a block is used again for another.
TEST(KnownHeads, OtherBytesAtTheSameAddressAreNotKnown) {
  KnownHeads known;
  std::string bytes(kRequest);
  note(known, bytes, true);
  note(known, bytes, true);
  Parsed p;
  bytes[5] = 'b';
  EXPECT_EQ(known.take(bytes, true, p.message, p.framing), 0u);
  bytes[5] = 'a';
  EXPECT_EQ(known.take(std::string_view(bytes).substr(0, bytes.size() - 1), true, p.message, p.framing), 0u);
  EXPECT_EQ(known.take(bytes, false, p.message, p.framing), 0u);
  EXPECT_EQ(known.take(bytes, true, p.message, p.framing), bytes.size());
  bytes[5] = 'c';
  note(known, bytes, true);
  Parsed q;
  EXPECT_EQ(known.take(bytes, true, q.message, q.framing), bytes.size());
  expect_same(q, parsed(bytes, true));
}

TEST(KnownHeads, AMessageThatHasFieldsIsNotTouched) {
  KnownHeads known;
  note(known, kRequest, true);
  note(known, kRequest, true);
  Parsed p;
  p.message.headers.add("a", "b");
  EXPECT_EQ(known.take(kRequest, true, p.message, p.framing), 0u);
  EXPECT_TRUE(p.message.method.empty());
}

TEST(KnownHeads, VeryLongHeadsAreNotKept) {
  KnownHeads known;
  const std::string bytes = "GET /" + std::string(8192, 'a') + " HTTP/1.1\r\n\r\n";
  note(known, bytes, true);
  note(known, bytes, true);
  Parsed p;
  EXPECT_EQ(known.take(bytes, true, p.message, p.framing), 0u);
}

}  // namespace
}  // namespace tailcap::protocols

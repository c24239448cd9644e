// Masking: no byte of a credential survives, however the stream is cut; everything else does.
#include "capture/mask.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tailcap::capture {
namespace {

using formats::Direction;
using formats::Io;

const std::string kRequest =
    "GET /cart/17 HTTP/1.1\r\nHost: a\r\nAuthorization: Basic QWxhZGRpbjpvcGVu\r\nx-request-id: 9\r\n"
    "COOKIE: sid=QQQQ;\r\n\tfolded=ZZZZ\r\nAccept: */*\r\nX-Api-Key:KKKK\r\nProxy-Authorization : PPPP\r\nCookies: "
    "shown\r\n\r\n";
const std::string kResponse =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: sid=WWWW; Path=/\r\nx: y\r\n\r\n"
    "5\r\nhello\r\n1f;ext=1\r\n0123456789012345678901234567890\r\n0\r\n\r\n";

std::string masked_request() {
  return "GET /cart/17 HTTP/1.1\r\nHost: a\r\nAuthorization:" + std::string(23, '*') +
         "\r\nx-request-id: 9\r\nCOOKIE:" + std::string(10, '*') + "\r\n" + std::string(12, '*') +
         "\r\nAccept: */*\r\nX-Api-Key:****\r\nProxy-Authorization :*****\r\nCookies: shown\r\n\r\n";
}

formats::SocketInfo new_connection() {
  formats::SocketInfo info;
  info.socket = 7;
  info.family = formats::Family::inet;
  info.origin = formats::Origin::accepted;
  info.state = formats::TcpState::established;
  info.next_out = 0xfffffff0;  // the numbers wrap in the middle
  info.next_in = 0xfffffff0;
  return info;
}

// What the file would hold of the bytes, captured whole in the given pieces.
std::string pass(Mask& mask, const std::string& bytes, const std::vector<std::size_t>& cuts,
                 Direction way = Direction::in) {
  std::string out;
  std::size_t at = 0;
  std::vector<std::size_t> ends = cuts;
  ends.push_back(bytes.size());
  for (const auto end : ends) {
    Io io;
    io.socket = 7;
    io.direction = way;
    io.payload = formats::Payload::captured;
    io.position = static_cast<std::uint32_t>(0xfffffff0u + at);
    io.length = static_cast<std::uint32_t>(end - at);
    io.head = std::string_view(bytes).substr(at, end - at);
    mask.apply(io);
    EXPECT_EQ(io.head.size() + io.tail.size(), end - at);
    out += io.head;
    at = end;
  }
  return out;
}

TEST(Mask, WholeRequest) {
  Mask mask;
  EXPECT_EQ(pass(mask, kRequest, {}), masked_request());
}

TEST(Mask, SplitInTwoEverywhere) {
  for (std::size_t cut = 0; cut <= kRequest.size(); cut++) {
    Mask mask;
    mask.begin(new_connection());
    EXPECT_EQ(pass(mask, kRequest, {cut}), masked_request()) << cut;
  }
}

TEST(Mask, SplitInThreeEverywhere) {
  for (std::size_t first = 0; first <= kRequest.size(); first++) {
    for (std::size_t second = first; second <= kRequest.size(); second++) {
      Mask mask;
      mask.begin(new_connection());
      ASSERT_EQ(pass(mask, kRequest, {first, second}), masked_request()) << first << " " << second;
    }
  }
}

TEST(Mask, OneByteAtATime) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i < kRequest.size(); i++) cuts.push_back(i);
  Mask mask;
  mask.begin(new_connection());
  EXPECT_EQ(pass(mask, kRequest, cuts), masked_request());
}

TEST(Mask, FramingOfTheResponseSurvives) {
  std::string expected = kResponse;
  const std::string secret = " sid=WWWW; Path=/";
  expected.replace(expected.find(secret), secret.size(), std::string(secret.size(), '*'));
  for (std::size_t cut = 0; cut <= kResponse.size(); cut++) {
    Mask mask;
    mask.begin(new_connection());
    EXPECT_EQ(pass(mask, kResponse, {cut}, Direction::out), expected) << cut;
  }
}

TEST(Mask, DirectionsAndSocketsAreApart) {
  Mask mask;
  mask.begin(new_connection());
  const std::string start = "GET / HTTP/1.1\r\nCookie: aa";
  Io in;
  in.socket = 7;
  in.direction = Direction::in;
  in.position = 0xfffffff0;
  in.length = static_cast<std::uint32_t>(start.size());
  in.head = start;
  mask.apply(in);
  Io out;
  out.socket = 7;
  out.direction = Direction::out;
  out.position = 0xfffffff0;
  out.length = 4;
  out.head = "HTTP";
  mask.apply(out);
  EXPECT_EQ(out.head, "HTTP");
}

// A connection in mid-value: joined late, or bytes lost or not captured before.
TEST(Mask, UnknownPlaceIsTakenForASecret) {
  Io io;
  io.socket = 9;
  io.direction = Direction::in;
  io.position = 5000;
  const std::string bytes = "secret-rest\r\n more-secret\r\nHost: a\r\n\r\n";
  io.length = static_cast<std::uint32_t>(bytes.size());
  io.head = bytes;
  Mask mask;
  mask.apply(io);
  EXPECT_EQ(io.head, "***********\r\n************\r\nHost: a\r\n\r\n");
}

TEST(Mask, GapMakesUnknown) {
  Mask mask;
  mask.begin(new_connection());
  pass(mask, "GET / HTTP/1.1\r\nHost", {});
  Io io;
  io.socket = 7;
  io.direction = Direction::in;
  io.position = 5000;
  io.length = 10;
  io.head = "cret\r\nA: b";
  mask.apply(io);
  EXPECT_EQ(io.head, "****\r\nA: b");
}

TEST(Mask, MessageStartEndsUnknown) {
  Mask mask;
  Io io;
  io.socket = 9;
  io.position = 5000;
  io.direction = Direction::in;
  io.length = static_cast<std::uint32_t>(kRequest.size());
  io.head = kRequest;
  mask.apply(io);
  EXPECT_EQ(io.head, masked_request());
}

// What was stepped over before a record of TLS does not make a secret of it.
TEST(Mask, TlsRecordEndsUnknown) {
  Io io;
  io.socket = 9;
  io.position = 5000;
  io.direction = Direction::in;
  io.length = 16384;
  const std::string_view record("\x17\x03\x03\x40\x00", 5);
  io.head = record;
  Mask mask;
  mask.apply(io);
  EXPECT_EQ(io.head, record);
  io.position += io.length;
  io.head = "cret\r\nA: b";
  mask.apply(io);
  EXPECT_EQ(io.head, "****\r\nA: b") << "anything else in an unknown place still is one";
}

// The bytes between head and tail were not seen: the tail may begin in the middle of a secret.
TEST(Mask, TailAfterCut) {
  Mask mask;
  mask.begin(new_connection());
  Io io;
  io.socket = 7;
  io.direction = Direction::in;
  io.position = 0xfffffff0;
  io.length = 5000;
  io.head = "GET / HTTP/1.1\r\nCookie: aaaa";
  io.tail = "aaaa\r\nB: c\r\n\r\n";
  mask.apply(io);
  EXPECT_EQ(io.head, "GET / HTTP/1.1\r\nCookie:*****");
  EXPECT_EQ(io.tail, "****\r\nB: c\r\n\r\n");
}

// A chunk's size line right after a body that was captured only in part.
TEST(Mask, ChunkSizeAfterCutBodySurvives) {
  Mask mask;
  mask.begin(new_connection());
  Io body;
  body.socket = 7;
  body.direction = Direction::out;
  body.position = 0xfffffff0;
  body.length = 5000;
  body.head = "HTTP/1.1 200 OK\r\n\r\n1380\r\nxxxx";
  body.tail = "xxxxxxxxxxxxxx\r\n";
  mask.apply(body);
  Io next;
  next.socket = 7;
  next.direction = Direction::out;
  next.position = static_cast<std::uint32_t>(0xfffffff0u + 5000u);
  next.length = 6;
  next.head = "1380\r\n";
  mask.apply(next);
  EXPECT_EQ(next.head, "1380\r\n");
}

TEST(Mask, NoPayloadNoHarm) {
  Mask mask;
  Io io;
  io.socket = 7;
  io.length = 100;
  io.payload = formats::Payload::no_buffer;
  mask.apply(io);
  EXPECT_TRUE(io.head.empty());
}

TEST(Mask, ForgottenSocketIsUnknown) {
  Mask mask;
  mask.begin(new_connection());
  mask.forget(7);
  EXPECT_EQ(pass(mask, "abc\r\nd", {}), "***\r\nd");
}

}  // namespace
}  // namespace tailcap::capture

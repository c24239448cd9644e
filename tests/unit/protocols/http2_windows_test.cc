// h18: when a sender had to wait for a window of its stream or of the connection.
#include <gtest/gtest.h>

#include "tests/unit/protocols/http2_wire.h"

namespace tailcap::protocols::http2 {
namespace {

using model::MessageKind;

// A server that has sent 65,535 bytes on stream 1 to a client with the initial windows.
struct Full : Wire {
  explicit Full(std::uint32_t stream_window = 65535) {
    push(kIn, std::string(kPreface) + settings({{4, stream_window}}));
    push(kOut, settings());
    push(kIn, headers(1, client(get("/big"))), 10);
    push(kOut, headers(1, server({{":status", "200"}}), kEndHeaders), 11);
    for (int i = 0; i < 3; ++i) push(kOut, data(1, std::string(16384, 'x')), 12);
    push(kOut, data(1, std::string(16383, 'x')), 20);
  }
  Encoder client, server;
};

TEST(Http2Windows, H18StreamAndConnectionFull) {
  Full wire;
  wire.push(kIn, window_update(1, 100), 51);  // the connection is still full
  wire.push(kIn, window_update(0, 100), 71);
  wire.push(kOut, data(1, std::string(50, 'x'), kEndStream), 72);
  const model::Message* m = wire.find(MessageKind::response, 1);
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->window_waits.known);
  ASSERT_EQ(m->window_waits.listed.size(), 2u);
  const auto& connection = m->window_waits.listed[0];
  EXPECT_TRUE(connection.connection);
  EXPECT_EQ(connection.from, at_ms(20));
  EXPECT_EQ(connection.to, at_ms(70));  // when the update arrived
  EXPECT_EQ(connection.resumed, at_ms(72));
  const auto& stream = m->window_waits.listed[1];
  EXPECT_FALSE(stream.connection);
  EXPECT_EQ(stream.from, at_ms(20));
  EXPECT_EQ(stream.to, at_ms(50));
}

TEST(Http2Windows, FullAndNothingMoreToSendIsNoWait) {
  Full wire;
  wire.push(kOut, data(1, "", kEndStream), 21);  // an empty frame needs no window
  wire.push(kIn, window_update(0, 100), 71);
  EXPECT_TRUE(wire.find(MessageKind::response, 1)->window_waits.listed.empty());
}

TEST(Http2Windows, ConnectionsWaitReachesEveryStreamThatSendsAfterIt) {
  Full wire(1u << 20);
  wire.push(kIn, headers(3, wire.client(get("/small"))), 30);
  wire.push(kOut, headers(3, wire.server({{":status", "200"}}), kEndHeaders), 31);
  wire.push(kIn, window_update(0, 1000), 61);
  wire.push(kOut, data(3, "abc", kEndStream), 62);
  wire.push(kIn, headers(5, wire.client(get("/after"))), 70);
  wire.push(kOut, headers(5, wire.server({{":status", "200"}}), kEndHeaders) + data(5, "abc", kEndStream), 71);
  wire.push(kOut, data(1, "z", kEndStream), 72);
  const auto& small = wire.find(MessageKind::response, 3)->window_waits.listed;
  ASSERT_EQ(small.size(), 1u);
  EXPECT_EQ(small[0].from, at_ms(31));  // before that it had nothing to send
  EXPECT_EQ(small[0].to, at_ms(60));
  EXPECT_TRUE(wire.find(MessageKind::response, 5)->window_waits.listed.empty());
  ASSERT_EQ(wire.find(MessageKind::response, 1)->window_waits.listed.size(), 1u);
  EXPECT_EQ(wire.find(MessageKind::response, 1)->window_waits.listed[0].from, at_ms(20));
}

TEST(Http2Windows, InitialWindowChangesWhileStreamsAreOpen) {
  Full wire(65535);
  wire.push(kIn, window_update(0, 1 << 20), 21);
  wire.push(kIn, settings({{4, 65535 + 10}}), 41);
  wire.push(kOut, data(1, std::string(10, 'x'), kEndStream), 42);
  const auto& waits = wire.find(MessageKind::response, 1)->window_waits.listed;
  ASSERT_EQ(waits.size(), 1u);  // the connection got room at the instant it was full: no wait
  EXPECT_FALSE(waits[0].connection);
  EXPECT_EQ(waits[0].to, at_ms(40));
}

TEST(Http2Windows, PaddingCounts) {
  Wire wire;
  Encoder client, server;
  wire.push(kIn, std::string(kPreface) + settings({{4, 20}}));
  wire.push(kOut, settings());
  wire.push(kIn, headers(1, client(get("/"))), 10);
  wire.push(kOut, headers(1, server({{":status", "200"}}), kEndHeaders), 11);
  wire.push(kOut, frame(FrameType::data, kPadded, 1, '\x0f' + std::string("abcd") + std::string(15, '\0')),
            12);  // 20 bytes
  wire.push(kIn, window_update(1, 20), 31);
  wire.push(kOut, data(1, "e", kEndStream), 32);
  const model::Message* m = wire.find(MessageKind::response, 1);
  EXPECT_EQ(m->body_bytes, 5u);
  ASSERT_EQ(m->window_waits.listed.size(), 1u);
  EXPECT_EQ(m->window_waits.listed[0].from, at_ms(12));
}

TEST(Http2Windows, UploadIsHeldUpToo) {
  Wire wire;
  Encoder client, server;
  wire.push(kIn, std::string(kPreface) + settings());
  wire.push(kOut, settings({{4, 10}}));
  wire.push(kIn, headers(1, client({{":method", "POST"}, {":path", "/"}}), kEndHeaders) + data(1, "0123456789"), 11);
  wire.push(kOut, window_update(1, 10), 40);
  wire.push(kIn, data(1, "x", kEndStream), 51);
  const auto& waits = wire.find(MessageKind::request, 1)->window_waits.listed;
  ASSERT_EQ(waits.size(), 1u);
  EXPECT_EQ(waits[0].from, at_ms(10));
  EXPECT_EQ(waits[0].to, at_ms(40));
  EXPECT_EQ(waits[0].resumed, at_ms(50));
}

TEST(Http2Windows, NothingIsClaimedAfterALoss) {
  Full wire;
  wire.push(kIn, headers(3, wire.client(get("/x"))));
  wire.lose(kIn, 500);  // updates may be among the lost bytes
  wire.push(kIn, window_update(0, 1000) + window_update(1, 1000) + settings_ack(), 71);
  wire.push(kOut, data(1, std::string(50, 'x'), kEndStream), 72);
  const model::Message* m = wire.find(MessageKind::response, 1);
  EXPECT_FALSE(m->window_waits.known);
  EXPECT_TRUE(m->window_waits.listed.empty());
}

TEST(Http2Windows, ListIsBounded) {
  Full wire(10);
  wire.push(kIn, window_update(0, 1 << 20));
  Wire small;
  Encoder client, server;
  small.push(kIn, std::string(kPreface) + settings({{4, 1}}));
  small.push(kOut, settings());
  small.push(kIn, headers(1, client(get("/"))), 1);
  small.push(kOut, headers(1, server({{":status", "200"}}), kEndHeaders), 2);
  for (int i = 0; i < 200; ++i) {
    small.push(kOut, data(1, "x"), 10 * i + 10);
    small.push(kIn, window_update(1, 1), 10 * i + 15);
  }
  small.push(kOut, data(1, "x", kEndStream), 5000);
  const auto& waits = small.find(MessageKind::response, 1)->window_waits;
  EXPECT_EQ(waits.listed.size(), model::WindowWaits::kMaxListed);
  EXPECT_EQ(waits.listed.size() + waits.more, 200u);
}

}  // namespace
}  // namespace tailcap::protocols::http2

// gRPC over HTTP/2: h15, h16, and the meaning of its header fields.
#include <gtest/gtest.h>

#include "analyze/protocols/grpc/call.h"
#include "tests/unit/protocols/http2_wire.h"

namespace tailcap::protocols::http2::grpc_test {
namespace {

using namespace std::chrono_literals;
using model::MessageKind;
using Lines = std::vector<std::string>;

const Fields kAnswer = {{":status", "200"}, {"content-type", "application/grpc+proto"}};

void greet(Wire& wire) {
  wire.push(kIn, std::string(kPreface) + settings());
  wire.push(kOut, settings());
}

TEST(GrpcFields, ContentType) {
  for (const auto type : {"application/grpc", "application/grpc+proto", "Application/GRPC;charset=x"})
    EXPECT_TRUE(grpc::is_grpc(type));
  for (const auto type : {"", "application/grp", "application/grpc-web", "application/grpcx", "text/plain"})
    EXPECT_FALSE(grpc::is_grpc(type));
}

TEST(GrpcFields, Timeout) {
  EXPECT_EQ(grpc::parse_timeout("1H"), 1h);
  EXPECT_EQ(grpc::parse_timeout("30M"), 30min);
  EXPECT_EQ(grpc::parse_timeout("2S"), 2s);
  EXPECT_EQ(grpc::parse_timeout("250m"), 250ms);
  EXPECT_EQ(grpc::parse_timeout("7u"), 7us);
  EXPECT_EQ(grpc::parse_timeout("99999999n"), 99999999ns);
  EXPECT_EQ(grpc::parse_timeout("1000000H"), 1000000h);
  // 11,415 years overflow 63 bits of nanoseconds: the value is the longest possible capture.
  EXPECT_EQ(grpc::parse_timeout("99999999H"), formats::kMaxTime.time_since_epoch());
  EXPECT_EQ(grpc::parse_timeout("99999999M"), formats::kMaxTime.time_since_epoch());
  for (const auto bad : {"", "S", "1", "1s", "-1S", "1.5S", "123456789S"})
    EXPECT_EQ(grpc::parse_timeout(bad), std::nullopt) << bad;
}

TEST(GrpcFields, StatusAndMessage) {
  EXPECT_EQ(grpc::parse_status("0"), 0);
  EXPECT_EQ(grpc::parse_status("16"), 16);
  for (const auto bad : {"", "-1", "x", "1 "}) EXPECT_EQ(grpc::parse_status(bad), std::nullopt) << bad;
  EXPECT_EQ(grpc::percent_decode("caf%C3%A9 100%25 %zz %2"), "caf\xc3\xa9 100% %zz %2");
}

TEST(Grpc, H15Unary) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  Fields request = call("/shop.Cart/Add");
  request.emplace_back("grpc-timeout", "250m");
  wire.push(kIn, headers(1, client(request), kEndHeaders) + data(1, grpc_message("hello"), kEndStream), 10);
  wire.push(kOut, headers(1, server(kAnswer), kEndHeaders), 20);
  wire.push(kOut, data(1, grpc_message("world!")), 30);
  wire.push(kOut, headers(1, server({{"grpc-status", "0"}})), 40);
  EXPECT_EQ(
      wire.lines(),
      (Lines{
          "request 1 in POST /shop.Cart/Add [:scheme=http content-type=application/grpc te=trailers grpc-timeout=250m] "
          "{} "
          "body:10 grpc:? '' messages:1/10",
          "response 1 out 200 [content-type=application/grpc+proto] {grpc-status=0} body:11 grpc:0 '' messages:1/11"}));
  EXPECT_EQ(wire.got[0].protocol, model::Protocol::grpc);
  EXPECT_EQ(wire.got[0].grpc->timeout, 250ms);
  ASSERT_EQ(wire.got[1].grpc->listed.size(), 1u);
  EXPECT_EQ(wire.got[1].grpc->listed[0].length, 6u);
  EXPECT_EQ(wire.got[1].grpc->listed[0].first_done, at_ms(30));
  EXPECT_EQ(wire.got[1].instants.last_done, at_ms(40));
}

TEST(Grpc, H15TrailersOnlyWithEscapedMessage) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client(call("/a/B"))));
  Fields answer = kAnswer;
  answer.emplace_back("grpc-status", "5");
  answer.emplace_back("grpc-message", "no such caf%C3%A9");
  wire.push(kOut, headers(1, server(answer)));
  const model::Message& m = wire.got[1];
  ASSERT_TRUE(m.grpc);
  EXPECT_EQ(m.grpc->status, 5);
  EXPECT_EQ(m.grpc->message, "no such caf\xc3\xa9");
  EXPECT_TRUE(m.grpc->trailers_only);
  EXPECT_EQ(m.ending, model::Ending::complete);
}

TEST(Grpc, H15StreamingBothWaysInterleaved) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client(call("/chat/Talk")), kEndHeaders), 1);
  wire.push(kOut, headers(1, server(kAnswer), kEndHeaders), 2);
  for (int i = 0; i < 5; ++i) {
    wire.push(kIn, data(1, grpc_message(std::string(10, 'q'), i % 2)), 10 * i + 11);
    wire.push(kOut, data(1, grpc_message(std::string(20, 'a'))), 10 * i + 15);
  }
  wire.push(kIn, data(1, "", kEndStream), 100);
  wire.push(kOut, headers(1, server({{"grpc-status", "0"}})), 101);
  const model::Message *request = wire.find(MessageKind::request, 1), *response = wire.find(MessageKind::response, 1);
  ASSERT_TRUE(request && response);
  EXPECT_EQ(request->grpc->messages, 5u);
  EXPECT_EQ(request->grpc->compressed, 2u);
  EXPECT_EQ(request->body_bytes, 75u);
  EXPECT_EQ(request->grpc->listed[3].first_arrived, at_ms(40));
  EXPECT_TRUE(request->grpc->listed[3].compressed);
  EXPECT_EQ(response->grpc->messages, 5u);
  EXPECT_EQ(response->grpc->bytes, 125u);
  EXPECT_EQ(response->grpc->listed[4].last_done, at_ms(55));
  EXPECT_EQ(request->instants.last_done, at_ms(100));
}

// One message in several DATA frames and several messages in one, cut at every byte.
TEST(Grpc, H15MessagesAndFramesNeedNotAgree) {
  Encoder client, server;
  const std::string body = grpc_message(std::string(40, 'a')) + grpc_message("") + grpc_message("bc", true) +
                           grpc_message(std::string(7, 'd'));
  std::string out = settings() + headers(1, server(kAnswer), kEndHeaders);
  for (const std::size_t at : {0, 3, 4, 30})
    out += data(1, body.substr(at, at == 0 ? 3 : at == 3 ? 1 : at == 4 ? 26 : std::string::npos));
  out += headers(1, server({{"grpc-status", "0"}}));
  const std::string in = std::string(kPreface) + settings() + headers(1, client(call("/a/B")));
  for (std::size_t cut = 1; cut < out.size(); ++cut) {
    Wire wire;
    wire.push(kIn, in);
    wire.push(kOut, std::string_view(out).substr(0, cut));
    wire.push(kOut, std::string_view(out).substr(cut));
    ASSERT_EQ(wire.lines()[1],
              "response 1 out 200 [content-type=application/grpc+proto] {grpc-status=0} body:69 grpc:0 '' "
              "messages:4/69 compressed:1")
        << cut;
  }
}

TEST(Grpc, H15MessageBytesNotCaptured) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client(call("/a/B"))));
  wire.push(kOut, headers(1, server(kAnswer), kEndHeaders));
  wire.push(kOut, data(1, grpc_message(std::string(10'000, 'x'))), 5, 64);  // its prefix was captured
  wire.push(kOut, headers(1, server({{"grpc-status", "0"}})));
  EXPECT_EQ(wire.got[1].grpc->messages, 1u);
  EXPECT_EQ(wire.got[1].grpc->bytes, 10'005u);
  EXPECT_TRUE(wire.got[1].grpc->exact);
  // Two messages in one frame: the second's prefix was not captured.
  wire.push(kIn, headers(3, client(call("/a/B"))));
  wire.push(kOut, headers(3, server(kAnswer), kEndHeaders));
  wire.push(kOut, data(3, grpc_message(std::string(1'000, 'x')) + grpc_message(std::string(1'000, 'y'))), 5, 64);
  wire.push(kOut, headers(3, server({{"grpc-status", "0"}})));
  const model::Message* m = wire.find(MessageKind::response, 3);
  EXPECT_EQ(m->grpc->messages, 1u);
  EXPECT_FALSE(m->grpc->exact);
  EXPECT_EQ(m->body_bytes, 2010u);
  EXPECT_EQ(m->grpc->status, 0);
}

TEST(Grpc, H16DeadlineTheClientResetsWhileTheServerWorks) {
  Wire wire;
  Encoder client;
  greet(wire);
  Fields request = call("/slow/Work");
  request.emplace_back("grpc-timeout", "50m");
  wire.push(kIn, headers(1, client(request), kEndHeaders) + data(1, grpc_message("go"), kEndStream), 10);
  wire.push(kIn, rst(1, 8), 61);
  ASSERT_EQ(wire.got.size(), 2u);
  const model::Message& m = wire.got[1];
  EXPECT_EQ(m.status, 0);
  EXPECT_FALSE(m.grpc.has_value());  // no invented status
  EXPECT_EQ(m.reset->code, 8u);
  EXPECT_EQ(m.reset->by, kIn);
  EXPECT_EQ(m.reset->at, at_ms(60));
}

TEST(Grpc, StatusThatIsNotKnownIsNotInvented) {
  Wire wire(true);  // recording began late: the table holds entries that were never seen
  wire.push(kIn, headers(101, "\x83" + std::string("\xc0\xc1\xc2"), kEndHeaders) +
                     data(101, grpc_message("x"), kEndStream) + window_update(0, 5));
  wire.push(kOut, headers(101, "\x88\xbf", kEndHeaders) + data(101, grpc_message("y")) + headers(101, "\xbe"));
  EXPECT_EQ(wire.lines(),
            (Lines{"request 101 in POST  [] {} unknown:3 body:6", "response 101 out 200 [] {} unknown:2 body:6"}));
}

TEST(Grpc, AnswerThatIsNoGrpc) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client(call("/a/B"))));
  wire.push(kOut, headers(1, server({{":status", "503"}, {"content-type", "text/html"}}), kEndHeaders) +
                      data(1, "<html>", kEndStream));
  EXPECT_FALSE(wire.got[1].grpc.has_value());
  EXPECT_EQ(wire.got[1].status, 503);
}

}  // namespace
}  // namespace tailcap::protocols::http2::grpc_test

// gRPC-Web over HTTP/1.1, and the meaning of gRPC's names and words.
#include <gtest/gtest.h>

#include "analyze/model/request.h"
#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"
#include "tests/unit/protocols/http2_wire.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using model::GrpcCause;
using model::GrpcDeadline;
using model::Outcome;
using model::Protocol;
using protocols::http2::grpc_message;
using protocols::http2::number;
using synth::Endpoint;
using synth::kStart;
using synth::Scenario;

std::string trailer(const std::string& text) {
  return "\x80" + number(static_cast<std::uint32_t>(text.size()), 4) + text;
}

std::string base64(const std::string& bytes) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0, have = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (have += 8; have >= 6; have -= 6) out.push_back(digits[bits >> (have - 6) & 63]);
  }
  if (have > 0) out.push_back(digits[bits << (6 - have) & 63]);
  while (out.size() % 4 != 0) out.push_back('=');
  return out;
}

std::string ask(const std::string& body, const std::string& type = "application/grpc-web+proto") {
  return "POST /shop.Cart/List HTTP/1.1\r\nHost: h\r\nContent-Type: " + type +
         "\r\ngrpc-timeout: 2S\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string head(const std::string& framing, const std::string& type = "application/grpc-web+proto") {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\n" + framing + "\r\n\r\n";
}
std::string chunk(const std::string& bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

model::Exchange one(Scenario& s) {
  const auto r = synth::analyse(s.events());
  EXPECT_EQ(r.exchanges.size(), 1u) << synth::describe(r.exchanges);
  return r.exchanges.empty() ? model::Exchange{} : r.exchanges[0];
}

const std::string kMessages = grpc_message("one") + grpc_message("three", true);
const std::string kTrailer = trailer("grpc-status:5\r\ngrpc-message: no such caf%C3%A9\r\n");

void expect_call(const model::Exchange& x) {
  EXPECT_EQ(x.protocol, Protocol::grpc_web);
  EXPECT_EQ(x.outcome, Outcome::client_error);
  EXPECT_TRUE(x.complete);
  ASSERT_TRUE(x.request_grpc && x.response_grpc);
  EXPECT_EQ(x.request_grpc->timeout, 2s);
  EXPECT_EQ(x.request_grpc->messages, 1u);
  EXPECT_EQ(x.response_grpc->status, 5);
  EXPECT_EQ(x.response_grpc->message, "no such caf\xc3\xa9");
  EXPECT_EQ(x.response_grpc->messages, 2u);
  EXPECT_EQ(x.response_grpc->compressed, 1u);
  EXPECT_EQ(x.response_grpc->bytes, kMessages.size());
  EXPECT_TRUE(x.response_grpc->exact);
  EXPECT_FALSE(x.response_grpc->broken_off);
  EXPECT_FALSE(x.response_grpc->trailers_only);
}

// Cut at every byte, with every framing, binary and text.
TEST(GrpcWeb, MessagesAndTrailersInTheBody) {
  const std::string all = kMessages + kTrailer;
  const std::string text = base64(kMessages) + base64(kTrailer.substr(0, 7)) + base64(kTrailer.substr(7));
  const std::string answers[] = {
      head("Content-Length: " + std::to_string(all.size())) + all,
      head("Transfer-Encoding: chunked") + chunk(all.substr(0, 6)) + chunk(all.substr(6, 30)) + chunk(all.substr(36)) +
          "0\r\n\r\n",
      head("Content-Length: " + std::to_string(text.size()), "application/grpc-web-text+proto") + text,
      head("Transfer-Encoding: chunked", "application/grpc-web-text") + chunk(text.substr(0, 3)) +
          chunk(text.substr(3)) + "0\r\n\r\n",
  };
  for (const auto& answer : answers) {
    for (std::size_t cut = 1; cut <= answer.size(); ++cut) {
      Scenario s;
      Endpoint& e = s.open(0ms);
      e.receive(1ms, 2ms, ask(grpc_message("q")));
      e.send(5ms, answer.substr(0, cut));
      if (cut < answer.size()) e.send(9ms, answer.substr(cut));
      expect_call(one(s));
      if (HasFailure()) FAIL() << "cut at " << cut << " of " << answer;
    }
  }
}

TEST(GrpcWeb, TimesOfMessages) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  const std::string in = ask(grpc_message("question"));
  e.receive(1ms, 2ms, in.substr(0, in.size() - 4)).receive(3ms, 4ms, in.substr(in.size() - 4));
  e.send(5ms, head("Transfer-Encoding: chunked"))
      .send(6ms, chunk(grpc_message("one")))
      .send(8ms, chunk(grpc_message("two")));
  e.send(9ms, chunk(trailer("grpc-status:0\r\n")) + "0\r\n\r\n");
  const auto x = one(s);
  ASSERT_TRUE(x.request_grpc && x.response_grpc);
  EXPECT_EQ(x.outcome, Outcome::ok);
  ASSERT_EQ(x.request_grpc->listed.size(), 1u);
  EXPECT_EQ(x.request_grpc->listed[0].first_arrived, kStart + 1ms);
  EXPECT_EQ(x.request_grpc->listed[0].last_arrived, kStart + 3ms);
  EXPECT_EQ(x.request_grpc->listed[0].last_done, kStart + 4ms);
  ASSERT_EQ(x.response_grpc->listed.size(), 2u);
  EXPECT_EQ(x.response_grpc->listed[0].last_done, kStart + 6ms);
  EXPECT_EQ(x.response_grpc->listed[1].last_done, kStart + 8ms);
}

TEST(GrpcWeb, StatusInTheHead) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, ask(grpc_message("q")));
  e.send(5ms, head("grpc-status: 12\r\ngrpc-message: Method not found!\r\nContent-Length: 0"));
  const auto x = one(s);
  EXPECT_EQ(x.protocol, Protocol::grpc_web);
  ASSERT_TRUE(x.response_grpc);
  EXPECT_EQ(x.response_grpc->status, 12);
  EXPECT_TRUE(x.response_grpc->trailers_only);
  EXPECT_EQ(x.outcome, Outcome::server_error);
}

// If the body was not captured, neither a status nor success is known.
TEST(GrpcWeb, BodyNotCaptured) {
  for (const char* type : {"application/grpc-web", "application/grpc-web-text"}) {
    Scenario s;
    s.keep_payload(256, 16);
    Endpoint& e = s.open(0ms);
    e.receive(1ms, 2ms, ask(grpc_message("q")));
    const std::string body = grpc_message(std::string(2000, 'x')) + trailer("grpc-status:0\r\n");
    const std::string sent = std::string(type).ends_with("text") ? base64(body) : body;
    e.send(5ms, head("Content-Length: " + std::to_string(sent.size()), type) + sent);
    const auto x = one(s);
    EXPECT_TRUE(x.complete);
    EXPECT_EQ(x.status, 200);
    EXPECT_EQ(x.outcome, Outcome::unknown);
    EXPECT_EQ(x.response_bytes, sent.size());
    ASSERT_TRUE(x.response_grpc);
    EXPECT_FALSE(x.response_grpc->status);
    EXPECT_FALSE(x.response_grpc->exact);
    EXPECT_EQ(x.taints, model::Taints{} | model::Taint::payload_cut);
  }
}

// Bytes after a loss are not taken for the start of a message.
TEST(GrpcWeb, BytesOfTheBodyLost) {
  for (const char* type : {"application/grpc-web", "application/grpc-web-text"}) {
    for (std::size_t lost = 1; lost < 40; ++lost) {
      Scenario s;
      Endpoint& e = s.open(0ms);
      e.receive(1ms, 2ms, ask(grpc_message("q")));
      const std::string body = grpc_message(std::string(30, '\0')) + trailer("grpc-status:0\r\n");
      const std::string sent = std::string(type).ends_with("text") ? base64(body) : body;
      e.send(5ms, head("Content-Length: " + std::to_string(sent.size()), type) + sent.substr(0, 10)).lose_send(lost);
      if (10 + lost < sent.size()) e.send(6ms, sent.substr(10 + lost));
      e.receive(8ms, 9ms, ask(grpc_message("q"))).send(10ms, head("grpc-status: 0\r\nContent-Length: 0"));
      const auto r = synth::analyse(s.events());
      ASSERT_GE(r.exchanges.size(), 1u) << synth::describe(r.exchanges);
      const auto& x = r.exchanges[0];
      ASSERT_TRUE(x.response_grpc) << lost;
      EXPECT_FALSE(x.response_grpc->status) << lost;
      EXPECT_FALSE(x.response_grpc->exact) << lost;
      EXPECT_EQ(x.response_grpc->messages, 0u) << lost;
      EXPECT_NE(x.outcome, Outcome::ok) << lost;
      EXPECT_TRUE(model::has(x.taints, model::Taint::bytes_lost)) << lost;
    }
  }
}

TEST(GrpcWeb, ALargeMessageByArithmetic) {
  Scenario s;
  s.keep_payload(256, 16);
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, ask(grpc_message("q")));
  const std::string end = trailer("grpc-status:0\r\n");
  e.send(5ms, head("Content-Length: " + std::to_string(5 + 2000 + end.size())) + grpc_message(std::string(2000, 'x')))
      .send(6ms, end);
  const auto x = one(s);
  ASSERT_TRUE(x.response_grpc);
  EXPECT_EQ(x.response_grpc->status, 0);
  EXPECT_EQ(x.response_grpc->messages, 1u);
  EXPECT_TRUE(x.response_grpc->exact);
  EXPECT_EQ(x.outcome, Outcome::ok);
}

TEST(GrpcWeb, RubbishIsNoStatus) {
  for (const std::string& body :
       {std::string("<html>not what it says it is</html>"), kMessages + "\x81" + number(15, 4) + "grpc-status:0\r\n",
        trailer("grpc-status:x\r\n"), trailer("grpc-status:0"), kMessages.substr(0, 10)}) {
    Scenario s;
    Endpoint& e = s.open(0ms);
    e.receive(1ms, 2ms, ask(grpc_message("q")));
    e.send(5ms, head("Content-Length: " + std::to_string(body.size())) + body);
    const auto x = one(s);
    ASSERT_TRUE(x.response_grpc);
    EXPECT_FALSE(x.response_grpc->status) << body;
    EXPECT_EQ(x.outcome, Outcome::unknown) << body;
    EXPECT_EQ(x.taints, model::Taints{} | model::Taint::malformed) << body;
  }
}

TEST(GrpcWeb, PlainHttpIsLeftAlone) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, ask("{}", "application/grpc-webby"));
  e.send(5ms, head("Content-Length: 2", "application/json") + "{}");
  const auto x = one(s);
  EXPECT_EQ(x.protocol, Protocol::http11);
  EXPECT_FALSE(x.request_grpc || x.response_grpc);
  EXPECT_EQ(x.outcome, Outcome::ok);
}

TEST(GrpcNames, ServiceAndMethod) {
  const auto name = model::rpc_name("/pkg.Service/Method");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->service, "pkg.Service");
  EXPECT_EQ(name->method, "Method");
  EXPECT_EQ(model::rpc_name("/a/b.C/D")->service, "a/b.C");
  for (const auto bad : {"", "/", "//", "/Method", "/Service/", "//Method", "Service/Method", "/a/b?c", "/a b/c", "*"})
    EXPECT_FALSE(model::rpc_name(bad)) << bad;
}

TEST(GrpcNames, Statuses) {
  EXPECT_EQ(model::grpc_status_name(0), "OK");
  EXPECT_EQ(model::grpc_status_name(4), "DEADLINE_EXCEEDED");
  EXPECT_EQ(model::grpc_status_name(12), "UNIMPLEMENTED");
  EXPECT_EQ(model::grpc_status_name(16), "UNAUTHENTICATED");
  EXPECT_EQ(model::grpc_status_name(17), "");
  EXPECT_EQ(model::grpc_status_name(-1), "");
}

TEST(GrpcNames, WhyUnimplemented) {
  EXPECT_EQ(model::unimplemented_cause("unknown service shop.Cart"), GrpcCause::unknown_service);
  EXPECT_EQ(model::unimplemented_cause("unknown method List for service shop.Cart"), GrpcCause::unknown_method);
  EXPECT_EQ(model::unimplemented_cause("Method not found!"), GrpcCause::unregistered);
  EXPECT_EQ(model::unimplemented_cause("Method not found: shop.Cart/List"), GrpcCause::unregistered);
  EXPECT_EQ(model::unimplemented_cause("method List not implemented"), GrpcCause::handler);
  EXPECT_EQ(model::unimplemented_cause("Method not implemented!"), GrpcCause::handler);
  EXPECT_EQ(model::unimplemented_cause("Method shop.Cart/List is unimplemented"), GrpcCause::handler);
  EXPECT_EQ(model::unimplemented_cause("we do not do that here"), GrpcCause::other);
  EXPECT_EQ(model::unimplemented_cause(""), GrpcCause::unknown);
}

TEST(GrpcDeadlines, WhatBecameOfThem) {
  model::Request row;
  row.protocol = Protocol::grpc;
  EXPECT_EQ(model::deadline_of(row), GrpcDeadline::none);
  row.grpc.timeout = 100'000'000;
  EXPECT_EQ(model::deadline_of(row), GrpcDeadline::unknown);
  row.has_duration = true;
  for (const auto& [ns, verdict] : {std::pair{99'000'000, GrpcDeadline::met},
                                    {100'000'000, GrpcDeadline::met},
                                    {100'000'001, GrpcDeadline::missed}}) {
    row.duration = model::Duration{ns};
    EXPECT_EQ(model::deadline_of(row), verdict);
  }
  row.duration = model::Duration{1};
  row.grpc_status = 4;
  EXPECT_EQ(model::deadline_of(row), GrpcDeadline::missed);
  row.grpc_status = -1;
  row.has_duration = false;
  row.outcome = Outcome::cancelled;
  for (const auto& [ns, verdict] : {std::pair{95'000'000, GrpcDeadline::abandoned},
                                    {96'500'000, GrpcDeadline::missed},
                                    {130'000'000, GrpcDeadline::missed}}) {
    row.reset_after = ns;
    EXPECT_EQ(model::deadline_of(row), verdict) << ns;
  }
  row.outcome = Outcome::reset;  // for another reason
  row.reset_after = 99'000'000;
  EXPECT_EQ(model::deadline_of(row), GrpcDeadline::abandoned);
  row.protocol = Protocol::http2;
  EXPECT_EQ(model::deadline_of(row), GrpcDeadline::none);
}

}  // namespace
}  // namespace tailcap

// HTTP/2 connections: frames cut anywhere, streams, and everything that ends them.
#include <gtest/gtest.h>

#include "tests/unit/protocols/http2_wire.h"

namespace tailcap::protocols::http2 {
namespace {

using model::End;
using model::MessageKind;
using Lines = std::vector<std::string>;

const std::string kClientHello = std::string(kPreface) + settings({{3, 100}}) + settings_ack();
const std::string kServerHello = settings({{4, 65535}}) + settings_ack();

void greet(Wire& wire) {
  wire.push(kIn, kClientHello, 1);
  wire.push(kOut, kServerHello, 2);
}

TEST(Http2, H09PriorKnowledge) {
  Wire wire;
  Encoder client, server;
  wire.push(kIn, kClientHello + headers(1, client(get("/a"))), 10);
  wire.push(kOut, kServerHello + headers(1, server({{":status", "200"}, {"x", "y"}}), kEndHeaders), 20);
  wire.push(kOut, data(1, "hello"), 30);
  wire.push(kOut, data(1, " world", kEndStream), 40);
  EXPECT_EQ(wire.lines(), (Lines{"request 1 in GET /a [:scheme=http :authority=a.example] {} body:0",
                                 "response 1 out 200 [x=y] {} body:11"}));
  const model::Message& request = wire.got[0];
  EXPECT_EQ(request.instants.first_arrived, at_ms(9));
  EXPECT_EQ(request.instants.last_done, at_ms(10));
  EXPECT_EQ(request.begin, kClientHello.size());
  EXPECT_TRUE(request.headers_complete);
  EXPECT_EQ(request.taints, 0u);
  EXPECT_EQ(request.protocol, model::Protocol::http2);
  const model::Message& response = wire.got[1];
  EXPECT_EQ(response.instants.first_done, at_ms(20));
  EXPECT_EQ(response.head_done, at_ms(20));
  EXPECT_EQ(response.instants.last_done, at_ms(40));
  EXPECT_EQ(response.first_thread, (model::Thread{100, 101}));
}

TEST(Http2, H09UpgradedRequestIsStreamOne) {
  Wire wire;
  Encoder server;
  wire.connection.upgraded("AAMAAABkAAQAAAAA");  // MAX_CONCURRENT_STREAMS 100, INITIAL_WINDOW_SIZE 0
  wire.push(kIn, kClientHello);
  wire.push(kOut, kServerHello + headers(1, server({{":status", "200"}})));
  EXPECT_EQ(wire.lines(), (Lines{"response 1 out 200 [] {} body:0"}));
}

// Everything that a connection can do; the result must be the same however the bytes are cut.
struct Talk {
  std::string in, out;
};
Talk talk() {
  Encoder client, server;
  Talk t;
  t.in = kClientHello;
  const std::string block = client({{":method", "POST"}, {":path", "/up"}, {"x-long", std::string(300, 'q')}});
  // PADDED and PRIORITY, and a chain of CONTINUATION.
  t.in += frame(FrameType::headers, kPadded | kPriority, 1,
                '\5' + number(0, 4) + '\x10' + block.substr(0, 50) + std::string(5, '\0'));
  t.in += frame(FrameType::continuation, 0, 1, block.substr(50, 1)) + frame(FrameType::continuation, 0, 1, "");
  t.in += frame(FrameType::continuation, kEndHeaders, 1, block.substr(51));
  t.in += frame(FrameType::priority, 0, 5, number(1, 4) + '\7');
  t.in += headers(3, client(get("/b")));
  t.in += frame(FrameType::data, kPadded, 1, '\3' + std::string("abc") + std::string(3, '\0'));
  t.in += frame(static_cast<FrameType>(0xbe), 0xff, 77, "unknown frames are skipped");
  t.in += frame(FrameType::ping, 0, 0, "12345678") + data(1, "", kEndStream);
  t.out = kServerHello;  // one statement for each block: the encoder must see them in order
  t.out += headers(1, server({{":status", "100"}}), kEndHeaders);
  t.out += headers(1, server({{":status", "103"}, {"link", "</x>"}}), kEndHeaders);
  t.out += headers(3, server({{":status", "200"}, {"a", "b"}}), kEndHeaders) + window_update(0, 1000);
  t.out += frame(FrameType::push_promise, kEndHeaders, 3, number(2, 4) + server(get("/pushed")));
  t.out += data(3, "xy") + headers(1, server({{":status", "404"}, {"a", "b"}}), kEndHeaders) + data(3, "z", kEndStream);
  t.out += headers(2, server({{":status", "200"}, {"pushed", "1"}}), kEndHeaders) + data(2, "p", kEndStream);
  t.out += data(1, "nope") + headers(1, server({{"pushed", "1"}, {"t", "1"}}));
  return t;
}
const Lines kTalk = {
    "request 3 in GET /b [:scheme=http :authority=a.example] {} body:0",
    "request 1 in POST /up [x-long=" + std::string(300, 'q') + "] {} body:3",
    "interim 1 out 100 [] {} body:?",
    "interim 1 out 103 [link=</x>] {} body:?",
    "request 2 in GET /pushed [:scheme=http :authority=a.example] {} body:0",
    "response 3 out 200 [a=b] {} body:3",
    "response 2 out 200 [pushed=1] {} body:1",
    "response 1 out 404 [a=b] {pushed=1 t=1} body:4",
};

TEST(Http2, WholeTalk) {
  Wire wire;
  const Talk t = talk();
  wire.push(kIn, t.in);
  wire.push(kOut, t.out);
  EXPECT_EQ(wire.lines(), kTalk);
  EXPECT_EQ(wire.findings[model::Finding::malformed_message], 0u);
}

TEST(Http2, H10SplitEverywhere) {
  const Talk t = talk();
  for (std::size_t cut = 1; cut < std::max(t.in.size(), t.out.size()); ++cut) {
    Wire wire;
    for (const auto& [d, all] : {std::pair(kIn, std::string_view(t.in)), std::pair(kOut, std::string_view(t.out))}) {
      wire.push(d, all.substr(0, cut));
      if (cut < all.size()) wire.push(d, all.substr(cut));
    }
    ASSERT_EQ(wire.lines(), kTalk) << "cut at " << cut;
  }
}

TEST(Http2, H10OneByteReads) {
  const Talk t = talk();
  Wire wire;
  for (const char& c : t.in) wire.push(kIn, {&c, 1});
  for (const char& c : t.out) wire.push(kOut, {&c, 1});
  EXPECT_EQ(wire.lines(), kTalk);
}

TEST(Http2, H10HeaderBlockOver16KiB) {
  Wire wire;
  greet(wire);
  std::string block = "\x82\x84", fields;
  for (int i = 0; i < 40; ++i)
    block += '\0' + Encoder::text("x-" + std::to_string(i)) + Encoder::text(std::string(1000, 'v'));
  ASSERT_GT(block.size(), 32768u);
  wire.push(kIn, headers(1, block.substr(0, 16384), kEndStream) +
                     frame(FrameType::continuation, 0, 1, block.substr(16384, 16384)));
  wire.push(kIn, frame(FrameType::continuation, kEndHeaders, 1, block.substr(32768)));
  ASSERT_EQ(wire.got.size(), 1u);
  EXPECT_EQ(wire.got[0].headers.size(), 40u);
  EXPECT_EQ(wire.got[0].headers.find("x-39"), std::string(1000, 'v'));
  EXPECT_TRUE(wire.got[0].headers_complete);
}

TEST(Http2, ContinuationFloodIsBounded) {
  Wire wire;
  greet(wire);
  wire.push(kIn, headers(1, std::string("\x82"), kEndStream));
  const std::string more = frame(FrameType::continuation, 0, 1, std::string(16384, '\x84'));
  for (int i = 0; i < 200; ++i) wire.push(kIn, more);
  wire.push(kIn, frame(FrameType::continuation, kEndHeaders, 1, ""));
  ASSERT_EQ(wire.got.size(), 1u);
  EXPECT_EQ(wire.got[0].method, "GET");
  EXPECT_FALSE(wire.got[0].headers_complete);
  EXPECT_TRUE(has(wire.got[0].taints, model::Taint::payload_cut));
  EXPECT_LE(wire.held.text, Sender::kMaxBlock);
}

TEST(Http2, H14InterleavedStreamsAndTwoConnections) {
  Wire one, two;
  Encoder client1, server1, client2, server2;
  greet(one);
  greet(two);
  for (const std::uint32_t id : {1u, 3u, 5u}) one.push(kIn, headers(id, client1(get("/one/" + std::to_string(id)))));
  for (const std::uint32_t id : {1u, 3u, 5u}) two.push(kIn, headers(id, client2(get("/two/" + std::to_string(id)))));
  for (const std::uint32_t id : {5u, 1u, 3u}) {
    one.push(kOut, headers(id, server1({{":status", "200"}, {"id", std::to_string(id)}}), kEndHeaders));
    two.push(kOut, headers(id, server2({{":status", "404"}, {"id", std::to_string(id)}}), kEndHeaders));
  }
  for (const std::uint32_t id : {3u, 5u, 1u}) {
    one.push(kOut, data(id, std::string(id, 'x')));
    two.push(kOut, data(id, std::string(id * 2, 'x'), kEndStream));
  }
  for (const std::uint32_t id : {1u, 3u, 5u}) one.push(kOut, data(id, "", kEndStream));
  for (const std::uint32_t id : {1u, 3u, 5u}) {
    const std::string n = std::to_string(id);
    EXPECT_EQ(one.find(MessageKind::request, id)->target, "/one/" + n);
    EXPECT_EQ(two.find(MessageKind::request, id)->target, "/two/" + n);
    EXPECT_EQ(line(*one.find(MessageKind::response, id)), "response " + n + " out 200 [id=" + n + "] {} body:" + n);
    EXPECT_EQ(two.find(MessageKind::response, id)->body_bytes, id * 2);
  }
}

TEST(Http2, H17ResetByTheClient) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client(get("/slow"))), 10);
  wire.push(kIn, headers(3, client(get("/part"))), 10);
  wire.push(kOut, headers(3, server({{":status", "200"}}), kEndHeaders) + data(3, "abc"), 11);
  wire.push(kIn, rst(1, 8) + rst(3, 8), 50);
  // Already in flight when the reset came: no second response, and the header table stays in sync.
  wire.push(kOut, headers(1, server({{":status", "200"}, {"late", "1"}})) + data(3, "more", kEndStream), 51);
  wire.push(kIn, headers(5, client(get("/next"))), 60);
  wire.push(kOut, headers(5, server({{":status", "200"}, {"late", "1"}})), 61);
  EXPECT_EQ(wire.lines(), (Lines{"request 1 in GET /slow [:scheme=http :authority=a.example] {} body:0",
                                 "request 3 in GET /part [:scheme=http :authority=a.example] {} body:0",
                                 "response 1 out [] {} body:? truncated reset:8 by peer",
                                 "response 3 out 200 [] {} body:3 truncated reset:8 by peer",
                                 "request 5 in GET /next [:scheme=http :authority=a.example] {} body:0",
                                 "response 5 out 200 [late=1] {} body:0"}));
  EXPECT_EQ(wire.got[2].reset->at, at_ms(49));
  EXPECT_EQ(wire.got[2].closed, End::reset);
}

TEST(Http2, H17RefusedStreamWasNotProcessed) {
  Wire wire;
  Encoder client;
  greet(wire);
  wire.push(kIn, headers(1, client(get("/a"))));
  wire.push(kOut, rst(1, 7));
  EXPECT_EQ(wire.lines()[1], "response 1 out [] {} body:? truncated reset:7 by us unprocessed");
}

TEST(Http2, H17ResponseBeforeTheRequestsEnd) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client({{":method", "POST"}, {":path", "/up"}}), kEndHeaders) + data(1, "abc"));
  wire.push(kOut, headers(1, server({{":status", "413"}})) + rst(1, 0));
  EXPECT_EQ(wire.lines(),
            (Lines{"response 1 out 413 [] {} body:0", "request 1 in POST /up [] {} body:3 truncated reset:0 by us"}));
}

TEST(Http2, H17GoawayTellsWhatWasNotProcessed) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kOut, goaway(0x7fffffff, 0));  // graceful: it rejects nothing yet
  wire.push(kIn, headers(1, client(get("/1"))));
  wire.push(kIn, headers(3, client(get("/3"))));
  wire.push(kOut, goaway(1, 11));                 // ENHANCE_YOUR_CALM
  wire.push(kIn, headers(5, client(get("/5"))));  // sent before the client received the GOAWAY
  wire.push(kOut, headers(1, server({{":status", "200"}})));
  EXPECT_EQ(wire.lines(), (Lines{"request 1 in GET /1 [:scheme=http :authority=a.example] {} body:0",
                                 "request 3 in GET /3 [:scheme=http :authority=a.example] {} body:0",
                                 "response 3 out [] {} body:? truncated goaway:11 by us unprocessed",
                                 "request 5 in GET /5 [:scheme=http :authority=a.example] {} body:0",
                                 "response 5 out [] {} body:? truncated goaway:11 by us unprocessed",
                                 "response 1 out 200 [] {} body:0"}));
}

TEST(Http2, H19PushPromiseKeepsTheTableInStep) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client(get("/"))));
  wire.push(kOut, frame(FrameType::push_promise, kEndHeaders | kPadded, 1,
                        '\2' + number(2, 4) + server(get("/style.css")) + std::string(2, '\0')));
  wire.push(kOut,
            headers(1, server({{":status", "200"}, {"from", "promise"}}), kEndHeaders) + data(1, "x", kEndStream));
  ASSERT_EQ(wire.lines().size(), 3u);
  EXPECT_EQ(wire.lines()[1], "request 2 in GET /style.css [:scheme=http :authority=a.example] {} body:0");
  EXPECT_EQ(wire.lines()[2], "response 1 out 200 [from=promise] {} body:1");
}

// A pushed request was never sent: its time is that of the promise.
TEST(Http2, H19PushedRequestIsAnsweredOnItsStream) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client(get("/"))), 1);
  const std::string block = server(get("/script.js"));
  wire.push(kOut,
            frame(FrameType::push_promise, 0, 1, number(4, 4) + block.substr(0, 3)) +
                frame(FrameType::continuation, kEndHeaders, 1, block.substr(3)),
            20);
  wire.push(kOut, headers(1, server({{":status", "200"}}), kEndHeaders) + data(1, "x", kEndStream), 30);
  wire.push(kOut, headers(4, server({{":status", "200"}}), kEndHeaders) + data(4, "body", kEndStream), 40);
  const model::Message* request = wire.find(model::MessageKind::request, 4);
  const model::Message* response = wire.find(model::MessageKind::response, 4);
  ASSERT_TRUE(request && response);
  EXPECT_TRUE(request->pushed);
  EXPECT_EQ(request->target, "/script.js");
  EXPECT_EQ(request->direction, kIn);
  EXPECT_EQ(request->instants.first_done, at_ms(20));
  EXPECT_EQ(request->taints, 0u);
  EXPECT_EQ(response->body_bytes, 4u);
  EXPECT_EQ(wire.find(model::MessageKind::request, 1)->pushed, false);
}

TEST(Http2, H19PushThatTheClientDoesNotWant) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client(get("/"))), 1);
  wire.push(kOut, frame(FrameType::push_promise, kEndHeaders, 1, number(2, 4) + server(get("/style.css"))), 20);
  wire.push(kIn, rst(2, 8), 25);
  wire.push(kOut, goaway(1, 0), 26);                              // refers to the client's streams
  wire.push(kOut, headers(2, server({{":status", "200"}})), 27);  // in flight at the reset
  const model::Message* response = wire.find(model::MessageKind::response, 2);
  ASSERT_TRUE(response && response->reset);
  EXPECT_EQ(response->reset->code, 8u);
  EXPECT_EQ(response->status, 0);
  EXPECT_EQ(wire.lines().size(), 3u);
}

// A promise with an impossible stream number opens no stream.
TEST(Http2, H19PromisesThatCannotBe) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client(get("/"))), 1);
  for (const std::uint32_t id : {0u, 3u})
    wire.push(kOut, frame(FrameType::push_promise, kEndHeaders, 1, number(id, 4) + server(get("/x"))), 20);
  wire.push(kIn, frame(FrameType::push_promise, kEndHeaders, 1, number(2, 4) + client(get("/x"))),
            21);  // clients do not push
  wire.push(kOut, frame(FrameType::push_promise, kEndHeaders, 1, number(6, 3)), 22);
  EXPECT_EQ(wire.lines().size(), 1u);
}

TEST(Http2, ResponseMayOvertakeItsRequest) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kOut, headers(1, server({{":status", "200"}})), 11);
  wire.push(kIn, headers(1, client(get("/"))), 10);
  EXPECT_EQ(wire.lines(), (Lines{"response 1 out 200 [] {} body:0",
                                 "request 1 in GET / [:scheme=http :authority=a.example] {} body:0"}));
  EXPECT_EQ(wire.held.streams, 0u);
}

TEST(Http2, EndsOfConnection) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client(get("/1"))));
  wire.push(kIn, headers(3, client(get("/3"))));
  wire.push(kIn, headers(5, client({{":method", "POST"}, {":path", "/5"}}), kEndHeaders) + data(5, "ab"));
  wire.push(kOut, headers(1, server({{":status", "200"}}), kEndHeaders) + data(1, "abc"));
  wire.end(kIn, End::fin);
  wire.end(kOut, End::capture);
  const Lines all = wire.lines();
  EXPECT_EQ(Lines(all.begin() + 2, all.end()),
            (Lines{"request 5 in POST /5 [] {} body:2 truncated", "closed 0 in [] {} body:?",
                   "response 1 out 200 [] {} body:? cut_off", "closed 0 out [] {} body:?"}));
  EXPECT_TRUE(wire.connection.done());
  EXPECT_TRUE(has(wire.got[4].taints, model::Taint::cut_off));
}

TEST(Http2, DataByLengthWhereItWasNotCaptured) {
  Wire wire;
  Encoder client, server;
  greet(wire);
  wire.push(kIn, headers(1, client(get("/big"))));
  wire.push(kOut, headers(1, server({{":status", "200"}}), kEndHeaders), 10);
  const std::string body = data(1, std::string(16384, 'x')), last = data(1, std::string(1000, 'y'), kEndStream);
  for (int i = 0; i < 100; ++i) wire.push(kOut, body, 20 + i, 64);
  wire.push(kOut, last, 200, 64);
  EXPECT_EQ(wire.lines()[1], "response 1 out 200 [] {} body:1639400");
  EXPECT_EQ(wire.got[1].taints, 0u);
  EXPECT_EQ(wire.got[1].instants.last_done, at_ms(200));
}

TEST(Http2, StreamsAreBounded) {
  Wire wire;
  greet(wire);
  for (std::uint32_t id = 1; id < 20'000; id += 2) wire.push(kIn, headers(id, "\x82\x84", kEndHeaders));
  EXPECT_LE(wire.held.streams, Http2Connection::kMaxStreams);
  EXPECT_EQ(wire.findings[model::Finding::streams_given_up], 10'000u - Http2Connection::kMaxStreams);
  EXPECT_EQ(wire.got[0].ending, model::Ending::lost);
}

TEST(Http2, FieldsHeldAreBounded) {
  Wire wire;
  greet(wire);
  wire.push(kIn, headers(1, "\x40" + Encoder::text("a") + Encoder::text(std::string(3000, 'x'))));
  const std::string bomb(60, '\xbe');  // 180 kB each, from 60 bytes
  for (std::uint32_t id = 3; id < 8000; id += 2) wire.push(kIn, headers(id, bomb, kEndHeaders));
  EXPECT_LE(wire.held.text, Held::kMaxText);
  wire.end(kIn, End::fin);
  wire.end(kOut, End::fin);
}

}  // namespace
}  // namespace tailcap::protocols::http2

// HTTP/2 with missing bytes: h12, h13 and the rule that everything reported is true.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/unit/protocols/http2_wire.h"

namespace tailcap::protocols::http2::http2_loss_test {
namespace {

using model::Ending;
using model::Finding;
using model::MessageKind;
using model::Taint;
using Lines = std::vector<std::string>;

TEST(Http2Loss, H12LateStart) {
  Wire wire(true);
  Encoder client, server;
  client(get("/known/only/to/the/peers"));  // sent before recording began
  server({{":status", "404"}, {"old", "1"}});
  // An answer to an old request, then a complete one. Fields sent before are unknown; new and static ones are known.
  wire.push(kOut, data(7, "rest of an old answer") + data(7, "", kEndStream) + window_update(0, 10), 5);
  Fields request = get("/new");
  wire.push(kIn, headers(9, client(request)), 10);
  wire.push(kIn, frame(FrameType::ping, 0, 0, "12345678") + window_update(0, 10), 11);
  wire.push(
      kOut,
      headers(9, server({{":status", "200"}, {"old", "1"}, {"new", "2"}}), kEndHeaders) + data(9, "abc", kEndStream),
      12);
  // Literals seen since then are known when they are referenced again.
  request.emplace_back("x", "y");
  wire.push(kIn, headers(11, client(request)), 20);
  wire.push(kOut, headers(11, server({{":status", "404"}, {"new", "2"}})), 21);
  EXPECT_EQ(wire.lines(),
            (Lines{"request 9 in GET /new [] {} unknown:2 body:0", "response 7 out [] {} body:? answers-unknown",
                   "response 9 out 200 [new=2] {} unknown:1 body:3", "request 11 in GET /new [x=y] {} unknown:2 body:0",
                   "response 11 out [new=2] {} unknown:1 body:0"}));
  EXPECT_TRUE(has(wire.got[1].taints, Taint::began_before));
  EXPECT_EQ(wire.got[0].taints, static_cast<model::Taints>(Taint::fields_unknown));
  EXPECT_FALSE(wire.got[0].headers_complete);
  EXPECT_TRUE(wire.connection.found());
}

struct Talking : Wire {
  Talking() {
    push(kIn, std::string(kPreface) + settings());
    push(kOut, settings());
  }
  void ask(std::uint32_t id, const std::string& path, std::int64_t ms = 0) {
    push(kIn, headers(id, client(get(path))), ms);
  }
  void answer(std::uint32_t id, const std::string& status, const std::string& body, std::int64_t ms = 0) {
    push(kOut, headers(id, server({{":status", status}, {"s", status}}), kEndHeaders) + data(id, body, kEndStream), ms);
  }
  Encoder client, server;
};

// A header block that begins with :method, in a frame that ends where its send ends, is taken for a request.
TEST(Http2Loss, LateStartBelievesARequestThatEndsItsSend) {
  Encoder client;
  const std::string request = headers(1, client(get("/a")));
  Wire cut(true);
  cut.push(kIn, request + "more");  // the following bytes are no frame
  EXPECT_FALSE(cut.connection.found());
  Wire wire(true);
  wire.push(kIn, request.substr(0, 20));
  EXPECT_FALSE(wire.connection.found());
  wire.push(kIn, request.substr(20));
  EXPECT_TRUE(wire.connection.found());
  EXPECT_EQ(wire.lines(), (Lines{"request 1 in GET /a [:scheme=http :authority=a.example] {} body:0"}));
}

// If a send is cut, the frame behind its body is hidden. Frames before it are read.
TEST(Http2Loss, LateStartInASendThatIsCut) {
  Wire wire(true);
  wire.push(kIn,
            headers(5, Encoder()(get("/upload")), kEndHeaders) + data(5, std::string(16'384, 'u')) +
                data(5, "end", kEndStream),
            1, 256);
  EXPECT_TRUE(wire.connection.found());
  wire.push(kOut, headers(5, Encoder()({{":status", "200"}})), 2);
  wire.end(kIn, model::End::fin);
  wire.end(kOut, model::End::fin);
  ASSERT_NE(wire.find(MessageKind::request, 5), nullptr);
  EXPECT_EQ(wire.find(MessageKind::request, 5)->target, "/upload");
  ASSERT_NE(wire.find(MessageKind::response, 5), nullptr);
  EXPECT_EQ(wire.find(MessageKind::response, 5)->status, 200);
  EXPECT_FALSE(wire.find(MessageKind::response, 5)->answers_unknown);
}

TEST(Http2Loss, LateStartBelievesAChainOfThree) {
  Wire wire(true);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(wire.connection.found());
    wire.push(kIn, frame(FrameType::ping, 0, 0, "12345678"));
  }
  wire.push(kIn, headers(5, Encoder()(get("/c"))));
  EXPECT_TRUE(wire.connection.found());
  EXPECT_EQ(wire.got.size(), 1u);
}

// A send longer than the kept payload hides the frame behind it. Between such sends, one or two frames are read.
TEST(Http2Loss, HeadsBetweenSendsThatAreCut) {
  Wire wire(true);
  Encoder client, server;
  client(get("/known/only/to/the/peers"));
  server({{":status", "200"}});
  const std::string body(20'000, 'b');
  std::uint32_t id = 101;
  for (int round = 0; round < 5; ++round, id += 4) {
    const auto first = id, second = id + 2;
    Fields upload = get("/up" + std::to_string(first)), fetch = get("/get" + std::to_string(second));
    upload[0].second = "POST";
    const std::string a = client(upload), b = client(fetch);
    wire.push(kIn, headers(first, a, kEndHeaders) + headers(second, b), round * 10 + 1);
    wire.push(kIn, data(first, body.substr(0, 16'384)) + data(first, body.substr(16'384), kEndStream), round * 10 + 2,
              256);
    wire.push(kOut,
              headers(second, server({{":status", "200"}}), kEndHeaders) + data(second, body.substr(0, 16'384)) +
                  data(second, "x", kEndStream),
              round * 10 + 3, 256);
    wire.push(kOut, headers(first, server({{":status", "200"}})), round * 10 + 4);
  }
  wire.end(kIn, model::End::fin);
  wire.end(kOut, model::End::fin);
  for (id = 101; id < 121; id += 2) {
    const model::Message* request = wire.find(MessageKind::request, id);
    const model::Message* response = wire.find(MessageKind::response, id);
    ASSERT_TRUE(request && response) << id;
    EXPECT_EQ(request->target, (id % 4 == 1 ? "/up" : "/get") + std::to_string(id));
    EXPECT_EQ(request->method, id % 4 == 1 ? "POST" : "GET");
    EXPECT_EQ(response->status, 200) << id;
    EXPECT_FALSE(response->answers_unknown) << id;
    EXPECT_TRUE(formats::known(request->instants.first_done)) << id;
  }
}

// The directions are read independently: an answer that is read first waits for its request.
TEST(Http2Loss, AnAnswerWaitsForARequestThatMayCome) {
  Talking wire;
  wire.ask(1, "/1");
  wire.answer(1, "200", "x");
  wire.lose(kIn, 50);
  wire.push(kIn, "the end of something");
  wire.answer(7, "200", "abc", 10);
  wire.push(kOut, headers(9, wire.server({{":status", "200"}}), kEndHeaders) + rst(9, 8), 11);
  wire.answer(3, "404", "", 12);
  EXPECT_EQ(wire.got.size(), 2u);
  wire.ask(7, "/7", 9);
  EXPECT_EQ(line(*wire.find(MessageKind::request, 7)), "request 7 in GET /7 [] {} unknown:2 body:0");
  EXPECT_EQ(line(*wire.find(MessageKind::response, 7)), "response 7 out 200 [s=200] {} body:3");
  // Stream 3 was opened before stream 7, so its request was lost.
  EXPECT_EQ(line(*wire.find(MessageKind::response, 3)), "response 3 out 404 [s=404] {} body:0 answers-unknown");
  EXPECT_EQ(wire.find(MessageKind::response, 9), nullptr);
  wire.push(kIn, headers(9, wire.client(get("/9")), kEndHeaders), 13);
  EXPECT_EQ(line(*wire.find(MessageKind::request, 9)),
            "request 9 in GET /9 [] {} unknown:2 body:0 truncated reset:8 by us");
  EXPECT_EQ(line(*wire.find(MessageKind::response, 9)), "response 9 out 200 [] {} body:0 truncated reset:8 by us");
  wire.answer(15, "200", "late", 20);
  wire.push(kOut, window_update(0, 5), 20 + 1001);
  EXPECT_EQ(line(*wire.find(MessageKind::response, 15)), "response 15 out 200 [s=200] {} body:4 answers-unknown");
}

TEST(Http2Loss, LateStartInTheMiddleOfAFrame) {
  Wire wire(true);
  Encoder client;
  wire.push(kIn, "end of something whose beginning nobody knows");
  for (const std::uint32_t id : {21u, 23u, 25u}) wire.push(kIn, headers(id, client(get("/x"))));
  EXPECT_EQ(wire.got.size(), 3u);
  EXPECT_EQ(wire.got[0].target, "/x");
}

TEST(Http2Loss, WhatIsNoHttp2IsNotFound) {
  Wire wire(true);
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(1 + random() % 200, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    wire.push(i % 2 ? kIn : kOut, bytes);
    wire.push(i % 2 ? kIn : kOut, std::string(random() % 100, '\0'));
    wire.push(i % 2 ? kIn : kOut, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  EXPECT_FALSE(wire.connection.found());
  EXPECT_TRUE(wire.got.empty());
}

TEST(Http2Loss, H13BytesOfDataAreCounted) {
  Talking wire;
  wire.ask(1, "/");
  wire.push(kOut, headers(1, wire.server({{":status", "200"}}), kEndHeaders));
  const std::string body = data(1, std::string(5000, 'x'));
  wire.push(kOut, body.substr(0, 100));
  wire.lose(kOut, 4000);
  wire.push(kOut, body.substr(4100) + data(1, "end", kEndStream));
  EXPECT_EQ(wire.lines()[1], "response 1 out 200 [] {} body:5003");
  EXPECT_EQ(wire.findings[Finding::frames_lost], 0u);
  EXPECT_TRUE(has(wire.got[1].taints, Taint::bytes_lost));  // the time of sending is unknown
}

TEST(Http2Loss, H13LostResponsesAreUnknownAndTheTableUncertain) {
  Talking wire;
  wire.ask(1, "/1");
  wire.answer(1, "404", "x");
  wire.ask(3, "/3");
  wire.lose(kOut, 40);
  wire.ask(5, "/5");
  wire.answer(5, "404", "xyz");
  wire.ask(7, "/7");
  wire.answer(7, "500", "xyz");
  wire.ask(9, "/9");
  wire.answer(9, "500", "xyz");
  wire.end(kIn, model::End::fin);
  wire.end(kOut, model::End::fin);
  const auto response = [&wire](std::uint32_t id) { return line(*wire.find(MessageKind::response, id)); };
  EXPECT_EQ(response(1), "response 1 out 404 [s=404] {} body:1");
  EXPECT_EQ(response(3), "response 3 out [] {} body:? lost");
  EXPECT_EQ(response(5), "response 5 out [] {} unknown:2 body:?");  // the block may have been its trailers
  EXPECT_EQ(response(7), "response 7 out 500 [s=500] {} body:3");
  EXPECT_EQ(response(9), "response 9 out 500 [s=500] {} body:3");
  EXPECT_EQ(wire.find(MessageKind::response, 7)->taints, 0u);
  EXPECT_TRUE(has(wire.find(MessageKind::response, 3)->taints, Taint::bytes_lost));
  EXPECT_EQ(wire.findings[Finding::frames_lost], 1u);
  EXPECT_EQ(wire.findings[Finding::resynchronised], 1u);
}

TEST(Http2Loss, AnUploadFromBeforeTheRecordingOfWhichFramesAreCut) {
  Wire wire(true, true);
  Encoder server;
  const std::string piece = data(1, std::string(100, 'b'));
  wire.push(kOut, window_update(1, 100) + window_update(0, 100), 1);
  for (int i = 0; i < 8; ++i) wire.push(kIn, piece, 2 + i);
  wire.push(kOut, window_update(1, 100), 10);
  wire.push(kIn, piece + piece + piece, 11, 64);
  for (int i = 0; i < 8; ++i) wire.push(kIn, piece, 12 + i);
  wire.push(kOut, headers(1, server({{":status", "201"}})), 20);
  wire.end(kIn, model::End::fin);
  wire.end(kOut, model::End::fin);
  const model::Message* request = wire.find(MessageKind::request, 1);
  ASSERT_NE(request, nullptr);
  EXPECT_TRUE(has(request->taints, Taint::began_before));
  EXPECT_TRUE(has(request->taints, Taint::payload_cut));
}

TEST(Http2Loss, StreamGoesOnAfterALossAndItsEndIsKnown) {
  Talking wire;
  wire.ask(1, "/stream");
  wire.push(kOut, headers(1, wire.server({{":status", "200"}}), kEndHeaders) + data(1, "abc"), 10);
  wire.lose(kOut, 1000);
  for (int i = 0; i < 3; ++i) wire.push(kOut, data(1, "def"), 20 + i);
  wire.push(kOut, data(1, "", kEndStream), 30);
  EXPECT_EQ(wire.lines()[1], "response 1 out 200 [] {} body:?");
  EXPECT_EQ(wire.got[1].instants.last_done, at_ms(30));
  EXPECT_TRUE(has(wire.got[1].taints, Taint::bytes_lost));
}

TEST(Http2Loss, HeadersPartlyCaptured) {
  Talking wire;
  Fields request = get("/first");
  request.emplace_back("cookie", std::string(500, 'c'));
  request.emplace_back("last", "1");
  wire.push(kIn, headers(1, wire.client(request)), 0, 100);  // only the middle of the cookie is missing
  EXPECT_EQ(wire.lines()[0], "request 1 in GET /first [:scheme=http :authority=a.example last=1] {} unknown:1 body:0");
  wire.push(kIn, headers(3, wire.client(request)), 0);
  EXPECT_EQ(wire.lines()[1], "request 3 in GET /first [:scheme=http :authority=a.example last=1] {} unknown:1 body:0");
  request[2].second = "/third";
  request.emplace_back("b", std::string(300, 'b'));
  request.emplace_back("c", std::string(300, 'c'));
  wire.push(kIn, headers(5, wire.client(request)), 0, 100);  // structure is missing: the rest of the block is lost
  const model::Message& third = wire.got[2];
  EXPECT_EQ(third.target, "/third");
  EXPECT_FALSE(third.headers_complete);
  EXPECT_TRUE(has(third.taints, Taint::payload_cut));
  EXPECT_EQ(third.ending, Ending::complete);
  wire.push(kIn, headers(7, wire.client(request)));
  EXPECT_EQ(wire.lines()[3], "request 7 in GET  [] {} unknown:7 body:0");
}

TEST(Http2Loss, FrameHeaderNotCaptured) {
  Talking wire;
  wire.ask(1, "/1");
  const std::string answer =
      headers(1, wire.server({{":status", "200"}}), kEndHeaders) + data(1, std::string(400, 'x'));
  wire.push(kOut, answer + data(1, "tail, 16 bytes and more", kEndStream), 10, 64);
  for (const std::uint32_t id : {3u, 5u, 7u}) {
    wire.ask(id, "/" + std::to_string(id));
    wire.answer(id, "200", "ok");
  }
  wire.end(kIn, model::End::fin);
  wire.end(kOut, model::End::fin);
  EXPECT_EQ(line(*wire.find(MessageKind::response, 1)), "response 1 out 200 [] {} body:? lost");
  EXPECT_TRUE(has(wire.find(MessageKind::response, 1)->taints, Taint::payload_cut));
  EXPECT_EQ(line(*wire.find(MessageKind::response, 5)), "response 5 out 200 [s=200] {} body:2");
}

TEST(Http2Loss, ViolationIsNotFollowed) {
  Talking wire;
  wire.ask(1, "/1");
  wire.push(kIn, frame(FrameType::data, 0, 0, "on stream 0"));
  EXPECT_EQ(wire.findings[Finding::malformed_message], 1u);
  wire.push(kOut, goaway(1, 1));
  for (const std::uint32_t id : {3u, 5u, 7u}) wire.ask(id, "/x");
  EXPECT_EQ(wire.findings[Finding::resynchronised], 1u);
}

// Random conversations with random losses, cuts and late starts: every reported fact is true.
TEST(Http2Loss, NeverWrong) {
  std::uint64_t facts = 0, complete = 0, asked = 0;
  for (std::uint32_t seed = 1; seed <= 400; ++seed) {
    std::mt19937 random(seed);
    const bool late = seed % 5 == 0;
    Wire wire(late);
    Encoder client, server;
    struct Truth {
      std::string path, status;
      std::uint64_t up = 0, down = 0;
    };
    std::map<std::uint32_t, Truth> truth;
    const auto send = [&](model::Direction d, const std::string& bytes, bool first = false) {
      const unsigned what = first ? 99 : static_cast<unsigned>(random() % 100);
      if (what < 3) return wire.lose(d, bytes.size());
      if (what < 6) return wire.push(d, bytes, 1, random() % (bytes.size() + 1));
      if (what < 20 && bytes.size() > 1) {
        const std::size_t cut = 1 + random() % (bytes.size() - 1);
        wire.push(d, bytes.substr(0, cut), 1);
        if (random() % 10 == 0) return wire.lose(d, bytes.size() - cut);
        return wire.push(d, bytes.substr(cut), 1);
      }
      wire.push(d, bytes, 1);
    };
    if (late) {
      client(get("/old"));
      server({{":status", "404"}});
    } else {
      send(kIn, std::string(kPreface) + settings(), true);
      send(kOut, settings(), true);
    }
    std::uint32_t next = late ? 31 : 1;
    std::vector<std::uint32_t> open;
    for (int step = 0; step < 150; ++step) {
      if (open.size() < 5 && random() % 2) {
        Truth t{"/p" + std::to_string(random() % 20), random() % 2 ? "200" : "404", random() % 3 ? 0 : random() % 300,
                random() % 300};
        const std::string block =
            client({{":method", "POST"}, {":path", t.path}, {"x", std::to_string(random() % 20)}});
        send(kIn, headers(next, block, t.up ? kEndHeaders : kEndHeaders | kEndStream));
        if (t.up) send(kIn, data(next, std::string(t.up, 'u'), kEndStream));
        truth[next] = t;
        open.push_back(next);
        next += 2;
      } else if (!open.empty()) {
        const std::size_t i = random() % open.size();
        const std::uint32_t id = open[i];
        const Truth& t = truth[id];
        if (random() % 4 == 0) send(kOut, headers(id, server({{":status", "100"}}), kEndHeaders));
        send(kOut, headers(id, server({{":status", t.status}, {"y", std::to_string(random() % 20)}}), kEndHeaders));
        const bool trailers = random() % 2;
        send(kOut, data(id, std::string(t.down, 'd'), trailers ? 0 : kEndStream));
        if (trailers) send(kOut, headers(id, server({{"t", std::to_string(random() % 20)}})));
        send(kOut, random() % 2 ? window_update(0, 9) : settings_ack());
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    wire.end(kIn, model::End::fin);
    wire.end(kOut, model::End::fin);
    std::map<std::pair<int, std::uint32_t>, int> count;
    for (const auto& m : wire.got) {
      if (m.kind == MessageKind::closed || m.kind == MessageKind::interim) continue;
      ASSERT_TRUE(truth.contains(m.stream)) << "seed " << seed << ": " << line(m);
      const Truth& t = truth[m.stream];
      ++count[{static_cast<int>(m.kind), m.stream}];
      ++facts;
      if (m.kind == MessageKind::request) {
        ++asked;
        if (!m.target.empty()) {
          ASSERT_EQ(m.target, t.path) << "seed " << seed << ": " << line(m);
        }
        if (!m.method.empty()) {
          ASSERT_EQ(m.method, "POST");
        }
        if (m.body_bytes && m.ending == Ending::complete) {
          ASSERT_EQ(*m.body_bytes, t.up) << "seed " << seed << ": " << line(m);
        }
      } else {
        if (m.status != 0) {
          ASSERT_EQ(std::to_string(m.status), t.status) << "seed " << seed << ": " << line(m);
        }
        if (m.body_bytes && m.ending == Ending::complete) {
          ASSERT_EQ(*m.body_bytes, t.down) << "seed " << seed << ": " << line(m);
        }
      }
      complete += m.ending == Ending::complete && m.taints == 0 && m.unknown_fields == 0;
    }
    for (const auto& [key, n] : count) ASSERT_EQ(n, 1) << "seed " << seed << ": stream " << key.second << " twice";
  }
  EXPECT_GT(asked, 10'000u);
  EXPECT_GT(complete, facts / 4);
}

// The receiver would refuse this length: the bytes are no frame, and nothing may be hidden in it.
TEST(Http2Loss, TooLongAFrameIsNone) {
  Wire wire;
  Encoder client;
  wire.push(kIn, std::string(kPreface) + settings() + headers(1, client(get("/a"))), 1);
  wire.push(kOut, settings() + std::string(200, '*'), 2);
  wire.push(kIn, headers(3, client(get("/b"))), 3);
  wire.end(kIn, model::End::fin, 4);
  wire.end(kOut, model::End::fin, 5);
  unsigned answers = 0;
  for (const auto& m : wire.got) {
    if (m.kind != MessageKind::response) continue;
    ++answers;
    EXPECT_EQ(m.ending, Ending::lost);
    EXPECT_EQ(m.status, 0);
    EXPECT_NE(m.taints, 0u);
  }
  EXPECT_EQ(answers, 2u);
  EXPECT_EQ(wire.findings[Finding::malformed_message], 1u);
}

}  // namespace
}  // namespace tailcap::protocols::http2::http2_loss_test

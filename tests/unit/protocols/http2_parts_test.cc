// HTTP/2 as recorded when the recorder steps over the payload of DATA frames: calls in parts, each with its beginning
// only. The results are the same as if every byte had been captured.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/protocols/http2_wire.h"

namespace tailcap::protocols::http2 {
namespace {

struct Call {
  model::Direction direction;
  std::string bytes;
  std::int64_t ms;
};

// Decides which bytes of one direction the kernel programs keep (bpf/net/framing.bpf.h), by the kind of frame.
class Kept {
 public:
  // To be called for each byte, in order.
  bool next(char c) {
    if (left_ > 0) {
      --left_;
      if (keep_ == 0) return false;
      --keep_;
      return true;
    }
    header_.push_back(c);
    if (preface_ ? header_.size() < kPreface.size() : header_.size() < kFrameHeader) return true;
    if (!preface_) {
      const FrameHeader h = parse_frame_header(header_);
      left_ = h.length;
      keep_ = h.type == FrameType::data && h.length > 256 ? 64 : h.length;
    }
    preface_ = false;
    header_.clear();
    return true;
  }
  explicit Kept(bool preface) : preface_(preface) {}

 private:
  bool preface_;
  std::string header_;
  std::uint32_t left_ = 0, keep_ = 0;
};

std::vector<Call> conversation() {
  Encoder client, server;
  const std::string big(70'000, 'b'), page(16'384, 'p'), message(1'000, 'm');
  Fields head = {{":status", "200"}, {"content-type", "application/grpc"}};
  std::vector<Call> calls;
  const auto add = [&](model::Direction d, std::string bytes) {
    calls.push_back({d, std::move(bytes), static_cast<std::int64_t>(10 * calls.size() + 10)});
  };
  add(kIn, std::string(kPreface) + settings({{4, 1u << 30}, {5, 1u << 20}}) + window_update(0, 1u << 30));
  add(kOut, settings({{4, 1u << 30}, {5, 1u << 20}}) + window_update(0, 1u << 30) + settings_ack());
  std::string first = client(get("/big")), second = client(get("/page"));  // in the order of sending
  add(kIn, settings_ack() + headers(1, first) + headers(3, second));
  first = server({{":status", "200"}, {"x", "1"}});
  second = server({{":status", "200"}, {"x", "2"}});
  add(kOut, headers(1, first, kEndHeaders) + data(1, big) + data(1, page) + data(1, page) +
                headers(3, second, kEndHeaders) + data(3, page, kEndStream) + data(1, "", kEndStream));
  // A call that streams both ways: messages in frames of their own, and one message over several frames.
  add(kIn, headers(5, client(call("/a.B/Stream")), kEndHeaders) + data(5, grpc_message(message)) +
               data(5, grpc_message(big)) + data(5, grpc_message("x")));
  const std::string over = grpc_message(std::string(50'000, 'o'));
  add(kOut, headers(5, server(head), kEndHeaders) + data(5, over.substr(0, 16'384)) + data(5, over.substr(16'384)) +
                data(5, grpc_message(message)));
  add(kIn, data(5, grpc_message(message), kEndStream));
  add(kOut, headers(5, server({{"grpc-status", "0"}})));
  return calls;
}

void play(Wire& wire, const std::vector<Call>& calls, std::size_t cut) {
  Kept kept[2] = {Kept(false), Kept(true)};
  for (const Call& call : calls) {
    for (std::size_t at = 0; at < call.bytes.size(); at += cut) {
      const std::string bytes = call.bytes.substr(at, cut);
      std::vector<bool> wanted;
      for (const char c : bytes) wanted.push_back(kept[call.direction == kIn].next(c));
      for (std::size_t begin = 0; begin < bytes.size();) {
        std::size_t head = begin, end;
        while (head < bytes.size() && wanted[head]) ++head;
        for (end = head; end < bytes.size() && !wanted[end];) ++end;
        wire.push(call.direction, std::string_view(bytes).substr(begin, end - begin), call.ms, head - begin, 0);
        begin = end;
      }
    }
  }
}

TEST(Http2Parts, SaysTheSame) {
  const auto calls = conversation();
  Wire whole;
  for (const Call& call : calls) whole.push(call.direction, call.bytes, call.ms);
  ASSERT_EQ(whole.got.size(), 6u);
  for (const auto& m : whole.got) EXPECT_EQ(m.taints, 0u) << line(m);
  EXPECT_EQ(line(*whole.find(model::MessageKind::response, 1)), "response 1 out 200 [x=1] {} body:102768");
  EXPECT_EQ(whole.find(model::MessageKind::request, 5)->grpc->messages, 4u);
  for (const std::size_t cut : {1u, 9u, 10u, 100u, 777u, 4096u, 16'393u, 1'000'000u}) {
    Wire parts;
    play(parts, calls, cut);
    ASSERT_EQ(parts.lines(), whole.lines()) << "calls of " << cut;
    for (std::size_t i = 0; i < whole.got.size(); ++i) {
      const auto &a = parts.got[i], &b = whole.got[i];
      EXPECT_EQ(a.taints, b.taints) << line(a);
      EXPECT_EQ(a.begin, b.begin) << line(a);
      EXPECT_EQ(a.end, b.end) << line(a);
      EXPECT_EQ(a.instants.first_done, b.instants.first_done) << line(a);
      EXPECT_EQ(a.instants.last_done, b.instants.last_done) << line(a);
      EXPECT_EQ(a.head_done, b.head_done) << line(a);
      EXPECT_EQ(a.body_arrived, b.body_arrived) << line(a);
      if (!a.grpc || a.direction != kIn) continue;
      ASSERT_EQ(a.grpc->listed.size(), b.grpc->listed.size());
      for (std::size_t k = 0; k < a.grpc->listed.size(); ++k)
        EXPECT_EQ(a.grpc->listed[k].length, b.grpc->listed[k].length) << k;
    }
  }
}

// Several messages in one DATA frame: if its payload was stepped over, their number is unknown.
TEST(Http2Parts, MessagesInWhatWasSteppedOverAreNotCounted) {
  Encoder client, server;
  Wire wire;
  std::string messages;
  for (int i = 0; i < 5; ++i) messages += grpc_message(std::string(100, 'a'));
  const auto calls = std::vector<Call>{
      {kIn, std::string(kPreface) + settings(), 10},
      {kOut, settings(), 20},
      {kIn, headers(1, client(call("/a.B/C")), kEndHeaders) + data(1, messages, kEndStream), 30},
      {kOut, headers(1, server({{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "0"}})), 40}};
  play(wire, calls, 1'000'000);
  const auto* request = wire.find(model::MessageKind::request, 1);
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->body_bytes, 525u);
  EXPECT_FALSE(request->grpc->exact);
  EXPECT_EQ(request->grpc->messages, 1u);
}

}  // namespace
}  // namespace tailcap::protocols::http2

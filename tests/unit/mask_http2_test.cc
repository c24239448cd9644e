// Masking inside HTTP/2: no credential survives, whatever the cuts; a decoder stays in step and reads every other field.
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "capture/mask.h"

namespace tailcap::capture {
namespace {

using formats::Direction;
using formats::Io;
using Fields = std::vector<std::pair<std::string, std::string>>;

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kSettings("\0\0\0\4\0\0\0\0\0", 9);

class Deflater {
 public:
  explicit Deflater(std::size_t table = 4096) { nghttp2_hd_deflate_new(&state_, table); }
  ~Deflater() { nghttp2_hd_deflate_del(state_); }
  std::string operator()(const Fields& fields, std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
    std::vector<nghttp2_nv> all;
    for (const auto& [name, value] : fields)
      all.push_back({bytes(name), bytes(value), name.size(), value.size(), flags});
    std::string out(nghttp2_hd_deflate_bound(state_, all.data(), all.size()), '\0');
    const auto n = nghttp2_hd_deflate_hd(state_, bytes(out), out.size(), all.data(), all.size());
    EXPECT_GE(n, 0);
    out.resize(static_cast<std::size_t>(n));
    return out;
  }

 private:
  static std::uint8_t* bytes(const std::string& s) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(s.data())); }
  nghttp2_hd_deflater* state_ = nullptr;
};

class Inflater {
 public:
  Inflater() { nghttp2_hd_inflate_new(&state_); }
  ~Inflater() { nghttp2_hd_inflate_del(state_); }
  Fields operator()(std::string_view block) {
    Fields out;
    const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
      nghttp2_nv nv;
      flags = 0;
      const auto n = nghttp2_hd_inflate_hd2(state_, &nv, &flags, in, left, 1);
      if (n < 0) {
        ADD_FAILURE() << "the masked block is no header block: " << nghttp2_strerror(static_cast<int>(n));
        return out;
      }
      in += n, left -= static_cast<std::size_t>(n);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
        out.emplace_back(std::string(reinterpret_cast<char*>(nv.name), nv.namelen),
                         std::string(reinterpret_cast<char*>(nv.value), nv.valuelen));
    }
    nghttp2_hd_inflate_end_headers(state_);
    return out;
  }

 private:
  nghttp2_hd_inflater* state_ = nullptr;
};

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, const std::string& payload) {
  const auto n = payload.size();
  std::string out = {static_cast<char>(n >> 16), static_cast<char>(n >> 8), static_cast<char>(n), static_cast<char>(type),
                     static_cast<char>(flags), static_cast<char>(stream >> 24), static_cast<char>(stream >> 16),
                     static_cast<char>(stream >> 8), static_cast<char>(stream)};
  return out + payload;
}

// HEADERS, padded and with priority, its block going on in CONTINUATION frames of `piece` bytes.
std::string headers(std::uint32_t stream, const std::string& block, std::size_t piece) {
  const std::size_t first = std::min(piece, block.size());
  std::string out = frame(1, static_cast<std::uint8_t>(0x8 | 0x20 | (first == block.size() ? 0x4 : 0)), stream,
                          std::string("\3", 1) + std::string("\0\0\0\0\7", 5) + block.substr(0, first) + std::string(3, '\0'));
  for (std::size_t at = first; at < block.size(); at += piece)
    out += frame(9, at + piece >= block.size() ? 0x4 : 0, stream, block.substr(at, piece));
  return out;
}

// The bytes as they would be in the file, handed over in pieces that end at the cuts.
std::string pass(Mask& mask, const std::string& bytes, std::vector<std::size_t> cuts) {
  cuts.push_back(bytes.size());
  std::string out;
  std::size_t at = 0;
  for (const auto end : cuts) {
    Io io;
    io.socket = 7;
    io.direction = Direction::in;
    io.payload = formats::Payload::captured;
    io.position = at;
    io.length = static_cast<std::uint32_t>(end - at);
    io.head = std::string_view(bytes).substr(at, end - at);
    mask.apply(io);
    EXPECT_EQ(io.head.size(), end - at);
    out += io.head;
    at = end;
  }
  return out;
}

bool is_secret(const std::string& name) {
  return name == "authorization" || name == "cookie" || name == "set-cookie" || name == "x-api-key" ||
         name == "proxy-authorization";
}

// Header blocks of the stream, CONTINUATION joined.
std::vector<std::string> blocks_of(std::string_view bytes) {
  std::vector<std::string> all;
  for (std::size_t at = kPreface.size(); at + 9 <= bytes.size();) {
    const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(bytes[at + i])}; };
    const std::size_t length = byte(0) << 16 | byte(1) << 8 | byte(2);
    const std::string_view payload = bytes.substr(at + 9, length);
    if (byte(3) == 1) all.emplace_back(payload.substr(6, length - 9));
    if (byte(3) == 9) all.back() += payload;
    at += 9 + length;
  }
  return all;
}

void expect_masked(const std::string& bytes, const std::vector<Fields>& sent, const std::string& where) {
  const auto blocks = blocks_of(bytes);
  ASSERT_EQ(blocks.size(), sent.size()) << where;
  Inflater inflate;
  for (std::size_t i = 0; i < blocks.size(); i++) {
    const Fields got = inflate(blocks[i]);
    ASSERT_EQ(got.size(), sent[i].size()) << where;
    for (std::size_t k = 0; k < got.size(); k++) {
      ASSERT_EQ(got[k].first, sent[i][k].first) << where;
      const auto &value = got[k].second, &was = sent[i][k].second;
      if (!is_secret(got[k].first)) {
        ASSERT_EQ(value, was) << where;
        continue;
      }
      ASSERT_EQ(value.size(), was.size()) << where << ": the table of a decoder would go out of step";
      // A character that a cut divides stays, and so may one that is a filler itself.
      std::size_t same = 0;
      for (std::size_t c = 0; c < was.size(); c++) same += value[c] == was[c] && std::string("0& :*").find(was[c]) == std::string::npos;
      ASSERT_LE(same, was.size() < 8 ? 1u : 3u) << where << " " << was << " " << value;
    }
  }
}

const Fields kRequest = {{":method", "POST"},
                         {":path", "/cart.Cart/Add"},
                         {"authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.X1Y2Z3-_"},
                         {"x-api-key", "K7Kq8Wz!"},
                         {"cookie", "sid=QqWwEeRr; theme=dark"},
                         {"user-agent", "grpc-c++/1.51"},
                         {"x-trace", "abcdef0123456789"}};

TEST(MaskHttp2, EverySingleCut) {
  Deflater deflate;
  std::string stream = kPreface + kSettings;
  std::vector<Fields> sent;
  for (std::uint32_t i = 0; i < 3; i++) {
    Fields fields = kRequest;
    fields[2].second += static_cast<char>('a' + i);  // a literal with a name of the dynamic table, from the second on
    stream += headers(2 * i + 1, deflate(fields), i == 1 ? 20 : 10000) + frame(0, 1, 2 * i + 1, "authorization: body");
    sent.push_back(fields);
  }
  for (std::size_t cut = 17; cut < stream.size(); cut++) {
    Mask mask;
    const std::string masked = pass(mask, stream, {cut});
    ASSERT_EQ(masked.size(), stream.size());
    expect_masked(masked, sent, "cut at " + std::to_string(cut));
    EXPECT_NE(masked.find("authorization: body"), masked.npos) << "bodies are not looked at";
  }
}

TEST(MaskHttp2, RandomFieldsAndCuts) {
  std::mt19937 random(7);
  const char* const names[] = {"authorization", "cookie", "set-cookie", "x-api-key", "proxy-authorization", ":path", "x-a",
                               "x-b", "user-agent", "date", "cookie2", "authorizatio"};
  for (int round = 0; round < 3000; round++) {
    Deflater deflate(random() % 4 == 0 ? 200 : 4096);
    std::string stream = kPreface + kSettings;
    std::vector<Fields> sent;
    for (std::uint32_t i = 0; i < 1 + random() % 6; i++) {
      Fields fields;
      for (auto n = random() % 8; n > 0; n--) {
        std::string value;
        const bool binary = random() % 6 == 0;
        for (auto k = random() % 60; k > 0; k--)
          value.push_back(static_cast<char>(binary ? 1 + random() % 255 : 'b' + random() % 20));
        fields.emplace_back(names[random() % std::size(names)], value);
      }
      stream += headers(2 * i + 1, deflate(fields, random() % 5 == 0 ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE),
                        1 + random() % 300);
      sent.push_back(fields);
    }
    std::vector<std::size_t> cuts;
    for (auto n = random() % 4; n > 0; n--) cuts.push_back(17 + random() % (stream.size() - 17));
    std::sort(cuts.begin(), cuts.end());
    Mask mask;
    const std::string masked = pass(mask, stream, cuts);
    const auto blocks = blocks_of(masked);
    Inflater inflate;
    for (std::size_t i = 0; i < blocks.size(); i++) {
      const Fields got = inflate(blocks[i]);
      ASSERT_EQ(got.size(), sent[i].size()) << round;
      for (std::size_t k = 0; k < got.size(); k++) {
        ASSERT_EQ(got[k].first, sent[i][k].first) << round;
        ASSERT_EQ(got[k].second.size(), sent[i][k].second.size()) << round;
        if (!is_secret(got[k].first)) {
          ASSERT_EQ(got[k].second, sent[i][k].second) << round;
        } else if (got[k].second.size() > 12) {
          ASSERT_NE(got[k].second, sent[i][k].second) << round;
        }
      }
    }
  }
}

Io piece(std::string_view bytes, std::uint64_t position) {
  Io io;
  io.socket = 7;
  io.direction = Direction::in;
  io.payload = formats::Payload::captured;
  io.position = position;
  io.length = static_cast<std::uint32_t>(bytes.size());
  io.head = bytes;
  return io;
}

TEST(MaskHttp2, UnseenBytesOfABodyArePassed) {
  Deflater deflate;
  Mask mask;
  const std::string start = kPreface + kSettings + frame(0, 0, 1, std::string(5000, 'x'));
  Io first = piece(std::string_view(start).substr(0, 100), 0);
  first.length = static_cast<std::uint32_t>(start.size());
  mask.apply(first);
  const std::string next = headers(3, deflate(kRequest), 10000);
  Io second = piece(next, start.size());
  mask.apply(second);
  expect_masked(kPreface + std::string(second.head), {kRequest}, "after a body");
}

TEST(MaskHttp2, WhereFramesAreLostNothingIsShownUntilOneBegins) {
  Deflater deflate;
  Mask mask;
  const std::string block = deflate(kRequest);
  const std::string start = kPreface + kSettings + headers(1, block, 10000);
  Io first = piece(std::string_view(start).substr(0, kPreface.size() + kSettings.size() + 12), 0);
  first.length = static_cast<std::uint32_t>(start.size() - 30);  // the rest of the block was not captured
  mask.apply(first);
  Io rest = piece(std::string_view(start).substr(start.size() - 30), start.size() - 30);
  mask.apply(rest);
  EXPECT_EQ(rest.head, "");
  EXPECT_EQ(rest.payload, formats::Payload::off);
  // The name of this one is in the dynamic table, which is not known any more: it counts as a credential.
  Fields again = kRequest;
  again[6].second = "other-value";
  const std::string next = headers(3, deflate(again), 10000);
  Io later = piece(next, start.size());
  mask.apply(later);
  EXPECT_EQ(later.head.size(), next.size());
  EXPECT_NE(later.head, next);
}

TEST(MaskHttp2, AConnectionJoinedLateIsMaskedFromAFrameOn) {
  Deflater deflate;
  deflate(kRequest);
  Fields next = kRequest;
  next[2].second = "Bearer other-secret-value";
  const std::string bytes = headers(9, deflate(next), 10000);
  Mask mask;
  Io io = piece(bytes, 4711);
  mask.apply(io);
  ASSERT_EQ(io.head.size(), bytes.size());
  EXPECT_NE(io.head, bytes);
}

TEST(MaskHttp2, PlaintextOfATlsSessionIsMaskedAlike) {
  Deflater deflate;
  const std::string stream = kPreface + kSettings + headers(1, deflate(kRequest), 10000);
  formats::TlsIo io;
  io.session = formats::kTlsSessionBit | 1;
  io.direction = Direction::out;
  io.length = static_cast<std::uint32_t>(stream.size());
  io.head = stream;
  Mask mask;
  mask.apply(io);
  expect_masked(std::string(io.head), {kRequest}, "session");
  const std::string http1 = "GET / HTTP/1.1\r\nCookie: a\r\n\r\n";
  formats::TlsIo other;
  other.session = formats::kTlsSessionBit | 2;
  other.length = static_cast<std::uint32_t>(http1.size());
  other.head = http1;
  mask.apply(other);
  EXPECT_EQ(other.head, "GET / HTTP/1.1\r\nCookie:**\r\n\r\n");
}

TEST(MaskHttp2, AnHttp1BodyThatLooksLikeAFrameDoesNotBlindIt) {
  Mask mask;
  const std::string response = "HTTP/1.1 200 OK\r\n\r\n", body = frame(0, 0, 5, std::string(100, 'x'));
  const std::string next = "HTTP/1.1 200 OK\r\nSet-Cookie: aaa\r\n\r\n";
  Io first = piece(response, 0);
  first.length += 1000;  // more that was not captured: what comes next is in an unknown place
  mask.apply(first);
  Io middle = piece(body, first.length);
  mask.apply(middle);
  Io last = piece(next, first.length + body.size());
  mask.apply(last);
  EXPECT_EQ(last.head, "HTTP/1.1 200 OK\r\nSet-Cookie:****\r\n\r\n");
}

TEST(MaskHttp2, HostileBytesAreTaken) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; round++) {
    Mask mask;
    std::string bytes = kPreface + kSettings;
    std::uint64_t at = 0;
    for (int n = 0; n < 6; n++) {
      for (auto k = random() % 80; k > 0; k--) bytes.push_back(static_cast<char>(random() % 3 ? random() % 10 : random() % 256));
      Io io = piece(bytes, at);
      io.length += random() % 3 == 0 ? random() % 1000 : 0;
      const auto size = io.head.size();
      mask.apply(io);
      ASSERT_LE(io.head.size(), size);
      at += io.length;
      bytes.clear();
    }
  }
}

}  // namespace
}  // namespace tailcap::capture

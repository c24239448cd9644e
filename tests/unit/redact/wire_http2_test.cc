// Redaction of HTTP/2: header compression stays in step, in plain text, in Huffman code and by index.
#include <random>

#include "ground/http/hpack_huffman.h"
#include "tests/unit/formats/planted_http2.h"
#include "tests/unit/redact/wire_case.h"

namespace tailcap::redact::wire {
namespace {

using namespace planted;

const FieldList kFields = {{":method", "POST"},
                           {":scheme", "https"},
                           {":path", "/shop.v1.Cart/A7f3Q9zz?token=QQQQWWWW"},
                           {":authority", "shop.example.com"},
                           {"content-type", "application/grpc+proto"},
                           {"te", "trailers"},
                           {"grpc-timeout", "300m"},
                           {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
                           {"content-length", "12345"},
                           {"authorization", "Bearer QQQQWWWW"},
                           {"x-tenant", "secretQQQQ"},
                           {"grpc-message", "secret WWWW"}};

std::string literal(const std::string& name, const std::string& value, bool huffman) {
  const auto text = [&](const std::string& s) {
    std::string coded = s;
    if (huffman) ground::hpack::huffman_encode(s, coded = "");
    return std::string(1, static_cast<char>((huffman ? 0x80u : 0u) | coded.size())) + coded;
  };
  return std::string(1, '\0') + text(name) + text(value);
}

std::string block_of(const FieldList& fields, bool huffman) {
  std::string block;
  for (const auto& [name, value] : fields) block += literal(name, value, huffman);
  return block;
}

void expect_redacted(const FieldList& got, Passage& p) {
  ASSERT_EQ(got.size(), kFields.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].first, kFields[i].first);
    EXPECT_EQ(got[i].second.size(), kFields[i].second.size()) << got[i].first;
  }
  // What hides a character in Huffman code is another one where that code is not as long as an asterisk's.
  EXPECT_TRUE(got[2].second.starts_with("/shop.v1.Cart/" + p.word("A7f3Q9zz") + "?token=")) << got[2].second;
  EXPECT_EQ(got[2].second.find_first_of("QW", 24), std::string::npos) << got[2].second;
  for (const std::size_t kept : {0u, 1u, 3u, 5u, 6u, 7u, 8u}) EXPECT_EQ(got[kept].second, kFields[kept].second);
  EXPECT_TRUE(got[4].second.starts_with("application/grpc")) << got[4].second;
  for (const std::size_t masked : {9u, 10u, 11u})
    for (const char* secret : {"QQ", "WW", "ecret", "earer"})
      EXPECT_EQ(got[masked].second.find(secret), std::string::npos) << got[masked].first << ": " << got[masked].second;
}

const std::string kBegin = kPreface + kSettings;

TEST(RedactHttp2, PlainText) {
  Passage p;
  const std::string stream = kBegin + frame(1, 4, 1, block_of(kFields, false));
  const std::string got = p.in(stream);
  Inflater inflate;
  expect_redacted(inflate(std::string_view(got).substr(kBegin.size() + 9)), p);
  EXPECT_EQ(p.gate.withheld().withheld, 0u);
}

TEST(RedactHttp2, StrictlyOnlyPublicNames) {
  const FieldList fields = {{":method", "GET"}, {":path", "/a"}, {"x-secret-name", "a"}, {"authorization", "b"}};
  for (const bool huffman : {false, true}) {
    const std::string stream = kBegin + frame(1, 5, 1, block_of(fields, huffman));
    for (std::size_t at = 0; at < stream.size(); ++at) {
      Passage p(RedactionLevel::strict);
      const std::string got = at == 0 ? p.in(stream) : p.cut(Direction::in, stream, at);
      ASSERT_EQ(got.size(), stream.size());
      Inflater inflate;
      const FieldList left = inflate(std::string_view(got).substr(kBegin.size() + 9));
      ASSERT_EQ(left.size(), fields.size()) << at;
      EXPECT_EQ(left[2].first.size(), fields[2].first.size());
      EXPECT_EQ(left[2].first.find("ecret"), std::string::npos) << left[2].first << at;
      if (at == 0) {
        EXPECT_EQ(left[3].first, "authorization");
      }
    }
  }
}

TEST(RedactHttp2, HuffmanCodeKeepsBothLengths) {
  Passage p;
  const std::string stream = kBegin + frame(1, 4, 1, block_of(kFields, true));
  const std::string got = p.in(stream);
  ASSERT_EQ(got.size(), stream.size());
  Inflater inflate;
  expect_redacted(inflate(std::string_view(got).substr(kBegin.size() + 9)), p);
}

TEST(RedactHttp2, IndexedFieldsStayInStep) {
  Passage p;
  Deflater deflate;
  const std::string first = deflate(kFields), second = deflate(kFields);
  ASSERT_LT(second.size(), first.size() / 2) << "most of it refers to the table";
  const std::string got = p.in(kBegin + headers(1, first, 4000) + headers(3, second, 4000));
  const auto blocks = blocks_of(std::string_view(got).substr(kSettings.size()));
  Inflater inflate;
  // blocks_of takes the bytes behind the preface; SETTINGS have as many bytes as were taken off.
  ASSERT_EQ(blocks.size(), 2u);
  for (const auto& block : blocks) expect_redacted(inflate(block), p);
}

TEST(RedactHttp2, EqualNamesAreEqualInBothVersions) {
  Passage one(RedactionLevel::strict), two(RedactionLevel::strict);
  const std::string head = one.in("GET /customers/alice HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string block = two.in(kBegin + frame(1, 5, 1, block_of({{":path", "/customers/alice"}}, true)));
  Inflater inflate;
  const FieldList got = inflate(std::string_view(block).substr(kBegin.size() + 9));
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(head.substr(4, 16), got[0].second);
  EXPECT_NE(got[0].second, "/customers/alice");
}

// Cut at every byte, plain and in Huffman code: a reader's header compression reads it, and no secret is left.
TEST(RedactHttp2, CutOnceAnywhere) {
  for (const bool huffman : {false, true}) {
    const std::string stream = kBegin + frame(1, 4, 1, block_of(kFields, huffman));
    for (std::size_t at = 1; at < stream.size(); at++) {
      Passage p;
      const std::string got = p.cut(Direction::in, stream, at);
      Inflater inflate;
      const FieldList fields = inflate(std::string_view(got).substr(kBegin.size() + 9));
      ASSERT_EQ(fields.size(), kFields.size()) << at;
      for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto& [name, value] = fields[i];
        ASSERT_EQ(name, kFields[i].first) << at;
        ASSERT_EQ(value.size(), kFields[i].second.size()) << at << ' ' << name;
        for (const char* secret : {"QQQQ", "WWWW", "secret", "Bearer", "A7f3"})
          ASSERT_EQ(value.find(secret), value.npos) << at << ' ' << name << ": " << value;
      }
      EXPECT_EQ(p.in(frame(1, 5, 3, block_of(kFields, huffman))).size(), stream.size() - kBegin.size());
      EXPECT_EQ(p.gate.withheld().withheld, 0u) << at;
    }
  }
}

TEST(RedactHttp2, ByteByByte) {
  for (const bool huffman : {false, true}) {
    Passage p;
    const std::string got = p.bytewise(Direction::in, kBegin + frame(1, 4, 1, block_of(kFields, huffman)));
    Inflater inflate;
    const FieldList fields = inflate(std::string_view(got).substr(kBegin.size() + 9));
    ASSERT_EQ(fields.size(), kFields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      EXPECT_EQ(fields[i].second.size(), kFields[i].second.size());
      for (const char* secret : {"QQ", "WW", "secret", "Bearer", "A7f3"})
        EXPECT_EQ(fields[i].second.find(secret), std::string::npos) << fields[i].second;
    }
  }
}

TEST(RedactHttp2, MessagesOfGrpcKeepTheirPrefixes) {
  Passage p;
  const std::string message = std::string("\0\0\0\0\x06", 5) + "secret";
  const std::string call = frame(1, 4, 1, block_of({{":path", "/a.B/C"}, {"content-type", "application/grpc"}}, true));
  p.in(kBegin + call);
  const std::string data = p.in(frame(0, 0, 1, message) + frame(0, 1, 1, message));
  EXPECT_EQ(data.find("secret"), data.npos);
  EXPECT_EQ(data.substr(9, 5), message.substr(0, 5));
  EXPECT_EQ(data.substr(9 + 11 + 9, 5), message.substr(0, 5));
  p.out(kSettings + frame(1, 4, 1, block_of({{":status", "200"}, {"content-type", "application/grpc"}}, false)));
  const std::string end = frame(1, 5, 1, block_of({{"grpc-status", "13"}, {"grpc-message", "secret"}}, true));
  const std::string trailers = p.out(end);
  Inflater inflate;
  const FieldList got = inflate(std::string_view(trailers).substr(9));
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0], (std::pair<std::string, std::string>{"grpc-status", "13"}));
  EXPECT_EQ(got[1].second.size(), 6u);
  EXPECT_EQ(got[1].second.find_first_of("secrt"), std::string::npos) << got[1].second;
}

TEST(RedactHttp2, ALostBlockMakesTheTableUnknown) {
  Passage p;
  Deflater deflate;
  const std::string first = frame(1, 5, 1, deflate(kFields)), second = frame(1, 5, 3, deflate(kFields));
  p.in(kBegin);
  p.lose(Direction::in, first.size());
  const std::string got = p.in(second);
  for (const char* secret : {"QQQQ", "WWWW", "secret"}) EXPECT_EQ(got.find(secret), got.npos);
  const std::string third = frame(1, 5, 5, block_of(kFields, false));
  p.in(frame(8, 0, 0, std::string("\0\0\0\1", 4)) + frame(8, 0, 0, std::string("\0\0\0\1", 4)));
  const std::string again = p.in(third);
  Inflater inflate;
  EXPECT_EQ(inflate(std::string_view(again).substr(9)).size(), kFields.size()) << "frames were found again";
}

TEST(RedactHttp2, HostileBytesAreTaken) {
  std::mt19937 random(5);
  for (int turn = 0; turn < 3000; ++turn) {
    Passage p(turn % 2 ? RedactionLevel::strict : RedactionLevel::standard);
    if (turn % 3 != 0) p.in(kBegin);
    for (unsigned i = random() % 6; i > 0; --i) {
      std::string bytes(random() % 80, '\0');
      for (char& c : bytes) c = static_cast<char>(random());
      if (random() % 2) bytes = frame(static_cast<std::uint8_t>(random() % 10), 4, random() % 4, bytes);
      if (bytes.empty()) continue;
      const std::size_t head = random() % (bytes.size() + 1);
      p.part(random() % 2 ? Direction::in : Direction::out, bytes, head, random() % (bytes.size() - head + 1));
    }
  }
}

}  // namespace
}  // namespace tailcap::redact::wire

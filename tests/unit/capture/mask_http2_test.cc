// HTTP/2 through the gate: however it is cut, values outside the list do not survive, and a decoder stays in sync.
#include <random>

#include "tests/unit/capture/mask_case.h"
#include "tests/unit/capture/mask_http2_wire.h"

namespace tailcap::capture::mask::mask_http2_test {
namespace {

const FieldList kRequest = {{":method", "POST"},
                            {":path", "/cart.Cart/Add?token=QqWwEeRrTt&id=17"},
                            {"authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.X1Y2Z3-_"},
                            {"x-secret", "K7Kq8Wz!(\\)"},
                            {"cookie", "sid=QqWwEeRr; theme=dark"},
                            {"user-agent", "grpc-c++/1.51"},
                            {"Cookie", "UPPER=QqWwEeRr"},
                            {"x-request-id", "abcdef0123456789"}};

bool is_kept(const std::string& name) {
  std::string small = name;
  std::transform(small.begin(), small.end(), small.begin(), lower);
  return HeaderList().of(small) == Value::kept;
}

void expect_masked(const std::string& bytes, const std::vector<FieldList>& sent, const std::string& where) {
  const auto blocks = blocks_of(bytes);
  ASSERT_EQ(blocks.size(), sent.size()) << where;
  Inflater inflate;
  for (std::size_t i = 0; i < blocks.size(); i++) {
    const FieldList got = inflate(blocks[i]);
    ASSERT_EQ(got.size(), sent[i].size()) << where;
    for (std::size_t k = 0; k < got.size(); k++) {
      ASSERT_EQ(got[k].first, sent[i][k].first) << where;
      const auto &value = got[k].second, &was = sent[i][k].second;
      ASSERT_EQ(value.size(), was.size()) << where << ": the table of a decoder would go out of step";
      if (is_kept(got[k].first)) {
        ASSERT_EQ(value, was) << where;
        continue;
      }
      const std::size_t from = got[k].first == ":path" ? was.find("token=") + 6 : 0;
      const std::size_t to = got[k].first == ":path" ? was.find("&id") : was.size();
      if (got[k].first == ":path") {  // a name that is cut could be a value
        const std::size_t query = was.find('?') + 1;
        ASSERT_EQ(value.substr(0, query), was.substr(0, query)) << where;
        ASSERT_EQ(value[from - 1], '=') << where;
      }
      // Filler characters stay as they are.
      std::size_t same = 0;
      for (std::size_t c = from; c < to; c++)
        same += value[c] == was[c] && std::string("0*-x").find(was[c]) == std::string::npos;
      ASSERT_LE(same, 1u) << where << " " << was << " " << value;
    }
  }
}

TEST(MaskHttp2, EverySingleCut) {
  Deflater deflate;
  std::string stream = kPreface + kSettings;
  std::vector<FieldList> sent;
  for (std::uint32_t i = 0; i < 3; i++) {
    FieldList fields = kRequest;
    fields[2].second += static_cast<char>('a' + i);  // from the second on, a literal with a name from the dynamic table
    stream += headers(2 * i + 1, deflate(fields), i == 1 ? 20 : 10000) + frame(0, 1, 2 * i + 1, "authorization: body");
    sent.push_back(fields);
  }
  for (std::size_t cut = 1; cut < stream.size(); cut++) {
    Passage p;
    const std::string masked = p.cut(Direction::in, stream, {cut});
    expect_masked(masked, sent, "cut at " + std::to_string(cut));
    ASSERT_EQ(masked.find("body"), masked.npos);
    ASSERT_EQ(p.gate.statement(), (formats::Masking{1, 0, 0, 0}));
  }
}

TEST(MaskHttp2, ByteByByte) {
  Deflater deflate;
  const std::string stream = kPreface + kSettings + headers(1, deflate(kRequest), 10000);
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i < stream.size(); i++) cuts.push_back(i);
  Passage p;
  expect_masked(p.cut(Direction::in, stream, cuts), {kRequest}, "byte by byte");
}

TEST(MaskHttp2, RandomFieldsAndCuts) {
  std::mt19937 random(7);
  const char* const names[] = {"authorization",       "cookie",  "set-cookie", "x-api-key",
                               "proxy-authorization", "x-token", "x-a",        "x-b",
                               "user-agent",          "date",    "cookie2",    "authorizatio"};
  for (int round = 0; round < 1500; round++) {
    Deflater deflate(random() % 4 == 0 ? 200 : 4096);
    std::string stream = kPreface + kSettings;
    std::vector<FieldList> sent;
    for (std::uint32_t i = 0; i < 1 + random() % 6; i++) {
      FieldList fields;
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
    for (auto n = random() % 30; n > 0; n--) cuts.push_back(1 + random() % (stream.size() - 1));
    std::sort(cuts.begin(), cuts.end());
    Passage p;
    const auto blocks = blocks_of(p.cut(Direction::in, stream, cuts));
    Inflater inflate;
    ASSERT_EQ(blocks.size(), sent.size());
    for (std::size_t i = 0; i < blocks.size(); i++) {
      const FieldList got = inflate(blocks[i]);
      ASSERT_EQ(got.size(), sent[i].size()) << round;
      for (std::size_t k = 0; k < got.size(); k++) {
        ASSERT_EQ(got[k].first, sent[i][k].first) << round;
        ASSERT_EQ(got[k].second.size(), sent[i][k].second.size()) << round;
        if (is_kept(got[k].first)) {
          ASSERT_EQ(got[k].second, sent[i][k].second) << round;
        } else if (got[k].second.size() > 12) {
          ASSERT_NE(got[k].second, sent[i][k].second) << round;
        }
      }
    }
  }
}

TEST(MaskHttp2, MessagesOfGrpcKeepTheirPrefixes) {
  Deflater deflate;
  const FieldList call = {
      {":method", "POST"}, {":path", "/a.B/C"}, {"content-type", "application/grpc+proto"}, {"x-secret", "s"}};
  const std::string start = kPreface + kSettings + headers(1, deflate(call), 10000),
                    second = headers(3, deflate(call), 10000);
  const std::string message("\0\0\0\0\6secret", 11);
  const std::string data = frame(0, 0, 1, message + message.substr(0, 7)) + frame(0, 0, 1, message.substr(7)),
                    kept("\0\0\0\0\6******", 11);
  Passage p;
  p.in(start);
  EXPECT_EQ(p.in(data + frame(0, 1, 1, message)), data.substr(0, 9) + kept + kept.substr(0, 7) + data.substr(27, 9) +
                                                      kept.substr(7) + frame(0, 1, 1, message).substr(0, 14) +
                                                      "......");
  p.in(second);
  EXPECT_EQ(p.in(frame(0, 0, 3, message)), frame(0, 0, 3, message).substr(0, 14) + "......")
      << "its content type is in the dynamic table";
  EXPECT_EQ(p.in(frame(0, 0, 5, message)).substr(9), "...........") << "a stream without headers";
}

TEST(MaskHttp2, ControlFrames) {
  Passage p;
  p.in(kPreface + kSettings);
  const std::string goaway = frame(7, 0, 0, std::string("\0\0\0\1\0\0\0\2secret", 14)),
                    ping = frame(6, 0, 0, "secret12");
  const std::string reset = frame(3, 0, 1, std::string("\0\0\0\7", 4)), unknown = frame(0x20, 0, 0, "secret");
  EXPECT_EQ(p.in(goaway), goaway.substr(0, 17) + "......");
  EXPECT_EQ(p.in(ping + reset + unknown), ping.substr(0, 9) + "********" + reset + unknown.substr(0, 9) + "......");
}

TEST(MaskHttp2, AnUpgradeThatWasSeen) {
  Passage p;
  Deflater deflate;
  const std::string ask =
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
      "AAMAAABk\r\n\r\n";
  const std::string switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
  EXPECT_EQ(p.in(ask), ask);
  const std::string frames =
      kSettings + headers(1, deflate({{":status", "200"}, {"set-cookie", "secretsecret"}}), 10000);
  const std::string got = p.out(switched + frames);
  EXPECT_EQ(got.substr(0, switched.size()), switched);
  expect_masked(kPreface + got.substr(switched.size()), {{{":status", "200"}, {"set-cookie", "secretsecret"}}},
                "behind 101");
  Deflater client;
  expect_masked(p.in(kPreface + kSettings + headers(3, client(kRequest), 10000)), {kRequest}, "after the upgrade");
  EXPECT_EQ(p.gate.statement().doubtful, 0u);
}

TEST(MaskHttp2, AServerThatSpeaksFirst) {
  Passage p;
  Deflater deflate;
  EXPECT_EQ(p.out(kSettings), kSettings);
  EXPECT_EQ(p.in(kPreface + kSettings), kPreface + kSettings);
  const std::string answer = headers(1, deflate({{":status", "200"}, {"set-cookie", "secretsecret"}}), 10000);
  expect_masked(kPreface + p.out(answer), {{{":status", "200"}, {"set-cookie", "secretsecret"}}}, "answer");
}

TEST(MaskHttp2, UnseenBytesOfABodyArePassed) {
  Deflater deflate;
  Passage p;
  const std::string start = kPreface + kSettings + frame(0, 0, 1, std::string(5000, 'x'));
  p.part(Direction::in, start, 100, 16);
  expect_masked(kPreface + p.in(headers(3, deflate(kRequest), 10000)), {kRequest}, "after a body");
}

TEST(MaskHttp2, ABlockThatWasNotSeenMakesTheTableUnknown) {
  Deflater deflate;
  Passage p;
  const std::string start = kPreface + kSettings + headers(1, deflate(kRequest), 10000);
  p.part(Direction::in, start, kPreface.size() + kSettings.size() + 12, 0);
  FieldList again = kRequest;
  again[7].second = "other-value-of-it";  // its name is in the table, which is no longer known
  const std::string next = headers(3, deflate(again), 10000), got = p.in(next);
  EXPECT_EQ(got.size(), next.size());
  EXPECT_NE(got, next);
  EXPECT_EQ(got.substr(0, 9), next.substr(0, 9)) << "where frames begin is known";
}

TEST(MaskHttp2, JoinedLate) {
  Deflater deflate;
  deflate(kRequest);
  FieldList next = kRequest;
  next[2].second = "Bearer other-secret-value";
  const std::string block = deflate(next), bytes = headers(9, block, 10000) + frame(0, 1, 9, "secret");
  Passage p({}, formats::Origin::existed);
  const std::string body = "x\nAuthorization: secret\r\n\r\n";
  EXPECT_EQ(p.in(body), std::string(body.size(), '?')) << "in a body";
  const std::string got = p.in(bytes);
  EXPECT_EQ(got.substr(0, 9), bytes.substr(0, 9));
  EXPECT_EQ(got.find("secret"), got.npos);
  EXPECT_NE(got.find(frame(0, 1, 9, "secret").substr(0, 9)), got.npos);
  // The connection never becomes HTTP/1 again.
  EXPECT_EQ(p.in("GET / HTTP/1.1\r\nHost: secret\r\n\r\n").find("Host"), std::string::npos);
  EXPECT_EQ(p.gate.statement().doubtful, 1u);
}

// A session without a recorded handshake may still begin with its first plaintext.
TEST(MaskHttp2, APrefaceWhereTheBeginningIsNotKnown) {
  Deflater deflate;
  const std::string stream = kPreface + kSettings + headers(1, deflate(kRequest), 10000);
  Passage p({}, formats::Origin::existed);
  expect_masked(p.in(stream), {kRequest}, "preface");
  Passage proved({}, formats::Origin::existed);
  proved.in("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_EQ(proved.in(stream).find("PRI"), std::string::npos) << "a body";
}

TEST(MaskHttp2, LateMessagesOfGrpcProveThemselves) {
  Deflater deflate;
  const FieldList call = {{":method", "POST"}, {":path", "/a.B/C"}, {"content-type", "application/grpc"}};
  deflate(call);
  const std::string bytes = headers(9, deflate(call), 10000);
  Passage p({}, formats::Origin::existed);
  const std::string data = frame(0, 1, 9, std::string("\0\0\0\0\6secret", 11)), got = p.in(bytes + data);
  EXPECT_EQ(got.substr(bytes.size()), data.substr(0, 14) + "......");
}

TEST(MaskHttp2, PlaintextOfATlsSessionIsMaskedAlike) {
  Deflater deflate;
  const std::string stream = kPreface + kSettings + headers(1, deflate(kRequest), 10000);
  Gate gate;
  formats::Event event;
  event.body =
      formats::TlsStep{formats::kTlsSessionBit | 1, formats::TlsLibrary::go, formats::TlsStepKind::handshake, 0};
  gate.take(event);
  formats::TlsIo io;
  io.session = formats::kTlsSessionBit | 1;
  io.direction = Direction::out;
  io.length = static_cast<std::uint32_t>(stream.size());
  io.head = stream;
  event.body = io;
  gate.take(event);
  expect_masked(std::string(std::get<formats::TlsIo>(event.body).head), {kRequest}, "session");
}

TEST(MaskHttp2, HostileBytesAreTaken) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; round++) {
    Passage p({}, random() % 2 ? formats::Origin::accepted : formats::Origin::existed);
    std::string bytes = random() % 2 ? kPreface + kSettings : "";
    for (int n = 0; n < 6; n++) {
      for (auto k = random() % 80; k > 0; k--)
        bytes.push_back(static_cast<char>(random() % 3 ? random() % 10 : random() % 256));
      const std::size_t head = random() % (bytes.size() + 1), tail = random() % (bytes.size() - head + 1);
      if (!bytes.empty()) p.part(random() % 2 ? Direction::in : Direction::out, bytes, head, tail);
      if (random() % 5 == 0) p.lose(Direction::in, random() % 100);
      bytes.clear();
    }
  }
}

}  // namespace
}  // namespace tailcap::capture::mask::mask_http2_test

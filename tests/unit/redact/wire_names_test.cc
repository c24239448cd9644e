// Redaction of hellos of TLS and of messages of name servers; sessions; random connections with planted credentials.
#include "analyze/redact/wire/dns.h"
#include "analyze/redact/wire/hello.h"
#include "formats/event.h"
#include "tests/unit/formats/planted_streams.h"
#include "tests/unit/redact/wire_case.h"

namespace tailcap::redact::wire {
namespace {

using namespace planted;

std::string sized(const std::string& bytes) {
  return {static_cast<char>(bytes.size() >> 8), static_cast<char>(bytes.size())};
}

std::string client_hello(const std::string& name) {
  const std::string sni = std::string("\0", 1) + sized(name) + name, list = sized(sni) + sni;
  const std::string extensions =
      std::string("\0\0", 2) + sized(list) + list + std::string("\0\x23\0\6secret\0\x10\0\5\0\3\2h2", 19);
  return "\3\3" + std::string(32, 'r') + "\4ssss" + std::string("\0\2\x13\1\1\0", 6) + sized(extensions) + extensions;
}

std::string record(const std::string& body) {
  const std::string message = std::string("\1\0", 2) + sized(body) + body;
  return "\x16\3\1" + sized(message) + message;
}

TEST(RedactHello, NamesByLevelAndNothingElse) {
  const std::string body = client_hello("alice.example.com");
  for (const RedactionLevel level : {RedactionLevel::standard, RedactionLevel::strict}) {
    Passage p(level);
    const std::string hello = record(body), got = p.in(hello);
    ASSERT_EQ(got.size(), hello.size());
    EXPECT_EQ(got.substr(0, 11), hello.substr(0, 11));
    EXPECT_EQ(got.find("alice.example.com") == got.npos, level == RedactionLevel::strict);
    EXPECT_NE(got.find(p.word("alice.example.com")), got.npos);
    EXPECT_EQ(got.find("secret"), got.npos) << "a session ticket";
    EXPECT_EQ(got.find("rrrr"), got.npos);
    EXPECT_EQ(got.find("ssss"), got.npos);
    EXPECT_NE(got.find("\2h2"), got.npos);
    const std::string again = p.in(record(body));
    EXPECT_EQ(again, got) << "a session that is resumed is recognised";
  }
}

TEST(RedactHello, InPiecesItIsHidden) {
  const std::string hello = record(client_hello("alice.example.com"));
  for (std::size_t at = 1; at < hello.size(); at++) {
    Passage p(RedactionLevel::strict);
    const std::string got = p.cut(Direction::in, hello, at);
    for (const char* secret : {"alice", "example", "secret", "rrrr", "ssss"})
      ASSERT_EQ(got.find(secret), got.npos) << at;
  }
}

TEST(RedactHello, EveryBeginningAndEveryByteOfIt) {
  const std::string body = client_hello("alice.example.com");
  const RedactionPolicy policy(RedactionLevel::strict);
  Pseudonyms names(kKey);
  const HeaderList list(policy, names);
  for (std::size_t n = 0; n <= body.size(); ++n)
    for (const bool client : {true, false}) {
      std::string cut = body.substr(0, n);
      list.hello(cut, client);
      EXPECT_EQ(cut.size(), n);
      for (std::size_t i = 0; client && i < n; i += 7) {
        std::string changed = body;
        changed[i] = static_cast<char>(n);
        list.hello(changed, client);
        EXPECT_EQ(changed.size(), body.size());
      }
    }
}

std::string dns(const std::string& label) {
  const std::string name =
      std::string(1, static_cast<char>(label.size())) + label + std::string("\7example\3com\0", 13);
  return std::string("\0\7\x81\x80\0\1\0\2\0\0\0\0", 12) + name + std::string("\0\1\0\1", 4) +
         std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3", 16) +
         std::string("\xc0\x0c\0\x10\0\1\0\0\0\x3c\0\7\6secret", 19);
}

TEST(RedactNames, LabelsAndAddressesByLevel) {
  const std::string message = dns("alice");
  for (const RedactionLevel level : {RedactionLevel::standard, RedactionLevel::strict}) {
    const RedactionPolicy policy(level);
    Pseudonyms names(kKey);
    const HeaderList list(policy, names);
    std::string got = message;
    ASSERT_TRUE(redact_dns(got, list));
    EXPECT_EQ(got.size(), message.size());
    EXPECT_EQ(got.find("alice") == got.npos, level == RedactionLevel::strict);
    EXPECT_EQ(got.find("\x0a\1\2\3") == got.npos, level == RedactionLevel::strict);
    EXPECT_EQ(got.find("secret"), got.npos);
  }
}

TEST(RedactNames, EveryBeginningAndEveryByteOfIt) {
  const std::string message = dns("alice");
  const RedactionPolicy policy(RedactionLevel::strict);
  Pseudonyms names(kKey);
  const HeaderList list(policy, names);
  for (std::size_t n = 0; n <= message.size(); ++n) {
    std::string cut = message.substr(0, n);
    if (redact_dns(cut, list)) {
      EXPECT_EQ(cut.size(), n);
      EXPECT_EQ(cut.find("secret"), cut.npos);
    }
    for (unsigned byte = 0; n < message.size() && byte < 256; byte += 5) {
      std::string changed = message;
      changed[n] = static_cast<char>(byte);
      redact_dns(changed, list);
      EXPECT_EQ(changed.size(), message.size());
    }
  }
}

TEST(RedactGate, PlaintextOfASession) {
  const RedactionPolicy policy;
  Pseudonyms names(kKey);
  RedactionGate gate(HeaderList(policy, names));
  formats::Event event;
  event.body = formats::TlsStep{9, formats::TlsLibrary::openssl, formats::TlsStepKind::handshake, 0};
  gate.take(event);
  formats::TlsIo io;
  io.session = 9;
  io.direction = Direction::in;
  const std::string request = "GET /shop?k=secret HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n";
  io.length = static_cast<std::uint32_t>(request.size());
  io.head = request;
  event.body = io;
  gate.take(event);
  EXPECT_EQ(std::get<formats::TlsIo>(event.body).head,
            "GET /shop?k=****** HTTP/1.1\r\nHost: a\r\nCookie:*******\r\n\r\n");
}

// A keyframe describes a socket again, in the middle of its stream. It may also come ahead of events that are older.
TEST(RedactGate, KeyframesDoNotMoveAConnection) {
  const std::string request = "GET /shop HTTP/1.1\r\nHost: a\r\n\r\n";
  formats::SocketInfo info;
  info.socket = Passage::kSocket;
  info.family = formats::Family::inet;
  info.origin = formats::Origin::accepted;
  info.state = formats::TcpState::established;
  info.next_in = info.next_out = Passage::kFirst + 1000;
  formats::Event event;
  event.body = info;
  Passage again;
  EXPECT_EQ(again.in(request), request);
  again.gate.take(event);
  EXPECT_EQ(again.in(request), request);

  const RedactionPolicy policy;
  Pseudonyms names(kKey);
  RedactionGate ahead(HeaderList(policy, names));
  event.body = info;
  ahead.take(event);
  const auto first = redacted(ahead, Passage::kSocket, Direction::in, Passage::kFirst, request, request.size(), 0);
  EXPECT_EQ(first.head, request) << "it proves itself";
}

class RedactProperty : public testing::TestWithParam<Wire> {};

TEST_P(RedactProperty, NoCredentialIsLeft) {
  std::size_t kept = 0, planted = 0;
  for (std::uint32_t seed = 1; seed <= 600; seed++) {
    Choices choices;
    choices.random.seed(seed);
    const Trial trial = passed(GetParam(), choices, [&](bool late) {
      return Passage(seed % 2 ? RedactionLevel::strict : RedactionLevel::standard,
                     late ? formats::Origin::existed : formats::Origin::accepted);
    });
    ASSERT_EQ(trial.leak, "") << "seed " << seed;
    kept += trial.kept;
    planted += trial.planted;
  }
  EXPECT_GT(planted, 2000u);
  EXPECT_GT(kept, 40000u) << "masking everything is no art";
}

INSTANTIATE_TEST_SUITE_P(Wires, RedactProperty, testing::Values(Wire::http1, Wire::http2, Wire::h2c),
                         [](const auto& wire) {
                           return wire.param == Wire::http1 ? "http1" : wire.param == Wire::http2 ? "http2" : "h2c";
                         });

}  // namespace
}  // namespace tailcap::redact::wire

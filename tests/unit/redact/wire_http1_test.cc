// Redaction of HTTP/1: what is kept, what becomes a pseudonym, what is masked, and when everything is withheld.
#include "formats/event.h"
#include "tests/unit/redact/wire_case.h"

namespace tailcap::redact::wire {
namespace {

const std::string kRequest =
    "POST /shop/cart/A7f3Q9zz;v=WWWW?token=QQQQ&n=3 HTTP/1.1\r\nHost: shop.example.com:8080\r\nAuthorization: Basic "
    "QWxhZGRp\r\nX-Request-Id: WWWW-secret\r\nContent-Type: text/plain; boundary=QQQQ\r\nCookie: "
    "sid=QQQQ;\r\n\tmore=WWWW"
    "\r\nUser-Agent: QQQQ\r\nContent-Length: 9\r\n\r\npass=WWWW";
const std::string kResponse =
    "HTTP/1.1 200 QQQQ\r\nTransfer-Encoding: chunked\r\nSet-Cookie: sid=WWWW\r\nServer: QQQQ\r\n\r\n"
    "5;ext=QQQQ\r\nhello\r\n4\r\nWWWW\r\n0\r\nX-T: QQQQ\r\n\r\n";

bool has_secret(std::string_view text) {
  return text.find("QQQ") != text.npos || text.find("WWW") != text.npos || text.find("QWx") != text.npos ||
         text.find("ecret") != text.npos || text.find("hello") != text.npos || text.find("A7f3") != text.npos;
}

// What is left of bytes in pieces is what is left of them in one piece, or an asterisk.
void expect_no_more(const std::string& got, const std::string& whole, const std::string& where) {
  ASSERT_EQ(got.size(), whole.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_TRUE(got[i] == whole[i] || got[i] == '*' || got[i] == '.') << where << ", byte " << i << ":\n" << got;
  EXPECT_FALSE(has_secret(got)) << where << ":\n" << got;
}

TEST(RedactHttp1, ARequest) {
  Passage p;
  const std::string got = p.in(kRequest);
  const std::string stars(4, '*');
  EXPECT_EQ(got, "POST /shop/cart/" + p.word("A7f3Q9zz") + ";v=****?token=****&n=* HTTP/1.1\r\n" +
                     "Host: shop.example.com:8080\r\nAuthorization:" + std::string(15, '*') + "\r\nX-Request-Id: " +
                     p.names.text("WWWW-secret", Words::none) + "\r\nContent-Type: text/plain* *************\r\n" +
                     "Cookie:" + std::string(10, '*') + "\r\n" + std::string(10, '*') +
                     "\r\nUser-Agent:" + std::string(5, '*') + "\r\nContent-Length: 9\r\n\r\n.........");
  EXPECT_FALSE(has_secret(got));
  EXPECT_NE(p.word("A7f3Q9zz"), "A7f3Q9zz");
  EXPECT_EQ(p.in(kRequest), got) << "the next begins where the body ends, and equal words have equal pseudonyms";
  EXPECT_EQ(p.gate.withheld().withheld, 0u);
}

TEST(RedactHttp1, StrictlyNoNamesEither) {
  Passage p(RedactionLevel::strict);
  const std::string got = p.in(kRequest);
  for (const char* name : {"shop", "cart", "example"}) EXPECT_EQ(got.find(name), got.npos) << name;
  EXPECT_NE(got.find("Host: " + p.word("shop") + "." + p.word("example") + "." + p.word("com") + ":8080\r\n"), got.npos)
      << got;
}

// Methods and names of fields that are not public may be anything.
TEST(RedactHttp1, StrictlyOnlyPublicNamesAndMethods) {
  const std::string bytes =
      "SECRET /a HTTP/1.1\r\nHost: localhost\r\nX-Secret-Name: a\r\nAuthorization: b\r\nContent-Length: 0\r\n\r\n";
  Passage strict(RedactionLevel::strict), standard;
  const std::string got = strict.in(bytes);
  EXPECT_TRUE(got.starts_with("****** /")) << got;
  EXPECT_NE(got.find("\r\n*************:"), got.npos) << got;
  EXPECT_NE(got.find("\r\nAuthorization:"), got.npos) << got;
  EXPECT_NE(got.find("\r\nContent-Length: 0\r\n"), got.npos) << got;
  EXPECT_EQ(strict.gate.withheld().withheld, 0u);
  EXPECT_NE(standard.in(bytes).find("X-Secret-Name"), std::string::npos);
}

TEST(RedactHttp1, CutOnceAnywhere) {
  Passage whole;
  const std::string want = whole.in(kRequest);
  for (std::size_t at = 1; at < kRequest.size(); at++) {
    Passage p;
    expect_no_more(p.cut(Direction::in, kRequest, at), want, "cut at " + std::to_string(at));
    EXPECT_EQ(p.in(kRequest), want) << "the end of the body was found, cut at " << at;
  }
}

TEST(RedactHttp1, ByteByByte) {
  Passage whole, p;
  const std::string want = whole.in(kRequest);
  const std::string got = p.bytewise(Direction::in, kRequest);
  expect_no_more(got, want, "byte by byte");
  EXPECT_NE(got.find("Content-Length: 9\r\n"), got.npos) << "what frames a message stays readable:\n" << got;
  EXPECT_EQ(p.in(kRequest), want);
}

TEST(RedactHttp1, ChunksKeepTheirFraming) {
  Passage one;
  one.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string want = one.out(kResponse);
  EXPECT_EQ(want,
            "HTTP/1.1 200 ****\r\nTransfer-Encoding: chunked\r\nSet-Cookie:*********\r\nServer:*****\r\n\r\n"
            "5;********\r\n*****\r\n4\r\n****\r\n0\r\nX-T:*****\r\n\r\n");
  for (std::size_t at = 1; at < kResponse.size(); at++) {
    Passage p;
    p.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_no_more(p.cut(Direction::out, kResponse, at), want, "cut at " + std::to_string(at));
    EXPECT_EQ(p.gate.withheld().withheld, 0u) << at;
  }
}

TEST(RedactHttp1, WhatAPolicyKeeps) {
  RedactionPolicy policy(RedactionLevel::strict);
  policy.keep_header("user-agent");
  policy.keep_query("page");
  const std::string head =
      "GET /customers?page=seven&token=QQQQ;page=8 HTTP/1.1\r\nUser-Agent: curl/8\r\nCookie: QQQQ\r\n\r\n";
  const std::string kept = "?page=seven&";
  Passage whole(policy);
  const std::string got = whole.in(head);
  EXPECT_NE(got.find(kept), got.npos) << got;
  EXPECT_NE(got.find(";page=8 HTTP"), got.npos) << got;
  EXPECT_NE(got.find("User-Agent: curl/8\r\n"), got.npos) << got;
  EXPECT_EQ(got.find("customers"), got.npos) << got;
  EXPECT_FALSE(has_secret(got)) << got;
  for (std::size_t at = 1; at < head.size(); at++) {
    Passage p(policy);
    expect_no_more(p.cut(Direction::in, head, at), got, "cut at " + std::to_string(at));
  }
}

TEST(RedactHttp1, FreeTextOfStartLines) {
  Passage p;
  EXPECT_EQ(p.in("PROXY TCP4 192.0.2.7 192.0.2.8 5 6\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").substr(0, 36),
            "PROXY TCP4 ***********************\r\n");
  EXPECT_EQ(p.out("HTTP/1.1 204 secret reason\r\n\r\n"), "HTTP/1.1 204 *************\r\n\r\n");
}

TEST(RedactHttp1, WhatDoesNotFitAnAllowedFieldGoes) {
  Passage p;
  const std::string got = p.in(
      "GET http://bob:secret@shop.example.com/a%20secret/eyJhbGciOiJIUzI1NiJ9 HTTP/1.1\r\nHost: bob:secret@shop\r\n"
      "Connection: secret\r\nContent-Type: secret\r\nTransfer-Encoding: secret\r\nAge: secret\r\n\r\n");
  EXPECT_FALSE(has_secret(got)) << got;
  EXPECT_EQ(got.find("eyJ"), got.npos) << got;
  EXPECT_NE(got.find("@shop.example.com/"), got.npos) << got;
}

// What the recorder masked is not made worse: the framing is read as before.
TEST(RedactHttp1, WhatIsMaskedAlready) {
  Passage p;
  const std::string masked =
      "POST /shop?token=**** HTTP/1.1\r\nHost: a\r\nAuthorization:**********\r\nContent-Length: 4\r\n\r\n";
  EXPECT_EQ(p.part(Direction::in, masked + "body", masked.size(), 0).head, masked);
  EXPECT_EQ(p.part(Direction::in, masked + "body", masked.size(), 0).head, masked) << "redacted twice";
}

TEST(RedactHttp1, ALossInAHeadWithholdsUntilTheNextMessage) {
  Passage p;
  const std::string next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
  p.in(kRequest.substr(0, 60));
  p.lose(Direction::in, 50);
  EXPECT_FALSE(has_secret(p.in(kRequest.substr(110))));
  EXPECT_EQ(p.in(next), next);
  EXPECT_GT(p.gate.withheld().withheld, 0u);
  EXPECT_EQ(p.gate.withheld().doubtful, 1u);
}

TEST(RedactHttp1, ALossInABodyIsPassed) {
  Passage p;
  p.in("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\nWWWW");
  p.lose(Direction::in, 50);
  const std::string next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(p.in(std::string(36, 'Q') + next), std::string(36, '*') + next);
  EXPECT_EQ(p.gate.withheld().withheld, 0u);
}

TEST(RedactHttp1, JoinedLate) {
  Passage p(RedactionLevel::standard, formats::Origin::existed);
  EXPECT_FALSE(has_secret(p.in("WWWW\r\nCookie: QQQQ\r\n\r\n")));
  const std::string next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(p.in(next), next);
}

// A tunnel may hold text that looks like HTTP, in either direction. Where its beginning was lost, who connected is
// known.
TEST(RedactHttp1, AServerSendsNoRequests) {
  const std::string secret = "GET / HTTP/1.1\r\nHost: secret\r\n\r\n", shop = "GET /a HTTP/1.1\r\nHost: shop\r\n\r\n";
  for (const auto origin : {formats::Origin::accepted, formats::Origin::connected}) {
    Passage p(RedactionLevel::standard, origin);
    const bool server = origin == formats::Origin::accepted;
    const Direction requests = server ? Direction::in : Direction::out,
                    responses = server ? Direction::out : Direction::in;
    p.lose(responses, 500);
    EXPECT_FALSE(has_secret(p.io(responses, secret))) << "its first 500 bytes were lost";
    p.lose(requests, 700);
    EXPECT_EQ(p.io(requests, shop), shop);
  }
}

TEST(RedactHttp1, OtherProtocolsAndTunnels) {
  Passage other;
  EXPECT_FALSE(has_secret(other.in("*2\r\n$4\r\nAUTH\r\n$8\r\nsecretQQ\r\n")));
  Passage tunnel;
  tunnel.in("CONNECT shop:443 HTTP/1.1\r\nHost: a\r\n\r\n");
  tunnel.out("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_FALSE(has_secret(tunnel.in("GET /secret HTTP/1.1\r\nHost: secret\r\n\r\n")));
}

// Lengths that no recorder writes: of bytes that were not moved, nothing is kept.
TEST(RedactHttp1, MoreBytesThanWereMoved) {
  Passage p;
  Io io;
  io.socket = Passage::kSocket;
  io.direction = Direction::in;
  io.position = Passage::kFirst;
  io.length = 4;
  io.head = "GET /secret HTTP/1.1\r\n\r\n";
  io.tail = "secret";
  formats::Event event;
  event.body = io;
  p.gate.take(event);
  EXPECT_LE(std::get<Io>(event.body).head.size() + std::get<Io>(event.body).tail.size(), 4u);
  EXPECT_FALSE(has_secret(std::get<Io>(event.body).tail));
}

}  // namespace
}  // namespace tailcap::redact::wire

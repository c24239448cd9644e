// HTTP/1 through the gate: what is kept, what is masked, and when everything is withheld.
#include "tests/unit/capture/mask_case.h"

namespace tailcap::capture::mask {
namespace {

const std::string kRequest =
    "POST /cart/17?token=QQQQ HTTP/1.1\r\nHost: a\r\nAuthorization: Basic QWxhZGRp\r\nx-request-id: 9\r\n"
    "COOKIE: sid=QQQQ;\r\n\tfolded=ZZZZ\r\nAccept: */*\r\nProxy-Authorization : PPPP\r\nContent-Length: "
    "9\r\n\r\npass=WWWW";
const std::string kRequestKept =
    "POST /cart/17?token=**** HTTP/1.1\r\nHost: a\r\nAuthorization:" + std::string(15, '*') +
    "\r\nx-request-id: 9\r\n" + "COOKIE:" + std::string(10, '*') + "\r\n" + std::string(12, '*') +
    "\r\nAccept: */*\r\nProxy-Authorization :*****\r\nContent-Length: 9\r\n\r\n.........";
const std::string kResponse =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: "
    "sid=WWWW\r\n\r\n5;ext=QQ\r\nhello\r\n3\r\nabc\r\n0\r\nX-T: QQ\r\n\r\n";

TEST(MaskHttp1, RequestInOnePiece) {
  Passage p;
  EXPECT_EQ(p.in(kRequest), kRequestKept);
  EXPECT_EQ(p.in(kRequest), kRequestKept) << "the next begins where the body ends";
  EXPECT_EQ(p.gate.statement(), (formats::Masking{1, 0, 0, 0}));
}

// What cannot be decided at a cut is masked; nothing else is.
void expect_no_more(const std::string& got, const std::string& whole, std::size_t masked) {
  ASSERT_EQ(got.size(), whole.size());
  std::size_t fewer = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    fewer += got[i] != whole[i];
    ASSERT_TRUE(got[i] == whole[i] || got[i] == '*') << got;
  }
  EXPECT_LE(fewer, masked) << got;
}

TEST(MaskHttp1, RequestCutOnceAnywhere) {
  for (std::size_t at = 1; at < kRequest.size(); at++) {
    Passage p;
    std::string got = p.cut(Direction::in, kRequest, {at});
    // Dots in the middle are asterisks if more bytes follow. The name of a parameter, or of the host.
    expect_no_more(got, kRequestKept, 5);
  }
}

TEST(MaskHttp1, RequestByteByByte) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i < kRequest.size(); i++) cuts.push_back(i);
  Passage p;
  expect_no_more(p.cut(Direction::in, kRequest, cuts), kRequestKept, 7);
}

// A line without a colon may be anything; what is cut may be one.
TEST(MaskHttp1, ALineWithoutAColonIsNoName) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n", line = "hunter2secret", end = "\r\nAccept: b\r\n\r\n";
  for (std::size_t at = 1; at <= line.size(); ++at) {
    Passage p;
    std::string got = p.in(head + line.substr(0, at));
    got += p.in(line.substr(at) + end);
    for (std::size_t i = 3; i + 3 < line.size(); ++i) ASSERT_EQ(got.find(line.substr(i, 4)), got.npos) << got;
    EXPECT_TRUE(got.ends_with(end)) << got;
  }
  Passage p;
  std::string got = p.in(head + "Transfer-Enc");
  got += p.in("oding: chunked\r\nCont");
  got += p.in("ent-Type: a/b\r\n\r\n");
  EXPECT_EQ(got, head + "Transfer-Encoding: chunked\r\nContent-Type: a/b\r\n\r\n");
}

TEST(MaskHttp1, ChunksKeepTheirFraming) {
  for (std::size_t at = 0; at < kResponse.size(); at++) {
    Passage p;
    p.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    std::string got = p.cut(Direction::out, kResponse, {at});
    std::replace(got.begin(), got.end(), '.', '*');
    std::string want =
        "HTTP/1*1 200 OK\r\nTransfer-Encoding: "
        "chunked\r\nSet-Cookie:*********\r\n\r\n5;******\r\n*****\r\n3\r\n***\r\n0\r\nX-T:***\r\n\r\n";
    ASSERT_EQ(got, want) << at;
    EXPECT_EQ(p.gate.statement().doubtful, 0u);
  }
}

TEST(MaskHttp1, SizesOfChunks) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string zeros(40, '0');
  const std::string cases[][2] = {
      {"3  \r\nabc\r\n0 \t \r\n\r\n", "3  \r\n***\r\n0 \t \r\n\r\n"},
      {"3 \t;x=QQ\r\nabc\r\n0 \r\n\r\n", "3 \t;****\r\n***\r\n0 \r\n\r\n"},
      {"3 QQ\r\nabc\r\n0\r\n\r\n", "3 **\r\n***\r\n0\r\n\r\n"},
      {zeros + "3\r\nabc\r\n" + zeros + "\r\n\r\n", zeros + "3\r\n***\r\n" + zeros + "\r\n\r\n"},
  };
  const std::string next = "HTTP/1.1 204 No Content\r\nServer: a\r\n\r\n";
  for (const auto& [body, kept] : cases) {
    for (std::size_t at = 0; at < head.size() + body.size(); at++) {
      Passage p;
      p.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      std::string got = p.cut(Direction::out, head + body, {at}).substr(head.size());
      std::replace(got.begin(), got.end(), '.', '*');
      ASSERT_EQ(got, kept) << at;
      p.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      ASSERT_EQ(p.out(next), next) << at;
      EXPECT_EQ(p.gate.statement().doubtful, 0u);
    }
  }
  for (const std::string& size :
       {std::string("10000000000000003"), std::string(5000, '0') + "3", "3" + std::string(5000, ' ')}) {
    Passage p;
    p.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string got = p.out(head + size + "\r\nabc\r\n0\r\n\r\n");
    EXPECT_EQ(got.find("abc"), got.npos);
    EXPECT_EQ(got.find("\r\n0\r\n"), got.npos) << "the borders are lost: " << got.substr(got.size() - 20);
  }
}

TEST(MaskHttp1, BodyUntilTheEnd) {
  Passage p;
  p.in("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(p.out("HTTP/1.0 200 OK\r\n\r\nsecret"), "HTTP/1.0 200 OK\r\n\r\n......");
  EXPECT_EQ(p.out("HTTP/1.0 200 OK\r\nServer: secret\r\n\r\n"), std::string(35, '.'));
}

TEST(MaskHttp1, AnswersWithoutBody) {
  Passage p;
  p.in("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
                    next = "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n";
  EXPECT_EQ(p.out(head + next), head + next);
  p.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nServer: x\r\n\r\n";
  EXPECT_EQ(p.out(interim + next), interim + next);
}

// Another CPU may emit the response before its request.
TEST(MaskHttp1, AnswerBeforeItsRequest) {
  Passage p;
  const std::string response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  EXPECT_EQ(p.out(response + "ab"), response + "..");
  p.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  p.in("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(p.out(response), response);
  p.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(p.out(response + "ab"), response + "..");
}

// After a final response instead of 100, the client may omit the body and send the next request in its place.
TEST(MaskHttp1, ABodyThatNobodyAskedFor) {
  const std::string ask = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 90\r\n\r\n",
                    next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
  Passage refused;
  refused.in(ask);
  refused.out("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(refused.in(next), next);
  Passage asked;
  asked.in(ask);
  asked.out("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(asked.in(next), std::string(next.size(), '.')) << "a body";
}

TEST(MaskHttp1, AfterAnUpgradeNothing) {
  Passage p;
  p.in("GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  const std::string answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
  EXPECT_EQ(p.out(answer + "secret"), answer + "......");
  EXPECT_EQ(p.in("GET / HTTP/1.1\r\nHost: secret\r\n\r\n"), std::string(32, '.'));
  EXPECT_EQ(p.gate.statement().doubtful, 0u);
}

TEST(MaskHttp1, ATunnelIsNobodysBusiness) {
  Passage p;
  EXPECT_EQ(p.in("CONNECT bob:pw@a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
            "CONNECT ******@a:443 HTTP/1.1\r\nHost: a\r\n\r\n");
  p.out("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(p.in("GET / HTTP/1.1\r\nHost: secret\r\n\r\n"), std::string(32, '.'));
}

// H2 of the review: a body cannot switch masking off.
TEST(MaskHttp1, NeverBecomesHttp2InItsMiddle) {
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\xff\xff\xff\x20\0\0\0\0\0", 9);
  const std::string secret = "GET / HTTP/1.1\r\nAuthorization: Bearer secret\r\n\r\n";
  Passage body;
  body.in("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 33\r\n\r\n");
  EXPECT_EQ(body.in(preface), std::string(33, '.'));
  EXPECT_EQ(body.in(secret).find("secret"), std::string::npos);
  Passage border;
  border.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(border.in(preface).find_first_not_of('?'), std::string::npos);
  EXPECT_EQ(border.in(secret).find("secret"), std::string::npos);
  EXPECT_EQ(border.gate.statement().doubtful, 1u);
}

TEST(MaskHttp1, WhatParsersMayReadDifferently) {
  using namespace std::string_view_literals;
  for (const std::string_view line :
       {"A: x\rAuthorization: secret"sv, "Host: a\r\n Authorization: secret"sv, "Author\0ization: secret"sv,
        "Accept: a\0secret"sv, "secret"sv, ": secret"sv, "Accept: GET /secret HTTP/1.1"sv, "Accept : x\x01secret"sv}) {
    const std::string head = "GET / HTTP/1.1\r\n" + std::string(line) + "\r\nHost: b\r\n\r\n";
    Passage p;
    const std::string got = p.in(head);
    EXPECT_EQ(got.find("secret"), got.npos) << line;
    EXPECT_NE(got.find("Host: b\r\n\r\n"), got.npos) << line;
  }
}

TEST(MaskHttp1, GapsAndBytesThatWereNotSeen) {
  Passage p;
  p.in("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
  p.lose(Direction::in, 4000);
  EXPECT_EQ(p.in(std::string(1000, 'x')), std::string(1000, '.'));
  EXPECT_EQ(p.in(kRequest), kRequestKept) << "the gap lay in a body of known length";
  p.lose(Direction::in, 10);
  EXPECT_EQ(p.in("secret\r\nHost: secret\r\n\r\n").find("secret"), std::string::npos);
  EXPECT_EQ(p.in(kRequest), kRequestKept) << "a whole start line at the beginning of an I/O";
  EXPECT_EQ(p.gate.statement(), (formats::Masking{1, 0, 1, 24, 0, 1})) << "the call behind the second gap";
  // Only the head and tail of one call are visible.
  Passage q;
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n";
  const auto left = q.part(Direction::in, head + std::string(5000, 'x'), head.size() + 100, 16);
  EXPECT_EQ(left.head, head);
  EXPECT_EQ(left.tail, "");
  EXPECT_EQ(q.in(kRequest), kRequestKept);
}

TEST(MaskHttp1, WhatTheKernelAddedIsNoPartOfAMessage) {
  Passage p({}, formats::Origin::connected);
  p.out("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
  p.add(Direction::out, 118);
  EXPECT_EQ(p.out("0123456789"), std::string(10, '.'));
  EXPECT_EQ(p.out(kRequest), kRequestKept) << "the body had ten bytes, not 128";
  p.add(Direction::out, 118);
  EXPECT_EQ(p.out(kRequest), kRequestKept);
  EXPECT_EQ(p.gate.statement().doubtful, 0u);
}

// The record of the established connection was lost, so the position of its first bytes is unknown.
TEST(MaskHttp1, ConnectingWithoutPositions) {
  Passage p({}, formats::Origin::connected, formats::TcpState::syn_sent);
  const std::string answer = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n";
  p.lose(Direction::out, 500);
  EXPECT_EQ(p.in(answer), answer);
  EXPECT_EQ(p.out(kRequest), kRequestKept);
}

// Another protocol echoes content that is an HTTP/1 message: neither direction is HTTP.
TEST(MaskHttp1, JoinedLateAndContradicted) {
  Passage p({}, formats::Origin::existed);
  const std::string content = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n";
  p.in("........");
  EXPECT_EQ(p.in(content), content) << "nothing speaks against it yet";
  EXPECT_EQ(p.out("........"), "????????");
  EXPECT_EQ(p.out(content).find("Server"), std::string::npos);
  EXPECT_EQ(p.in(content).find("Server"), std::string::npos) << "for good";
  EXPECT_EQ(p.out(kRequest).find("GET"), std::string::npos);
}

TEST(MaskHttp1, JoinedLate) {
  Passage p({}, formats::Origin::existed);
  EXPECT_EQ(p.in("secret\r\nHost: secret\r\n\r\n"), std::string(24, '?'));
  EXPECT_EQ(p.gate.statement().receives, 0u) << "nothing says yet that this is HTTP";
  EXPECT_EQ(p.in(kRequest), kRequestKept);
  EXPECT_EQ(p.out("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"), "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n");
  EXPECT_EQ(p.gate.statement(), (formats::Masking{1, 0, 1, 24, 0, 1}));
}

TEST(MaskHttp1, OtherProtocols) {
  const char* const kFirsts[] = {"*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n",
                                 "EHLO x\r\nAUTH PLAIN secret\r\n",
                                 "GET secret\r\n",
                                 "SET a secret\r\n",
                                 "PASS secret\r\n",
                                 "PRI * HTTP/2.0\r\n\r\nsecret",
                                 "AUTH secret HTTP/2.0\r\n\r\n",
                                 "220 secret\r\n",
                                 "HTTP/2 200 secret\r\n",
                                 "PROXY secret\r\n"};
  for (const char* first : kFirsts) {
    for (std::size_t cut = 0; cut < 20; cut++) {
      Passage p;
      std::string got = p.cut(Direction::in, first, {cut});
      got += p.out("secret answer");
      got += p.in("GET /x?secret HTTP/1.1\r\nHost: secret\r\n\r\n");
      EXPECT_EQ(got.find("secr"), got.npos) << first << cut;
    }
  }
  Passage p;
  p.in("EHLO x\r\n");
  EXPECT_EQ(p.gate.statement(), (formats::Masking{1, 1, 0, 0}));
}

TEST(MaskHttp1, AProxyLineIsPassed) {
  Passage p;
  const std::string line = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
  EXPECT_EQ(p.in(line + kRequest), line + kRequestKept);
}

TEST(MaskHttp1, KeptOnDemand) {
  Keep keep;
  keep.headers = {"authorization"};
  Passage p(keep);
  EXPECT_NE(p.in(kRequest).find("Authorization: Basic QWxhZGRp\r\n"), std::string::npos);
  Keep raw;
  raw.everything = true;
  Passage q(raw);
  EXPECT_EQ(q.in(kRequest), kRequest);
  Keep values;
  values.header_values = true;
  Passage r(values);
  const std::string got = r.in(kRequest);
  EXPECT_NE(got.find("COOKIE: sid=QQQQ"), got.npos);
  EXPECT_EQ(got.find("WWWW"), got.npos) << "bodies stay out";
}

// Plaintext that is recorded after its session was freed continues at its position.
TEST(MaskGate, FreedSessionsAreForgottenLater) {
  Gate gate;
  formats::Event event;
  event.body = formats::TlsStep{9, formats::TlsLibrary::openssl, formats::TlsStepKind::handshake, 0};
  gate.take(event);
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n", rest = "Accept: b\r\n\r\n";
  const auto plain = [&](const std::string& bytes, std::uint64_t position) {
    formats::TlsIo io;
    io.session = 9;
    io.direction = Direction::in;
    io.position = position;
    io.length = static_cast<std::uint32_t>(bytes.size());
    io.head = bytes;
    event.body = io;
    gate.take(event);
    return std::string(std::get<formats::TlsIo>(event.body).head);
  };
  EXPECT_EQ(plain(request, 0), request);
  event.body = formats::TlsStep{9, formats::TlsLibrary::openssl, formats::TlsStepKind::freed, 0};
  gate.take(event);
  EXPECT_EQ(plain(rest, request.size()), rest);
}

// What is left of the bytes of one I/O.
std::string through(Gate& gate, std::uint64_t socket, Direction direction, std::uint32_t at, std::string_view bytes) {
  Io io;
  io.socket = socket;
  io.direction = direction;
  io.position = at;
  io.length = static_cast<std::uint32_t>(bytes.size());
  io.head = bytes;
  formats::Event event;
  event.body = io;
  gate.take(event);
  return std::string(std::get<Io>(event.body).head);
}

formats::SocketInfo accepted(std::uint64_t socket) {
  formats::SocketInfo info;
  info.socket = socket;
  info.family = formats::Family::inet;
  info.origin = formats::Origin::accepted;
  return info;
}

// One process that lets thousands of requests wait does not spend the memory of the others.
TEST(MaskGate, TextThatWaitsHasOneBudget) {
  constexpr std::size_t kBudget = 4u << 20;
  constexpr std::uint64_t kHostile = 1000;
  const std::string start = "GET /" + std::string(60u << 10, 'a'), field = "Host: " + std::string(4000, 'b');
  Gate gate({}, Gate::Connections::kMost, kBudget);
  const std::string ask = "GET /cart HTTP/1.1\r\nHost: a\r\nAcc", rest = "ept: b\r\n\r\n";
  gate.begin(accepted(1));
  EXPECT_EQ(through(gate, 1, Direction::in, 0, ask), ask);
  for (std::uint64_t socket = 2; socket < 2 + kHostile; ++socket) {
    gate.begin(accepted(socket));
    const bool line = socket % 2 == 0;
    const std::string text = line ? start : "GET / HTTP/1.1\r\n" + field;
    for (std::size_t at = 0; at < text.size(); at += 4096)
      through(gate, socket, Direction::in, static_cast<std::uint32_t>(at), text.substr(at, 4096));
    ASSERT_LE(gate.waiting(), kBudget) << socket;
  }
  EXPECT_GT(gate.waiting(), kBudget / 2) << "it is used";
  EXPECT_EQ(through(gate, 1, Direction::in, static_cast<std::uint32_t>(ask.size()), rest), rest)
      << "who holds little goes on";
  EXPECT_EQ(gate.statement().doubtful, 0u);
  const std::string secret = "secret HTTP/1.1\r\nHost: secret\r\n\r\n";
  const auto at = static_cast<std::uint32_t>(start.size());
  EXPECT_EQ(through(gate, 2, Direction::in, at, secret).find("secret"), std::string::npos);
  EXPECT_EQ(gate.statement().doubtful, 1u) << "the oldest lost its position";
  const std::string next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(through(gate, 2, Direction::in, at + static_cast<std::uint32_t>(secret.size()), next), next);
  for (std::uint64_t socket = 2; socket < 2 + kHostile; ++socket) {
    formats::Event event;
    event.body = formats::StateChange{};
    std::get<formats::StateChange>(event.body).socket = socket;
    std::get<formats::StateChange>(event.body).to = formats::TcpState::left_out;
    gate.take(event);
  }
  EXPECT_LT(gate.waiting(), 4096u) << "with the connection its text is gone";
}

// After a message, the memory that its long lines needed is given back.
TEST(MaskGate, NothingWaitsBehindAMessage) {
  Gate gate;
  gate.begin(accepted(1));
  const std::string head = "GET /" + std::string(50000, 'a') +
                           " HTTP/1.1\r\nContent-Length: 0\r\nHost: " + std::string(3000, 'b') + "\r\n\r\n";
  std::uint32_t at = 0;
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 0; i < head.size(); i += 1000) {
      const std::string piece = head.substr(i, 1000);
      through(gate, 1, Direction::in, at, piece);
      at += static_cast<std::uint32_t>(piece.size());
    }
  EXPECT_EQ(gate.waiting(), 0u);
  EXPECT_EQ(gate.statement().doubtful, 0u);
}

std::string question(const std::string& label) {
  return std::string("\0\7\1\0\0\1\0\0\0\0\0\0", 12) + static_cast<char>(label.size()) + label +
         std::string("\7example\3com\0\0\1\0\1", 17);
}

// A datagram socket that is connected to a name server.
TEST(MaskGate, OfNameServersOnlyWhatTheyAreFor) {
  Gate gate;
  formats::SocketInfo info = accepted(1);
  info.type = formats::SocketType::datagram;
  info.origin = formats::Origin::connected;
  gate.begin(info);
  EXPECT_EQ(through(gate, 1, Direction::out, 0, question("shop")), question("shop"));
  std::string answer = question("shop");
  answer[2] = '\x81';
  answer[7] = 3;
  answer[11] = 1;
  const std::string address("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3", 16);
  const std::string alias("\xc0\x0c\0\5\0\1\0\0\0\x3c\0\7\4edge\xc0\x0c", 19);
  const std::string text("\xc0\x0c\0\x10\0\1\0\0\0\x3c\0\7\6secret", 19);
  const std::string edns("\0\0\x29\4\xd0\0\0\0\0\0\xcsecretsecret", 23);
  std::string kept = answer + address + alias + text + edns;
  const std::string all = kept;
  for (const char* secret : {"\6secret", "secretsecret"})
    kept.replace(kept.find(secret), std::string(secret).size(), std::string(secret).size(), '*');
  EXPECT_EQ(through(gate, 1, Direction::in, 0, all), kept);
  for (std::size_t n = 0; n < all.size(); ++n) {
    const std::string part = through(gate, 1, Direction::in, 0, all.substr(0, n));
    ASSERT_EQ(part.find("secr"), part.npos) << n;
  }
  EXPECT_EQ(gate.statement().foreign, 1u) << "those without a whole question";
  const std::string odd = through(gate, 1, Direction::out, 0, question("a b:hunter"));
  EXPECT_EQ(odd.find("hunter"), odd.npos);
  gate.begin([&] {
    info.socket = 2;
    return info;
  }());
  for (const std::string& other : {std::string("password=secret for another protocol"), std::string(300, 'x'),
                                   std::string("\0\7\1\0\0\1\0\0\0\0\0\0\x3fsecret", 19)})
    EXPECT_EQ(through(gate, 2, Direction::out, 0, other), "");
  EXPECT_EQ(gate.statement().foreign, 2u);
}

// Only the least recently used entry is evicted.
TEST(MaskGate, TheTableIsBounded) {
  Gate gate({}, 2);
  const auto request = [&](std::uint64_t socket, std::uint32_t at, std::string_view bytes) {
    return through(gate, socket, Direction::in, at, bytes);
  };
  for (const std::uint64_t socket : {1, 2}) {
    gate.begin(accepted(socket));
    EXPECT_NE(request(socket, 0, "POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\n"), "");
  }
  EXPECT_EQ(request(1, 39, "x"), "");
  EXPECT_EQ(request(3, 0, "secret"), "??????") << "not seen from its beginning";
  EXPECT_EQ(request(1, 40, std::string(29, 'x') + "GET / HTTP/1.1\r\n"), std::string(29, '*') + "GET / HTTP/1.1\r\n")
      << "still known";
  EXPECT_EQ(request(2, 39, std::string(30, 'x') + "GET / HTTP/1.1\r\n"), std::string(46, '?')) << "in doubt";
  EXPECT_EQ(gate.statement().doubtful, 2u);
}

// A tunnel may hold text that looks like HTTP, in either direction. Where its beginning was lost, who connected is
// known.
TEST(MaskGate, AServerSendsNoRequests) {
  const std::string secret = "GET / HTTP/1.1\r\nHost: secret\r\n\r\n";
  for (const auto origin : {formats::Origin::accepted, formats::Origin::connected}) {
    Gate gate;
    formats::SocketInfo info;
    info.socket = 1;
    info.family = formats::Family::inet;
    info.origin = origin;
    gate.begin(info);
    const auto moved = [&](Direction direction, std::uint32_t at, std::string_view bytes) {
      return through(gate, 1, direction, at, bytes);
    };
    const bool server = origin == formats::Origin::accepted;
    const Direction requests = server ? Direction::in : Direction::out,
                    responses = server ? Direction::out : Direction::in;
    EXPECT_EQ(moved(responses, 500, secret).find("secret"), std::string::npos) << "its first 500 bytes were lost";
    EXPECT_NE(moved(requests, 700, "GET /a HTTP/1.1\r\nHost: shop\r\n\r\n").find("shop"), std::string::npos);
  }
}

// The beginning of a connection whose description was lost may be lost, too: only a description shows that it is no
// tunnel.
TEST(MaskGate, WhatIsNotDescribedIsNotRead) {
  const std::string text = "GET /secret HTTP/1.1\r\nHost: secret\r\n\r\n";
  const auto hidden = [](std::string_view kept) { return kept.find("secret") == std::string_view::npos; };
  for (const auto origin : {formats::Origin::connected, formats::Origin::accepted}) {
    Gate gate;
    std::uint64_t position = 0;
    const auto received = [&] {
      Io io;
      io.socket = kSocket;
      io.direction = Direction::in;
      io.payload = formats::Payload::captured;
      io.position = position;
      io.length = static_cast<std::uint32_t>(text.size());
      io.head = text;
      formats::Event event;
      event.body = io;
      gate.take(event);
      position += io.length;
      return std::string(std::get<Io>(event.body).head);
    };
    EXPECT_TRUE(hidden(received()));
    EXPECT_TRUE(hidden(received()));
    formats::SocketInfo info;
    info.socket = kSocket;
    info.family = formats::Family::inet;
    info.origin = origin;
    info.state = formats::TcpState::established;
    gate.listed({info});
    // Who connected sends requests, and receives none.
    EXPECT_EQ(hidden(received()), origin == formats::Origin::connected);
  }
}

TEST(MaskGate, ARequestAndItsAnswerDescribeAConnection) {
  const std::string request = "GET /secret HTTP/1.1\r\nHost: secret\r\n\r\n",
                    answer = "HTTP/1.1 204 No Content\r\n\r\n";
  Gate gate;
  std::uint64_t positions[2] = {0, 0};
  const auto moved = [&](Direction direction, std::string_view bytes) {
    Io io;
    io.socket = kSocket;
    io.direction = direction;
    io.payload = formats::Payload::captured;
    io.position =
        std::exchange(positions[direction == Direction::in], positions[direction == Direction::in] + bytes.size());
    io.length = static_cast<std::uint32_t>(bytes.size());
    io.head = bytes;
    formats::Event event;
    event.body = io;
    gate.take(event);
    return std::string(std::get<Io>(event.body).head);
  };
  EXPECT_NE(moved(Direction::out, answer), answer) << "an answer to nothing";
  EXPECT_NE(moved(Direction::in, request), request);
  EXPECT_NE(moved(Direction::in, request), request) << "no answer yet";
  EXPECT_EQ(moved(Direction::out, answer), answer);
  EXPECT_EQ(moved(Direction::in, request), request);
  EXPECT_EQ(moved(Direction::out, request).find("secret"), std::string::npos) << "who answers asks nothing";
}

TEST(MaskGate, WhoListensSendsNoRequests) {
  formats::SocketInfo listener;
  listener.socket = 1;
  listener.family = formats::Family::inet;
  listener.origin = formats::Origin::listener;
  listener.local.port = 80;
  formats::SocketInfo info = listener;
  info.socket = kSocket;
  info.origin = formats::Origin::existed;
  info.state = formats::TcpState::established;
  info.next_out = info.next_in = kFirst;
  const std::string text = "GET /secret HTTP/1.1\r\nHost: secret\r\n\r\n";
  for (const bool known : {false, true}) {
    Passage p({}, formats::Origin::listener);
    if (known)
      p.gate.listed({info, listener});
    else
      p.gate.listed({info});
    EXPECT_EQ(p.out(text).find("secret") == std::string::npos, known);
  }
}

TEST(MaskGate, TlsOnTheWire) {
  Passage p;
  const std::string hello("\x16\x03\x01\0\x0a\x01\0\0\x06\x03\x03rand", 15);
  EXPECT_EQ(p.in(hello), hello);
  const std::string certificate("\x16\x03\x03\0\x0a\x0b\0\0\x06secret", 15);
  EXPECT_EQ(p.out(certificate).substr(0, 9), certificate.substr(0, 9));
  EXPECT_EQ(p.out(certificate).find("secret"), std::string::npos);
  const std::string data("\x17\x03\x03\0\6secret", 11);
  EXPECT_EQ(p.in(data), data.substr(0, 5) + "......");
  Passage late({}, formats::Origin::existed);
  EXPECT_EQ(late.in(data + data), data.substr(0, 5) + "******" + data.substr(0, 5) + "......");
}

}  // namespace
}  // namespace tailcap::capture::mask

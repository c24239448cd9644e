// What stands before the first request passes the gate: its constants and addresses, nothing else; and the connection
// begins behind it.
#include "tests/unit/capture/mask_case.h"

namespace tailcap::capture::mask {
namespace {

const std::string kAsk = "GET /a HTTP/1.1\r\nAccept: a\r\nCookie: QQQQ\r\n\r\n";
const std::string kAskKept = "GET /a HTTP/1.1\r\nAccept: a\r\nCookie:*****\r\n\r\n";
const std::string kLine = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";

std::string block(char command, char family, const std::string& body) {
  std::string out("\r\n\r\n\0\r\nQUIT\n", 12);
  out += command;
  out += family;
  out += static_cast<char>(body.size() >> 8);
  out += static_cast<char>(body.size() & 0xff);
  return out + body;
}
const std::string kAddresses("\xc0\0\2\1\xc0\0\2\2\xdc\4\1\xbb", 12);

// One and the same wherever the I/Os end.
void expect_kept(const std::string& bytes, const std::string& kept, std::size_t most_cuts = SIZE_MAX) {
  for (std::size_t at = 0; at < std::min(bytes.size(), most_cuts); ++at) {
    Passage p;
    std::string got = p.cut(Direction::in, bytes, {at});
    std::replace(got.begin(), got.end(), '.', '*');
    std::string want = kept;
    std::replace(want.begin(), want.end(), '.', '*');
    ASSERT_EQ(got, want) << at;
    EXPECT_EQ(p.gate.statement(), (formats::Masking{1, 0, 0, 0})) << at;
  }
}

TEST(MaskPreamble, EmptyLines) {
  for (const std::string lines : {"\r\n", "\n", "\r\n\r\n", "\r\n\n\r\n\r\n\r\n"})
    expect_kept(lines + kAsk, lines + kAskKept);
}

TEST(MaskPreamble, LineOfText) {
  expect_kept(kLine + kAsk, kLine + kAskKept);
  expect_kept("PROXY TCP6 2001:db8::1 ::1 5 6\r\n" + kAsk, "PROXY TCP6 2001:db8::1 ::1 5 6\r\n" + kAskKept);
  expect_kept("PROXY UNKNOWN\r\n" + kAsk, "PROXY UNKNOWN\r\n" + kAskKept);
  expect_kept(kLine + kLine + kAsk, kLine + kLine + kAskKept);
}

TEST(MaskPreamble, BinaryBlock) {
  const std::string extension = "\4\0\4QQQQ\1\0\2h2";
  expect_kept(block(0x21, 0x11, kAddresses) + kAsk, block(0x21, 0x11, kAddresses) + kAskKept);
  expect_kept(block(0x21, 0x11, kAddresses + extension) + kAsk,
              block(0x21, 0x11, kAddresses + std::string(extension.size(), '*')) + kAskKept);
  // Not asked for by a client, names of UNIX sockets, and addresses that do not fit.
  expect_kept(block(0x20, 0, "QQQQQQQQQQQQQQ") + kAsk, block(0x20, 0, std::string(14, '*')) + kAskKept);
  expect_kept(block(0x21, 0x31, std::string(216, 'Q')) + kAsk, block(0x21, 0x31, std::string(216, '*')) + kAskKept);
  expect_kept(block(0x21, 0x21, "QQQQ") + kAsk, block(0x21, 0x21, "****") + kAskKept);
  expect_kept(block(0x20, 0, "") + kAsk, block(0x20, 0, "") + kAskKept);
  const std::string longest(0xffff, 'Q');
  expect_kept(block(0x21, 0, longest) + kAsk, block(0x21, 0, std::string(0xffff, '*')) + kAskKept, 40);
}

TEST(MaskPreamble, BlockThatIsNotVisible) {
  Passage p;
  const std::string bytes = block(0x21, 0x11, kAddresses + std::string(5000, 'Q'));
  EXPECT_EQ(p.part(Direction::in, bytes, 100, 0).head, bytes.substr(0, 28) + std::string(72, '*'));
  EXPECT_EQ(p.in(kAsk), kAskKept);
}

TEST(MaskPreamble, OtherProtocolsBegin) {
  Passage two;
  EXPECT_EQ(two.in(kLine + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), kLine + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  Passage tls;
  const std::string hello("\x16\3\1\0\6\1\0\0\2QQ", 11);
  EXPECT_EQ(tls.in(kLine + hello), kLine + hello);
  EXPECT_EQ(two.gate.statement().foreign + tls.gate.statement().foreign, 0u);
}

TEST(MaskPreamble, WhatIsNone) {
  const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);
  for (const std::string& bytes : {signature + "\x31\x11QQQQQQQQQQQQQQQQ", signature.substr(0, 9) + "QQQQQQQQ",
                                   std::string("PROXY TCP4 QQQQQQQQQQ\r\n"), std::string("PROXY QQQQQQQQQQQ\r\n")}) {
    Passage p;
    EXPECT_EQ(p.in(bytes).find('Q', 10), std::string::npos) << bytes;
    p.in(kAsk);
    EXPECT_EQ(p.gate.statement().foreign, 1u) << bytes;
  }
  // Answers have none, and it is none in the middle.
  Passage p;
  EXPECT_EQ(p.out(kLine).find('2'), std::string::npos);
  Passage late;
  late.in(kAsk);
  EXPECT_EQ(late.in(kLine + kAsk).find("192"), std::string::npos);
}

TEST(MaskPreamble, BeginsAlike) {
  const std::string post = "POST /b HTTP/1.1\r\nAccept: a\r\nContent-Length: 2\r\n\r\nQQ";
  expect_kept(post, post.substr(0, post.size() - 2) + "..");
  expect_kept("PROPFIND /b HTTP/1.1\r\nAccept: a\r\n\r\n", "PROPFIND /b HTTP/1.1\r\nAccept: a\r\n\r\n");
}

}  // namespace
}  // namespace tailcap::capture::mask

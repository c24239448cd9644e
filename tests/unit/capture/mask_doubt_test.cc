// Requests whose end parsers are known to place differently. Behind one, its sender's bytes can have the form of a
// request, and the requests of others can stand where this parser expects something else.
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/capture/mask_case.h"

namespace tailcap::capture::mask {
namespace {

using namespace std::string_view_literals;

const std::string kStart = "POST /a HTTP/1.1\r\nHost: a\r\n";
const std::string kFormOfRequest =
    "GET /secret HTTP/1.1\r\nHost: secret\r\nUser-Agent: secret\r\nContent-Length: 0\r\n\r\n";
const std::string kPrefix = "GET /b HTTP/1.1\r\nHost: a\r\nAccept: ";
const std::string kOther = "GET /reset?token=secret HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n";
const std::string kAnswer = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\n";

const std::vector<std::string> kHeads = {
    kStart + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
    kStart + "Content-Length: 5, 5\r\n\r\n",
    kStart + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    kStart + "Content-Length: +5\r\n\r\n",
    kStart + "Content-Length: 0x5\r\n\r\n",
    kStart + "Content-Length:\r\n\r\n",
    kStart + "Content-Length : 5\r\n\r\n",
    kStart + "Content_Length: 5\r\n\r\n",
    kStart + "Content-Length:\r\n 5\r\n\r\n",
    kStart + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    kStart + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    kStart + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    kStart + "Transfer-Encoding: gzip, chunked\r\n\r\n",
    kStart + "Transfer-Encoding: chunked, identity\r\n\r\n",
    kStart + "Transfer-Encoding: chunked;q=1\r\n\r\n",
    kStart + "Transfer-Encoding: xchunked\r\n\r\n",
    kStart + "Transfer-Encoding: \x0b" + "chunked\r\n\r\n",
    kStart + "Transfer-Encoding:\r\n\r\n",
    kStart + "Transfer-Encoding : chunked\r\n\r\n",
    kStart + "Transfer-Encoding:\r\n\tchunked\r\n\r\n",
    kStart + "Transfer_Encoding: chunked\r\n\r\n",
    kStart + "Transfer-Encoding: chunked" + std::string(2000, ' ') + ", x\r\n\r\n",
    kStart + "X: a\r\n Transfer-Encoding: chunked\r\n\r\n",
    kStart + "X: a\r\n content-length: 5\r\n\r\n",
    kStart + "\x0bTransfer-Encoding: chunked\r\n\r\n",
    kStart + "Transfer-Encoding\x0b: chunked\r\n\r\n",
    kStart + "Foo Content-Length: 5\r\n\r\n",
    kStart + "X: a\rTransfer-Encoding: chunked\r\n\r\n",
    kStart + "X: a\r\r\n\r\n",
    kStart + "\rX: a\r\n\r\n",
    kStart + std::string("X: a\0\r\n\r\n"sv),
    kStart + std::string("Co\0ntent-Length: 5\r\n\r\n"sv),
    kStart + "X: a\n\r\n",
    kStart + "X: a\r\n\n",
    kStart + "Cookie: a\nTransfer-Encoding: chunked\r\n\r\n",
    "POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
};

// Bodies in chunks that one parser ends elsewhere, or not at all.
const std::vector<std::string> kBodies = {
    "5\nhello\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5;a\nhello\r\n0\r\n\r\n",
    "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "0\r\n\n",
    "0\n\n",
    "0\r\nX: a\n\r\n",
    "0\r\nContent-Length: 5\r\n\r\n",
    "0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "0\r\nX: a\rContent-Length: 5\r\n\r\n",
};

std::vector<std::string> all() {
  std::vector<std::string> requests = kHeads;
  for (const std::string& body : kBodies) requests.push_back(kStart + "Transfer-Encoding: chunked\r\n\r\n" + body);
  return requests;
}

// Its own request was read before; then nothing is believed of this direction, whatever proves itself.
TEST(MaskDoubt, NothingIsKeptBehindIt) {
  for (const std::string& request : all()) {
    for (std::size_t at = 0; at < request.size(); ++at) {
      Passage p;
      const std::string first = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
      ASSERT_EQ(p.in(first), first);
      p.cut(Direction::in, request, {at});
      std::string got = p.in(kFormOfRequest) + p.in(kPrefix) + p.in(kOther) + p.cut(Direction::in, kOther, {12});
      ASSERT_EQ(got.find_first_not_of(".?0\r\n"), got.npos) << request << at << got;
      EXPECT_EQ(p.out(kAnswer + "ab"), kAnswer + "..") << "what answers is as certain as before";
      ASSERT_EQ(p.gate.statement().doubtful, 1u) << request;
      EXPECT_GT(p.gate.statement().withheld, 0u);
    }
  }
}

// The recorder remembers heads and lines by what it wrote of them: a hidden value can hold the difference.
TEST(MaskDoubt, NoMemoryOfWhatWasPlain) {
  const std::string plain = kStart + "Cookie: 12345678901234567890\r\nX: 1234567890\r\nContent-Length: 5\r\n\r\n";
  for (const std::string_view odd : {"1234567\r901234567890"sv,
                                     "1234567\0"
                                     "901234567890"sv}) {
    for (const bool also_head : {false, true}) {
      Passage p;
      for (int i = 0; i < 8; ++i) p.in(plain + "hello");
      std::string other = plain;
      other.replace(other.find("12345678901234567890"), 20, odd);
      if (!also_head) other.replace(other.find("X: "), 3, "Y: ");
      p.in(other + "hello");
      EXPECT_EQ(p.in(kFormOfRequest).find("secret"), std::string::npos) << also_head;
      EXPECT_EQ(p.gate.statement().doubtful, 1u);
    }
  }
}

// A message of which this parser and the server have different ideas, in whatever way, is followed by no request.
TEST(MaskDoubt, WhatIsNoRequestEndsIt) {
  for (const std::string_view odd : {"garbage\r\n"sv, "Content-Length: 50\r\n\r\n"sv, "GET /x\r\n\r\n"sv}) {
    Passage p;
    p.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    p.in(odd);
    EXPECT_EQ(p.in(kFormOfRequest).find("secret"), std::string::npos);
  }
  Passage p;
  p.in("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  p.lose(Direction::in, 10);
  const std::string next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
  p.in("garbage\r\n");
  EXPECT_EQ(p.in(next), next) << "bytes were missed: this says nothing of the sender";
}

// Who waits in a listed value sees the next users' requests as its rest.
TEST(MaskDoubt, NoRequestInAValue) {
  const std::string request = "GET /a HTTP/1.1\r\nHost: a\r\nAccept: ", absolute = "GET http://a" + kOther.substr(4);
  for (const std::string& other : {kOther, absolute}) {
    for (std::size_t at = 0; at < other.size(); ++at) {
      for (std::size_t second = at + 1; second < other.size(); ++second) {
        Passage p;
        const std::size_t begin = request.size();
        const std::string got = p.cut(Direction::in, request + other, {begin, begin + at, begin + second});
        for (std::size_t i = 0; i + 4 <= 6; ++i)
          ASSERT_EQ(got.find(std::string_view("secret").substr(i, 4)), got.npos) << at << " " << second << got;
      }
      Passage p;
      const std::string got = p.in(request + other.substr(0, at)) + p.in(other.substr(at));
      ASSERT_EQ(got.find("secr"), got.npos) << at << got;
    }
  }
}

// What many clients send is no doubt.
TEST(MaskDoubt, NotOfWhatIsUsual) {
  const std::string bare = "GET /a HTTP/1.0\nHost: a\nAccept: b\n\n";
  for (const std::string& request : std::initializer_list<std::string>{
           kStart + "Transfer-Encoding: Chunked \r\n\r\n5;a=b\r\nhello\r\n0\r\nX: a\r\n\r\n",
           kStart + "Content-Length:\t5 \r\n\r\nhello", kStart + "Cookie: a\r\n\tb\r\nContent-Length: 0\r\n\r\n",
           kStart + "X : a\r\n\r\n", "GET /a HTTP/1.0\r\n\r\n", bare}) {
    for (int cut = 0; cut < 20; ++cut) {
      Passage p;
      for (int i = 0; i < 3; ++i) p.cut(Direction::in, request, {request.size() * static_cast<std::size_t>(cut) / 20});
      ASSERT_EQ(p.in(bare), bare) << request << cut;
      EXPECT_EQ(p.gate.statement().doubtful, 0u);
    }
  }
}

}  // namespace
}  // namespace tailcap::capture::mask

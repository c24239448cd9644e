// Heads and field lines that are remembered give what they gave when they were read, in any order, cut anywhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "capture/mask/http/header_list.h"
#include "formats/mask/fields.h"

namespace tailcap::capture::mask {
namespace {

using formats::Sheet;
using formats::mask::Fields;
using formats::mask::Rules;

// The same rules, and nothing is remembered.
class Forgetful final : public Rules {
 public:
  bool begins_name(std::string_view begin) const override { return list_.begins_name(begin); }
  Value of(std::string_view name) const override { return list_.of(name); }
  bool judge(Value value, std::string& text, const Extent& extent) const override {
    return list_.judge(value, text, extent);
  }
  bool keeps_reasons() const override { return true; }
  bool keeps_hellos() const override { return true; }
  void hello(std::string&, bool) const override {}

 private:
  HeaderList list_;
};

std::string described(const Fields& fields, std::size_t used, const Sheet& sheet) {
  const auto& f = fields.framing;
  std::string out = std::to_string(used) + (fields.done() ? " done" : " open") + (fields.keeps_next() ? " keeps" : "");
  out += f.length ? " length " + std::to_string(*f.length) : "";
  for (const bool b :
       {f.contradictory, f.doubtful, f.chunked, f.other_coding, f.expects, f.upgrade, f.h2c, f.web, f.web_text})
    out += b ? '1' : '0';
  return out + " " + std::string(sheet.head());
}

const std::vector<std::string> kLines = {
    "Host: shop.example.com\r\n",
    "Host: [::1]:8080\r\n",
    "User-Agent: Mozilla/5.0 (X11)\r\n",
    "Authorization: Bearer abc\r\n",
    "Cookie: sid=1; theme=dark\n",
    "Content-Length: 12\r\n",
    "Content-Length: 13\r\n",
    "content-length : 12\r\n",
    "Content-Length: 1x\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer_Encoding: chunked\r\n",
    " Transfer-Encoding: chunked\r\n",
    "Expect: 100-continue\r\n",
    "Upgrade: h2c\r\n",
    "Content-Type: application/grpc-web-text\r\n",
    "Content-Type: text/html HTTP/1.1\r\n",
    "X-Request-Id: 4711\r\n",
    "X-Request-Id: 47\r11\r\n",
    "Accept: GET / HTTP/1.1\r\n",
    "no colon here\r\n",
    "content-length\r\n",
    ": empty\r\n",
    "Date:\r\n",
    "Via:\t\t1.1 proxy \r\n",
    " folded secret\r\n",
    "\tfolded 7\r\n",
    "Server: " + std::string(200, 'x') + "\r\n",
    "Referer: https://user:password@host/?token=secret\r\n",
    std::string("Age: 1\0002\r\n", 11),
};

TEST(FieldMemo, GivesWhatReadingGives) {
  const HeaderList remembers;
  const Forgetful forgets;
  std::mt19937 random(3);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  std::size_t done = 0;
  std::string head;
  Fields with, without;
  for (int round = 0; round < 60'000; ++round) {
    const bool repeats = below(2) == 0;
    if (!repeats) head.clear();
    for (std::size_t i = repeats ? 0 : below(9); i > 0; --i) {
      std::string line = kLines[below(kLines.size())];
      if (below(6) == 0) line[below(line.size())] = "x:\r\n \t7"[below(7)];
      head += line;
    }
    if (!repeats && below(8) != 0) head += "\r\n";
    if (repeats && !head.empty() && below(2) == 0) head[below(head.size())] = "x:\r\n \t7/"[below(8)];
    if (below(3) == 0) head += "body";
    const bool crlf = below(4) != 0;
    with.begin(crlf);
    without.begin(crlf);
    const bool cut = below(2) == 0;
    for (std::size_t at = 0; at < head.size() && !with.done();) {
      const std::string_view piece = std::string_view(head).substr(at, cut ? 1 + below(60) : head.size());
      Sheet kept, expected;
      kept.begin(piece, {});
      expected.begin(piece, {});
      const std::size_t used = with.feed(piece, 0, kept, remembers);
      const std::size_t read = without.feed(piece, 0, expected, forgets);
      ASSERT_EQ(described(with, used, kept), described(without, read, expected)) << round << ":\n" << head;
      at += piece.size();
    }
    done += with.done();
  }
  EXPECT_GT(done, 20'000u);
  std::size_t known = 0;
  for (std::uint32_t number = 0; number < 1024; ++number) {
    const std::string& masked = remembers.memo()->head(number).masked;
    known += masked.find("Authorization:") != masked.npos;
    for (const char* secret : {"Bearer", "theme=", "password@", "token="}) EXPECT_EQ(masked.find(secret), masked.npos);
  }
  EXPECT_GT(known, 10u);
}

}  // namespace
}  // namespace tailcap::capture::mask

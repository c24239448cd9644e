// What stands before the first request of a connection changes nothing of its requests.
#include <gtest/gtest.h>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"
#include "tests/unit/protocols/http2_wire.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;

std::string proxy_block(std::size_t extension) {
  std::string out("\r\n\r\n\0\r\nQUIT\n\x21\x11", 14);
  out += static_cast<char>((12 + extension) >> 8);
  out += static_cast<char>((12 + extension) & 0xff);
  return out + std::string(12 + extension, '*');
}

std::vector<std::string> preambles() {
  return {"\r\n",
          "\n\r\n",
          "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n",
          "PROXY TCP4 ***********************\r\n",
          "PROXY UNKNOWN\r\n",
          proxy_block(0),
          proxy_block(3000),
          "PROXY UNKNOWN\r\n" + proxy_block(20)};
}

// A server reads `bytes` in two pieces.
auto read_in_two(const std::string& bytes, std::size_t cut, const std::string& answer) {
  synth::Scenario s;
  synth::Opening o;
  o.origin = formats::Origin::accepted;
  synth::Endpoint& e = s.open(0ms, o);
  e.arrive(9ms, static_cast<std::uint32_t>(bytes.size()));
  if (cut > 0) e.read(10ms, std::string_view(bytes).substr(0, cut));
  e.read(11ms, std::string_view(bytes).substr(cut));
  e.send(20ms, answer);
  e.fin_arrives(50ms).eof(51ms).shut_down(52ms).close(53ms);
  return synth::analyse(s.events());
}

TEST(Preamble, BeforeHttp1) {
  for (const std::string& before : preambles()) {
    const std::string bytes = before + "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok";
    for (std::size_t cut = 0; cut < bytes.size(); cut += cut < 150 ? 1 : 97) {
      const auto r = read_in_two(bytes, cut, "HTTP/1.1 204 No Content\r\n\r\n");
      ASSERT_EQ(r.exchanges.size(), 1u) << before << cut;
      EXPECT_EQ(r.exchanges[0].target, "/a") << cut;
      EXPECT_EQ(r.exchanges[0].request_bytes, 2u) << cut;
      EXPECT_TRUE(r.exchanges[0].complete) << synth::describe(r.exchanges[0]);
    }
  }
}

TEST(Preamble, BeforeHttp2) {
  using protocols::http2::Encoder, protocols::http2::headers, protocols::http2::settings;
  using protocols::http2::kPreface;
  for (const std::string& before : preambles()) {
    Encoder client, server;
    const std::string bytes =
        before + std::string(kPreface) + settings() + headers(1, client(protocols::http2::get("/a")));
    const std::string answer = settings() + headers(1, server({{":status", "200"}}));
    for (std::size_t cut = 0; cut < bytes.size(); cut += cut < 150 ? 1 : 97) {
      const auto r = read_in_two(bytes, cut, answer);
      ASSERT_EQ(r.exchanges.size(), 1u) << before << cut;
      EXPECT_EQ(r.exchanges[0].target, "/a") << cut;
      EXPECT_TRUE(r.exchanges[0].complete) << synth::describe(r.exchanges[0]);
    }
  }
}

TEST(Preamble, NothingBehindIt) {
  for (const std::string& before : preambles()) {
    const auto r = read_in_two(before, 0, "");
    EXPECT_EQ(r.exchanges.size(), 0u) << before;
    EXPECT_EQ(r.findings[model::Finding::not_http], 0u) << before;
  }
}

}  // namespace
}  // namespace tailcap

// Frames of HTTP/2 and AMQP, and TLS records, cut by calls of every size into one piece or many: everything required is
// kept, the bulk is stepped over, and every byte is counted.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/bpf/framed.h"
#include "tests/bpf/recording.h"

namespace tailcap::test {
namespace {

using namespace formats;
using workload::Frame;
using workload::Framed;

class Frames : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (const auto reason = reason_to_skip(GetParam()); !reason.empty()) GTEST_SKIP() << reason;
  }
  Recorded record(const std::string& scenario, std::size_t payload) {
    auto recorded = record_workload(
        scenario, {"--tier", GetParam(), "--only", "io", "--ring", "64MiB", "--payload", std::to_string(payload)});
    EXPECT_TRUE(recorded.seen.lost.empty());
    return recorded;
  }
};

// Which bytes of a direction were captured.
std::vector<bool> captured(const std::vector<SeenIo>& list, std::size_t size, bool tcp) {
  std::vector<bool> out(size);
  const std::uint64_t first = list.front().io.position;
  for (const auto& seen : list) {
    if (seen.io.length == 0) continue;
    const std::uint64_t place = tcp ? static_cast<std::uint32_t>(seen.io.position - first) : seen.io.position - first;
    EXPECT_EQ(seen.io.payload, Payload::captured);
    for (std::size_t i = 0; i < seen.head.size(); i++) out.at(place + i) = true;
    for (std::size_t i = 0; i < seen.tail.size(); i++) out.at(place + seen.io.length - 1 - i) = true;
  }
  return out;
}

std::size_t all(const std::vector<bool>& bits, std::size_t begin, std::size_t n) {
  return static_cast<std::size_t>(std::count(bits.begin() + static_cast<std::ptrdiff_t>(begin),
                                             bits.begin() + static_cast<std::ptrdiff_t>(begin + n), true));
}

// kept: the number of bytes of a frame's payload that must be captured. Returns the share of bulk that was captured.
template <class Kept>
double expect_kept(const Recorded& recorded, const Framed& framed, Kept kept) {
  int directions = 0;
  std::size_t bulk = 0, bulk_captured = 0;
  for (const auto* way : {&recorded.seen.out, &recorded.seen.in}) {
    for (const auto& [socket, list] : *way) {
      std::size_t moved = 0;
      for (const auto& seen : list) moved += seen.io.length;
      if (moved != framed.bytes.size()) continue;
      directions++;
      const bool tcp = recorded.seen.sockets.at(socket).front().family != Family::unix_domain;
      const auto bits = captured(list, moved, tcp);
      std::size_t heads = 0, payloads = 0;
      for (const Frame& f : framed.frames) {
        const std::size_t wanted = kept(f);
        heads += all(bits, f.begin, f.header) != f.header;
        payloads += all(bits, f.begin + f.header, wanted) != wanted;
        if (!f.bulk || f.payload < 1000) continue;
        bulk += f.payload;
        bulk_captured += all(bits, f.begin + f.header, f.payload);
      }
      EXPECT_EQ(heads, 0u) << "headers not captured, of " << framed.frames.size() << " on socket " << socket;
      EXPECT_EQ(payloads, 0u) << "payloads not captured, of " << framed.frames.size() << " on socket " << socket;
    }
  }
  EXPECT_EQ(directions, 3 * 2 * 2) << "three connections over TCP, three over UNIX sockets, both ends of each";
  return static_cast<double>(bulk_captured) / static_cast<double>(bulk);
}

TEST_P(Frames, Http2) {
  const Framed client = workload::http2_stream(true), server = workload::http2_stream(false);
  for (const std::size_t limit : {1u << 20, 4096u, 64u}) {
    const std::size_t payload = std::min<std::size_t>(limit, 8192 - 9);  // of one frame, whatever limit is requested
    const auto recorded = record("http2", limit);
    expect_exact(recorded, true, {&client.bytes, &server.bytes});
    for (const auto* framed : {&client, &server}) {
      const double share = expect_kept(recorded, *framed, [&](const Frame& f) {
        return std::min(f.payload, f.bulk && f.payload > 256 ? std::min<std::size_t>(payload, 64) : payload);
      });
      EXPECT_LT(share, 0.1) << "payload " << limit;
    }
  }
}

TEST_P(Frames, Tls) {
  const Framed client = workload::tls_stream(true), server = workload::tls_stream(false);
  const auto recorded = record("tls", 4096);
  expect_exact(recorded, true, {&client.bytes, &server.bytes});
  for (const auto* framed : {&client, &server}) {
    const double share = expect_kept(recorded, *framed, [](const Frame& f) { return f.bulk ? 0 : f.payload; });
    EXPECT_LT(share, 0.01);
  }
}

TEST_P(Frames, Amqp) {
  const Framed client = workload::amqp_stream(true), server = workload::amqp_stream(false);
  const auto recorded = record("amqp", 4096);
  expect_exact(recorded, true, {&client.bytes, &server.bytes});
  for (const auto* framed : {&client, &server}) {
    const double share = expect_kept(recorded, *framed, [](const Frame& f) { return f.bulk ? 0 : f.payload; });
    EXPECT_LT(share, 0.05);
  }
}

INSTANTIATE_TEST_SUITE_P(Tier, Frames, testing::Values("a", "c"),
                         [](const auto& tier) { return std::string(tier.param); });

}  // namespace
}  // namespace tailcap::test

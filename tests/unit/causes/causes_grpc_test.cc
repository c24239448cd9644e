// The parent of each stream of a grpc-go connection, which one goroutine writes.
#include <gtest/gtest.h>

#include "tests/unit/causes/go_service.h"
#include "tests/unit/protocols/http2_wire.h"

namespace tailcap {
namespace {

using namespace go_service;

constexpr std::uint64_t kWrites = 60, kReads = 61;

struct GrpcClient : GoService {
  Endpoint& out = connected();
  protocols::http2::Encoder requests, responses;

  GrpcClient() {
    serve(1ms, 40ms, 20, "/one");
    serve(1ms, 40ms, 21, "/two");
    out.of(kWrites).send(1500us, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + protocols::http2::settings());
  }
  void queues(Duration at, std::uint64_t caller, std::uint64_t what) {
    s.add(at, kA, formats::GoCall{what, GoCallStep::queues, 0}, caller);
  }
  void writes(Duration at, std::uint64_t what, std::uint32_t stream) {
    s.add(at, kB, formats::GoCall{what, GoCallStep::writes, stream}, kWrites);
  }
  void sent(Duration at, std::uint32_t stream, const std::string& path) {
    out.of(kWrites).send(
        at, protocols::http2::headers(
                stream, requests({{":method", "POST"}, {":path", path}, {":scheme", "http"}, {":authority", "h"}})));
    out.of(kReads).receive(at + 10ms, at + 10ms, protocols::http2::headers(stream, responses({{":status", "200"}})));
  }
};

TEST(CausesGrpc, AStreamIsWhosFieldsItBeganWith) {
  GrpcClient g;
  g.queues(2ms, 21, 0xc100);
  g.queues(2100us, 20, 0xc200);
  g.writes(2200us, 0xc200, 1);
  g.writes(2300us, 0xc100, 3);
  g.sent(2400us, 1, "/a");
  g.sent(13ms, 3, "/b");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "certain goroutine /one");
  EXPECT_EQ(told(table, "/b"), "certain goroutine /two");
}

// An incomplete hand-over is not completed by another one at the same memory address.
TEST(CausesGrpc, WithoutItsHandOverACallIsUndecided) {
  GrpcClient g;
  g.queues(2ms, 20, 0xc100);
  g.writes(2200us, 0xc100, 1);
  g.sent(2400us, 1, "/a");
  g.writes(13ms, 0xc100, 3);
  g.sent(14ms, 3, "/b");
  g.queues(25ms, 20, 0xc100);
  g.sent(26ms, 5, "/c");
  const auto table = g.table();
  EXPECT_EQ(told(table, "/a"), "certain goroutine /one");
  EXPECT_EQ(told(table, "/b"), "undecided of 2");
  EXPECT_EQ(told(table, "/c"), "undecided of 2");
}

// The connection was made for a request and has carried only one call so far; its writer still belongs to no request.
TEST(CausesGrpc, WhoWritesForAllIsNotAskedWhoMadeIt) {
  GrpcClient g;
  g.made(1200us, 20, kWrites);
  g.writes(2ms, 0xc100, 1);
  g.sent(2400us, 1, "/a");
  EXPECT_EQ(told(g.table(), "/a"), "undecided of 2");
}

}  // namespace
}  // namespace tailcap

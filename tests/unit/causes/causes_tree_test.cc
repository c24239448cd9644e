// A request with everything that it caused in several processes, and what remains if much was forgotten.
#include <gtest/gtest.h>

#include "analyze/causes/parents/parents.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/request/call_tree.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap::causes_tree_test {
namespace {

using namespace std::chrono_literals;
using model::CauseMethod;
using synth::Opening;
using synth::Scenario;
using synth::Thread;

constexpr Thread kA{100, 101};
constexpr std::int16_t kEpollWait = 232;
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"; }

// A process served very many requests before it made its first call: nothing is claimed about forgotten ones.
TEST(Parents, WhatIsForgottenIsNotGuessed) {
  using model::Exchange;
  causes::Goroutines goroutines;
  causes::Parents parents(goroutines);
  model::RequestTable table;
  model::Request row;
  const auto push = [&](model::Role role, model::ExchangeId id, std::int64_t from, std::int64_t to) {
    Exchange e;
    e.id = id;
    e.role = role;
    e.reader = e.writer = {kA.pid, kA.tid};
    e.request.first_done = e.request.last_done = formats::time_from(from);
    e.response.first_done = e.response.last_done = formats::time_from(to);
    e.request_headers_complete = true;
    parents.push(e, row, table.texts, 0);
  };
  const std::uint32_t many = causes::Parents::kMaxNoted / 8 + 10;
  for (std::uint32_t n = 1; n <= many; ++n) push(model::Role::server, {1, n}, 100 * n, 100 * n + 50);
  const std::int64_t fresh = std::int64_t{100} * many, forgotten = fresh - 100 * 15;
  push(model::Role::client, {2, 1}, forgotten + 10, forgotten + 20);
  push(model::Role::client, {2, 2}, fresh + 10, fresh + 20);
  parents.settle(table);
  EXPECT_EQ(table.causes.find({2, 1}), nullptr);
  ASSERT_NE(table.causes.find({2, 2}), nullptr);
  EXPECT_EQ(table.causes.find({2, 2})->parent, (model::ExchangeId{1, many}));
  EXPECT_FALSE(table.causes.find({2, 2})->certain) << "no wait was seen";
}

// A client, a proxy's two sides and a server on one host: four records, one tree.
struct Proxied {
  Scenario s;
  static constexpr Thread kClient{10, 10}, kProxy{20, 20}, kServer{30, 31};
  Proxied() {
    s.task(0ms, kClient, "client");
    s.task(0ms, kProxy, "proxy");
    s.task(0ms, Thread{30, 30}, "shop");
    const auto opening = [](Thread thread, const char* local, const char* remote) {
      Opening o;
      o.thread = thread;
      o.local = local;
      o.remote = remote;
      return o;
    };
    auto [client, proxy_in] = s.loopback(0ms, opening(kClient, "127.0.0.1:40000", "127.0.0.1:80"), kProxy);
    auto [proxy_out, server] = s.loopback(0ms, opening(kProxy, "127.0.0.1:40001", "127.0.0.1:8080"), kServer);
    s.off_cpu(kProxy, {.left = 0ms, .runnable = 2ms, .on = 2ms, .syscall = kEpollWait});
    client.send(1ms, get("/cart"));
    proxy_in.receive(2ms, 2ms + 10us, get("/cart"));
    proxy_out.send(3ms, get("/cart"));
    server.receive(4ms, 4ms + 10us, get("/cart"));
    server.send(8ms, kOk);
    proxy_out.receive(9ms, 9ms + 10us, kOk);
    proxy_in.send(9ms + 50us, kOk);
    client.receive(10ms, 10ms + 10us, kOk);
  }
};

TEST(HardCases, h30_proxy_on_the_same_host_is_one_tree) {
  Proxied p;
  const auto table = pipeline::analyze(synth::plain_preamble(), p.s.with_end()).table;
  ASSERT_EQ(table.rows.size(), 4u);
  const model::ExchangeId root = table.rows.id(0);
  const auto tree = report::call_tree(table, root);
  ASSERT_TRUE(tree);
  ASSERT_EQ(tree->nodes.size(), 4u);
  std::vector<std::string> comms;
  for (std::uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(tree->nodes[i].depth, i);
    comms.emplace_back(table.texts[tree->nodes[i].row.comm]);
  }
  EXPECT_EQ(comms, (std::vector<std::string>{"client", "proxy", "proxy", "shop"}));
  ASSERT_NE(tree->nodes[2].cause, nullptr);
  EXPECT_EQ(tree->nodes[2].cause->method, CauseMethod::turn);
  // From an inner node, the parent is named, but only the subtree is shown.
  const auto inner = report::call_tree(table, tree->nodes[2].row.id);
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->nodes.size(), 2u);
  EXPECT_EQ(inner->above, (std::vector<model::ExchangeId>{tree->nodes[1].row.id, tree->nodes[0].row.id}));
  EXPECT_FALSE(report::call_tree(table, {99, 1}));
}

}  // namespace
}  // namespace tailcap::causes_tree_test

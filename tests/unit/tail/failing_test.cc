// What is said about requests that failed: how many, how, and what else failed in their thread meanwhile.
#include <gtest/gtest.h>

#include <algorithm>

#include "analyze/tail/troubles.h"
#include "formats/event.h"
#include "tests/unit/tail/tail_case.h"

namespace tailcap::tests::failing_test {
namespace {

using model::TroubleKind;
using model::Verdict;
using model::VerdictKind;
using model::VerdictLevel;

constexpr std::int64_t kMs = 1'000'000, kStart = 1'000'000'000;  // of TailCase

const Verdict* failing(const model::Study& study, std::string_view route) {
  for (const Verdict& v : study.verdicts)
    if (v.kind == VerdictKind::failing && study.routes[v.routes.front()].route == route) return &v;
  return nullptr;
}

// A hundred requests, 20 ms apart, 5 ms each, of two threads in turn; every tenth fails.
struct FailingCase : TailCase {
  FailingCase() {
    for (int i = 0; i < 100; ++i) {
      model::Request& r = add("/pay", i * 20 * kMs, {{Label::cpu_user, 5 * kMs}});
      r.tid = 11 + static_cast<std::uint32_t>(i % 2);
      if (i % 10 == 0) {
        r.status = 502;
        r.outcome = model::Outcome::server_error;
      }
      keep();
    }
  }
  void trouble(int request, std::uint32_t tid, std::int64_t after = 2 * kMs) {
    study.troubles.push_back(
        {TroubleKind::name, formats::time_from(kStart + request * 20 * kMs + after), {10, tid}, "db.test", "NXDOMAIN"});
  }
};

TEST(Failing, SaysWhatFailedInTheirThread) {
  FailingCase c;
  for (int i = 0; i < 100; i += 10) c.trouble(i, 11);
  c.trouble(31, 12);  // one that did not fail
  c.trouble(41, 99);  // of a thread that serves nothing
  std::ranges::sort(c.study.troubles, {}, &model::Trouble::at);
  const Verdict* v = failing(c.run(), "/pay");
  ASSERT_NE(v, nullptr);
  EXPECT_EQ(v->requests, 10u);
  EXPECT_EQ(v->of, 100u);
  EXPECT_EQ(v->level, VerdictLevel::severe);
  ASSERT_EQ(v->ends.size(), 1u);
  EXPECT_EQ(v->ends[0].status, 502);
  ASSERT_EQ(v->causes.size(), 1u);
  EXPECT_EQ(v->causes[0].what, "db.test");
  EXPECT_EQ(v->causes[0].failed, 10u);
  EXPECT_EQ(v->causes[0].others, 1u);
  EXPECT_TRUE(v->causes[0].by_thread);
}

TEST(Failing, AnotherThreadOfTheProcessIsSaidToBeOne) {
  FailingCase c;
  for (int i = 0; i < 100; i += 10) c.trouble(i, 77);
  const Verdict* v = failing(c.run(), "/pay");
  ASSERT_NE(v, nullptr);
  ASSERT_EQ(v->causes.size(), 1u);
  EXPECT_FALSE(v->causes[0].by_thread);
  EXPECT_EQ(v->causes[0].others, 0u);
}

TEST(Failing, WhatHappenedBetweenRequestsIsNoCause) {
  FailingCase c;
  for (int i = 0; i < 100; i += 10) c.trouble(i, 11, 7 * kMs);
  const Verdict* v = failing(c.run(), "/pay");
  ASSERT_NE(v, nullptr);
  EXPECT_TRUE(v->causes.empty());
}

TEST(Failing, OneOfManyIsANote) {
  TailCase c;
  for (int i = 0; i < 100; ++i) {
    model::Request& r = c.add("/pay", i * 20 * kMs, {{Label::cpu_user, 5 * kMs}});
    if (i == 50) r.outcome = model::Outcome::server_error, r.status = 500;
    c.keep();
  }
  const Verdict* v = failing(c.run(), "/pay");
  ASSERT_NE(v, nullptr);
  EXPECT_EQ(v->level, VerdictLevel::note);
  EXPECT_EQ(v->pattern, model::Pattern::single);
}

TEST(Failing, CallsThatFailed) {
  FailingCase c;
  std::vector<model::Causes::Link> links;
  for (int i = 0; i < 100; ++i) {
    const model::ExchangeId parent = c.table.rows.id(static_cast<std::size_t>(i));
    model::Request& call = c.add("/stock", i * 20 * kMs + kMs, {{Label::down_wait, kMs}});
    call.role = model::Role::client;
    call.authority = c.table.texts.intern("down");
    if (i % 10 == 0 || i == 55) {
      call.outcome = model::Outcome::reset;
      call.complete = call.has_duration = false;
      call.status = 0;
    }
    links.push_back({call.id, {parent, model::CauseMethod::thread, true, 0, false}});
    c.keep();
  }
  std::ranges::sort(links, {}, &model::Causes::Link::first);
  c.table.causes.assign(std::move(links));
  const model::Study& study = c.run();
  const Verdict* v = failing(study, "/pay");
  ASSERT_NE(v, nullptr);
  ASSERT_EQ(v->causes.size(), 1u);
  EXPECT_EQ(v->causes[0].kind, TroubleKind::call);
  EXPECT_EQ(v->causes[0].what, "GET /stock at down");
  EXPECT_EQ(v->causes[0].end.outcome, model::Outcome::reset);
  EXPECT_EQ(v->causes[0].failed, 10u);
  EXPECT_EQ(v->causes[0].others, 1u);
  const Verdict* calls = failing(study, "/stock");
  ASSERT_NE(calls, nullptr) << "their server is not recorded";
  EXPECT_EQ(calls->requests, 11u);
}

// The gateway's calls broke off: their connection had been closed before they were sent.
TEST(Failing, CallsOnConnectionsThatWereClosed) {
  FailingCase c;
  std::vector<model::Causes::Link> links;
  model::ConnectionUses::Entry one;
  std::vector<model::ConnectionUses::Entry> uses;
  for (int i = 0; i < 100; ++i) {
    const model::ExchangeId parent = c.table.rows.id(static_cast<std::size_t>(i));
    model::Request& call = c.add("/stock", i * 20 * kMs + kMs, {{Label::down_wait, kMs}});
    call.role = model::Role::client;
    if (i % 10 == 0) {
      call.outcome = model::Outcome::no_response;
      call.complete = call.has_duration = false;
      call.status = 0;
      one.first = call.id;
      one.second.closed = 50 * kMs;
      one.second.idle = 100 * kMs + i;
      one.second.peer = c.table.texts.intern("stock");
      uses.push_back(one);
    }
    links.push_back({call.id, {parent, model::CauseMethod::thread, true, 0, false}});
    c.keep();
  }
  std::ranges::sort(links, {}, &model::Causes::Link::first);
  std::ranges::sort(uses, {}, &model::ConnectionUses::Entry::first);
  c.table.causes.assign(std::move(links));
  c.table.uses.assign(std::move(uses));
  const Verdict* v = failing(c.run(), "/pay");
  ASSERT_NE(v, nullptr);
  const auto stale = std::ranges::find(v->causes, TroubleKind::stale, &model::FailureCause::kind);
  ASSERT_NE(stale, v->causes.end());
  EXPECT_EQ(stale->what, "stock");
  EXPECT_EQ(stale->failed, 10u);
  EXPECT_EQ(stale->others, 0u);
  EXPECT_EQ(stale->idle, 100 * kMs + 90);
}

TEST(Failing, TheirProcessEnded) {
  FailingCase c;
  for (int i = 0; i < 100; i += 10) {
    model::Incident incident;
    incident.time = formats::time_from(kStart + i * 20 * kMs + 2 * kMs);
    incident.pid = 10;
    incident.comm = "shop";
    incident.signal = 9;
    incident.out_of_memory = i != 90;
    incident.under_way = 1;
    incident.requests = {c.table.rows.id(static_cast<std::size_t>(i))};
    c.study.incidents.push_back(incident);
  }
  const Verdict* v = failing(c.run(), "/pay");
  ASSERT_NE(v, nullptr);
  ASSERT_EQ(v->causes.size(), 2u);
  EXPECT_EQ(v->causes[0].kind, TroubleKind::ended);
  EXPECT_EQ(v->causes[0].what, "shop");
  EXPECT_EQ(v->causes[0].cause, "out of memory");
  EXPECT_EQ(v->causes[0].failed, 9u);
  EXPECT_EQ(v->causes[0].others, 0u);
  EXPECT_EQ(v->causes[1].cause, "SIGKILL");
}

TEST(Failing, WhatTheServiceSaid) {
  TailCase c;
  for (int i = 0; i < 100; ++i) {
    model::Request& r = c.add("/a.B/Pay", i * 20 * kMs, {{Label::cpu_user, 5 * kMs}});
    r.protocol = model::Protocol::grpc;
    r.grpc_status = i % 10 == 0 ? 14 : 0;
    if (i % 10 == 0) {
      r.outcome = model::Outcome::server_error;
      r.grpc.message = c.table.texts.intern(i == 0 ? "one" : "Connection refused");
    }
    c.keep();
  }
  const Verdict* v = failing(c.run(), "/a.B/Pay");
  ASSERT_NE(v, nullptr);
  ASSERT_EQ(v->ends.size(), 1u);
  EXPECT_EQ(v->ends[0].message, "Connection refused");
  EXPECT_EQ(v->ends[0].with_message, 9u);
}

// Threads of a Go program connect for all of its requests; the goroutine says for which.
TEST(Failing, ATroubleOfAKnownRequestIsThatRequests) {
  FailingCase c;
  for (int i = 0; i < 100; i += 10) {
    c.trouble(i, 77);
    c.study.troubles.back().request = c.table.rows.id(static_cast<std::size_t>(i));
    c.trouble(i, 11);
    c.study.troubles.back().what = "other.test";
    c.study.troubles.back().request = c.table.rows.id(static_cast<std::size_t>(i) + 1);
  }
  std::ranges::sort(c.study.troubles, {}, &model::Trouble::at);
  const Verdict* v = failing(c.run(), "/pay");
  ASSERT_NE(v, nullptr);
  ASSERT_EQ(v->causes.size(), 1u);
  EXPECT_EQ(v->causes[0].what, "db.test");
  EXPECT_EQ(v->causes[0].failed, 10u);
}

TEST(Failing, NothingWhereNoneFailed) {
  TailCase c;
  for (int i = 0; i < 100; ++i) {
    c.add("/pay", i * 20 * kMs, {{Label::cpu_user, 5 * kMs}});
    c.keep();
  }
  EXPECT_EQ(failing(c.run(), "/pay"), nullptr);
}

TEST(Troubles, TheThreadThatConnected) {
  tail::Troubles troubles;
  formats::SocketInfo info{.socket = 5, .family = formats::Family::inet, .state = formats::TcpState::syn_sent};
  info.remote.bytes = {10, 0, 0, 1};
  info.remote.port = 80;
  troubles.push(
      {formats::time_from(1),
       {7, 8},
       formats::StateChange{
           .socket = 5, .from = formats::TcpState::close, .to = formats::TcpState::syn_sent, .by_thread = true}});
  troubles.push({formats::time_from(1), {}, info});
  troubles.push({formats::time_from(2),
                 {},
                 formats::StateChange{
                     .socket = 5, .from = formats::TcpState::syn_sent, .to = formats::TcpState::close, .error = 111}});
  const auto all = troubles.take();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].kind, TroubleKind::connect);
  EXPECT_EQ(all[0].thread, (formats::Thread{7, 8}));
  EXPECT_EQ(all[0].what, "10.0.0.1:80");
  EXPECT_EQ(all[0].cause, "refused");
}

}  // namespace
}  // namespace tailcap::tests::failing_test

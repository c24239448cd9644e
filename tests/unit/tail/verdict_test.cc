// What is said about slow requests, from data whose truth is known.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "analyze/tail/verdict/ordinary.h"
#include "tests/unit/tail/tail_case.h"

namespace tailcap::tests {
namespace {

using model::Origin;
using model::Pattern;
using model::Study;
using model::Verdict;
using model::VerdictKind;
using model::VerdictLevel;
using model::VerdictScope;
using tail::verdict::ordinary_mean_beyond;
using tail::verdict::poisson_interval;

constexpr std::int64_t kStart = 1'000'000'000;  // of TailCase

TEST(Ordinary, MeanBeyondAQuantile) {
  // Log-normal, sigma 0.5: the mean of the slowest 1 % is exp(sigma^2/2) * Phi(sigma - z) / 0.01 times the median.
  const double q = 0.6744897501960817, s = 0.5;
  EXPECT_NEAR(ordinary_mean_beyond(0.99, std::exp(-q * s), 1, std::exp(q * s)), 3.8475, 0.01);
  // A second mode above the median does not widen it.
  EXPECT_NEAR(ordinary_mean_beyond(0.99, std::exp(-q * s), 1, 100), 3.8475, 0.01);
  EXPECT_EQ(ordinary_mean_beyond(0.99, 0, 0, 5), 0);
  EXPECT_NEAR(ordinary_mean_beyond(0.99, 7, 7, 7), 7, 1e-6);
}

TEST(Ordinary, PoissonIntervals) {
  // Tables of the exact interval.
  EXPECT_NEAR(poisson_interval(1).first, 0.0253, 0.0005);
  EXPECT_NEAR(poisson_interval(1).second, 5.572, 0.005);
  EXPECT_NEAR(poisson_interval(7).first, 2.814, 0.005);
  EXPECT_NEAR(poisson_interval(7).second, 14.423, 0.005);
  EXPECT_EQ(poisson_interval(0).first, 0);
}

// Every 40th request waits for the disk.
TailCase disk_waits(const std::vector<std::string_view>& routes = {"/orders"}) {
  TailCase c;
  Ordinary service(31);
  for (int i = 0; i < 2400; ++i) {
    auto times = service.next(0.005);
    if (i % 40 == 7) times.emplace_back(Label::io_disk, 90'000'000);
    c.add(routes[static_cast<std::size_t>(i) % routes.size()], i * 5'000'000LL, times);
    c.keep();
  }
  return c;
}

// A wait that a timer or a disk ended is as long with all CPUs free, and so is a wait for a holder that sleeps.
TEST(Verdict, AWaitWhileTheMachineIsShortOfCpuMayBePassedOn) {
  struct {
    Label label;
    Label behind;  // what the holder did meanwhile
    double crowded;
    Origin origin;
  } const cases[] = {{Label::lock_futex, Label::count_, 0, Origin::service},
                     {Label::lock_futex, Label::count_, 1, Origin::passed_on},
                     {Label::lock_futex, Label::timer_sleep, 1, Origin::service},
                     {Label::timer_sleep, Label::count_, 1, Origin::service},
                     {Label::io_disk, Label::count_, 1, Origin::service}};
  for (const auto& expected : cases) {
    TailCase c;
    Ordinary service(32);
    for (int i = 0; i < 2400; ++i) {
      auto times = service.next(0.005);
      const bool slow = i % 40 == 7;
      if (slow) times.emplace_back(expected.label, 90'000'000);
      c.crowded = slow ? expected.crowded : 0;
      const auto& row = c.add("/orders", i * 5'000'000LL, times);
      if (slow && expected.behind != Label::count_) {
        model::Chain& chain = c.table.chains[row.id].emplace_back();
        chain.steps.resize(2);
        chain.steps[0].label = expected.label;
        chain.steps[1].label = expected.behind;
        chain.time = 90'000'000;
      }
      c.keep();
      if (slow) c.table.crowd.queued(kStart + i * 5'000'000LL, kStart + i * 5'000'000LL + 90'000'000);
    }
    c.study.quality.preamble.cpus = 2;
    const Study& study = c.run();
    const Verdict& v = tail_of(study).verdict;
    ASSERT_FALSE(v.parts.empty());
    EXPECT_EQ(v.parts[0].label, expected.label);
    EXPECT_EQ(v.parts[0].origin, expected.origin);
    EXPECT_EQ(study.verdicts.front().scope == VerdictScope::machine, expected.origin == Origin::passed_on);
  }
}

TEST(Verdict, WhoUsedTheCpus) {
  for (const bool own : {false, true}) {
    TailCase c;
    Ordinary service(33);
    for (int i = 0; i < 2400; ++i) {
      auto times = service.next(0.005);
      const std::int64_t at = kStart + i * 5'000'000LL;
      if (i % 40 == 7) {
        times.emplace_back(Label::sched_runq, 90'000'000);
        c.table.crowd.queued(at, at + 90'000'000);
        if (own) {
          c.table.crowd.ran(at, at + 90'000'000);
          c.table.crowd.ran(at, at + 90'000'000);
        }
      }
      c.add(i % 2 ? "/a" : "/b", at - kStart, times);
      c.keep();
    }
    c.table.crowd.settle();
    c.study.quality.preamble.cpus = 2;
    const Study& study = c.run();
    ASSERT_FALSE(study.verdicts.empty());
    const Verdict& v = study.verdicts.front();
    EXPECT_EQ(v.parts.at(0).origin, own ? Origin::own_load : Origin::machine);
    EXPECT_EQ(v.scope, VerdictScope::machine) << "many requests wait for the same reason";
    EXPECT_GT(v.explained, v.excess / 2);
  }
}

TEST(Verdict, OneCauseOfSeveralRoutesIsOneAnswer) {
  TailCase c;
  Ordinary service(34);
  for (int i = 0; i < 2400; ++i) {
    auto times = service.next(0.005);
    std::vector<model::Culprit> culprits;
    if (i % 600 > 590) {
      times.emplace_back(Label::lock_futex, 120'000'000);
      culprits.push_back({Label::lock_futex, 120'000'000, 0x7f00'1234, {}, 77});
    }
    c.add(i % 2 ? "/a" : "/b", i * 5'000'000LL, times, culprits);
    c.keep();
  }
  const Study& study = c.run();
  ASSERT_EQ(study.verdicts.size(), 3u);
  const Verdict& whole = study.verdicts.front();
  EXPECT_EQ(whole.scope, VerdictScope::process);
  EXPECT_EQ(whole.routes.size(), 2u);
  EXPECT_EQ(whole.requests, study.verdicts[1].requests + study.verdicts[2].requests);
  EXPECT_EQ(study.verdicts[1].part_of, 0);
  EXPECT_EQ(study.verdicts[2].part_of, 0);
}

// The same slow calls, whose time passes at the server, or on the way there.
TEST(Verdict, ACallIsExplainedAtItsServer) {
  for (const bool on_the_way : {false, true}) {
    TailCase c;
    Ordinary service(37);
    for (int i = 0; i < 1200; ++i) {
      const std::int64_t at = i * 10'000'000LL, more = i % 40 == 7 ? 80'000'000 : 0;
      const auto work = std::llround(1e6 * std::exp(0.2 * service.normal()));
      auto& served = c.add("/stock", at, {{Label::cpu_user, work}, {Label::timer_sleep, on_the_way ? 0 : more}});
      const model::ExchangeId server = served.id;
      c.keep();
      auto& call = c.add("/stock", at, {{Label::down_wait, work + 100'000 + more}});
      call.role = model::Role::client;
      call.peer = server;
      c.keep();
    }
    const Study& study = c.run();
    std::size_t calls = 0;
    for (const model::RouteStudy& route : study.routes) {
      if (route.role != model::Role::client) continue;
      ++calls;
      EXPECT_EQ(route.tail->verdict.kind, on_the_way ? VerdictKind::tail : VerdictKind::nothing);
      EXPECT_TRUE(route.tail->compared());
    }
    EXPECT_EQ(calls, 1u);
  }
}

// A gateway whose requests wait for a service, in which the time passes: one answer, about the service.
TEST(Verdict, WhatCallersFeltIsSaidAtTheRoot) {
  TailCase c;
  Ordinary service(38);
  std::vector<model::Causes::Link> links;
  for (int i = 0; i < 1200; ++i) {
    const std::int64_t at = i * 10'000'000LL, more = i % 40 == 7 ? 80'000'000 : 0;
    const auto work = std::llround(1e6 * std::exp(0.2 * service.normal()));
    model::Request& served = c.add("/stock", at + 200'000, {{Label::cpu_user, work}, {Label::timer_sleep, more}});
    served.comm = c.table.texts.intern("stock");
    const model::ExchangeId server = served.id;
    c.keep();
    model::Request& call = c.add("/stock", at + 100'000, {{Label::down_wait, work + 200'000 + more}});
    const model::ExchangeId made = call.id;
    call.role = model::Role::client;
    call.peer = server;
    c.keep();
    const std::int64_t waited = work + 200'000 + more;
    const auto parent = c.add("/checkout", at, {{Label::cpu_user, 300'000}, {Label::down_wait, waited}},
                              {{Label::down_wait, waited, made.connection, made, 0}})
                            .id;
    c.keep();
    links.push_back({made, {parent, model::CauseMethod::thread, true, 0, false}});
  }
  std::ranges::sort(links, {}, &model::Causes::Link::first);
  c.table.causes.assign(std::move(links));
  const Study& study = c.run();
  const Verdict& root = study.verdicts.front();
  EXPECT_EQ(study.routes[root.routes.at(0)].comm, "stock");
  EXPECT_EQ(root.parts.at(0).label, Label::timer_sleep);
  ASSERT_EQ(root.felt.size(), 1u);
  EXPECT_EQ(study.routes[root.felt[0].route].route, "/checkout");
  EXPECT_EQ(root.felt[0].of, 1200u);
  for (std::size_t i = 1; i < study.verdicts.size(); ++i) EXPECT_EQ(study.verdicts[i].part_of, 0);
}

// Which of several threads had a lock is not said of one; a program that makes a lock for each waiter has one holder.
TEST(Verdict, AHolderIsOneWhereverItsLocksAre) {
  TailCase c;
  Ordinary service(39);
  std::vector<model::ExchangeId> reports;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t at = i * 10'000'000LL;
    if (i % 20 == 3) {
      reports.push_back(c.add("/report", at - 5'000'000, {{Label::timer_sleep, 50'000'000}}).id);
      c.keep();
    }
    TailCase::Times times = {{Label::cpu_user, std::llround(1e6 * std::exp(0.1 * service.normal()))}};
    std::vector<model::Culprit> culprits;
    if (i % 20 == 3) {
      times.emplace_back(Label::lock_futex, 45'000'000);
      culprits.push_back(
          {Label::lock_futex, 45'000'000, 0x7f00'0000u + static_cast<unsigned>(i) * 64, reports.back(), 77});
    }
    c.add("/item", at, times, culprits);
    c.keep();
  }
  const Study& study = c.run();
  const Verdict& v = study.verdicts.front();
  ASSERT_EQ(study.routes[v.routes.at(0)].route, "/item");
  ASSERT_TRUE(v.parts.at(0).who);
  EXPECT_EQ(c.table.texts[v.parts[0].who->route], "/report");
  EXPECT_EQ(v.parts[0].who->what, 0u) << "one address would be a guess";
  EXPECT_EQ(v.parts[0].who->tid, 77u);
}

// What a request that the recording cut off has waited for is no news where others took as long.
TEST(Verdict, RequestsWithoutAnAnswerAmongSlowOnes) {
  for (const bool older : {false, true}) {
    TailCase c;
    Ordinary service(40);
    for (int i = 0; i < 600; ++i) {
      c.add("/pay", i * 10'000'000LL,
            {{Label::cpu_user, std::llround(1e6 * std::exp(0.1 * service.normal()))},
             {Label::timer_sleep, i == 303      ? 800'000'000
                                  : i % 30 == 3 ? 300'000'000
                                                : 0}});
      c.keep();
    }
    const std::int64_t age = older ? 900'000'000 : 500'000'000;
    model::Request& open = c.add("/pay", 6'300'000'000 - age, {{Label::timer_sleep, 1}});
    open.has_duration = open.complete = open.has_phases = false;
    open.outcome = model::Outcome::in_flight;
    open.status = 0;
    const std::vector<model::AccountPart> parts = {
        {model::Phase::work, Label::timer_sleep, model::Evidence::measured, 0, age}};
    c.table.unfinished.add(open.id, parts, {});
    c.table.unfinished.sort();
    c.keep();
    c.add("/end", 6'299'000'000, {{Label::cpu_user, 1'000'000}});
    c.keep();
    const Study& study = c.run();
    const auto about = [&](VerdictKind kind) {
      return std::ranges::count_if(study.verdicts, [&](const Verdict& v) { return v.kind == kind; });
    };
    EXPECT_EQ(about(VerdictKind::unfinished), older ? 1 : 0);
    ASSERT_EQ(about(VerdictKind::tail), 1);
    const Verdict& tail = *std::ranges::find(study.verdicts, VerdictKind::tail, &Verdict::kind);
    EXPECT_EQ(tail.unanswered, older ? 0u : 1u);
  }
}

// Many that wait at the end are more than the end of the recording, though others took as long.
TEST(Verdict, ManyRequestsWithoutAnAnswer) {
  for (const int open : {1, 12}) {
    TailCase c;
    Ordinary service(41);
    for (int i = 0; i < 600; ++i) {
      c.add("/pay", i * 10'000'000LL,
            {{Label::cpu_user, std::llround(1e6 * std::exp(0.1 * service.normal()))},
             {Label::timer_sleep, i % 30 == 3 ? 300'000'000 + i * 100'000LL : 0}});
      c.keep();
    }
    for (int i = 0; i < open; ++i) {
      model::Request& row = c.add("/pay", 6'300'000'000 - 355'000'000, {{Label::timer_sleep, 1}});
      row.has_duration = row.complete = row.has_phases = false;
      row.outcome = model::Outcome::in_flight;
      row.status = 0;
      const std::vector<model::AccountPart> parts = {
          {model::Phase::work, Label::timer_sleep, model::Evidence::measured, 0, 355'000'000}};
      c.table.unfinished.add(row.id, parts, {});
      c.keep();
    }
    c.table.unfinished.sort();
    c.add("/end", 6'299'000'000, {{Label::cpu_user, 1'000'000}});
    c.keep();
    const Study& study = c.run();
    EXPECT_EQ(std::ranges::count(study.verdicts, VerdictKind::unfinished, &Verdict::kind), open == 1 ? 0 : 1);
    const Verdict& tail = *std::ranges::find(study.verdicts, VerdictKind::tail, &Verdict::kind);
    EXPECT_EQ(tail.unanswered, open == 1 ? 1u : 0u);
  }
}

// Two reasons, of which one is rarer and shorter: each is said with its count, and not one average over both.
TEST(Verdict, ALineForEachCause) {
  TailCase c;
  Ordinary service(42);
  std::uint64_t slept = 0, read = 0;
  for (int i = 0; i < 1000; ++i) {
    auto times = service.next(0.005);
    if (i % 40 == 7) times.emplace_back(Label::timer_sleep, 350'000'000), ++slept;
    if (i % 80 == 9) times.emplace_back(Label::io_disk, 90'000'000), ++read;
    c.add("/orders", i * 5'000'000LL, times);
    c.keep();
  }
  const Verdict& v = c.run().verdicts.front();
  ASSERT_EQ(v.by_cause.size(), 2u);
  EXPECT_EQ(v.requests, slept + read);
  EXPECT_EQ(v.by_cause[0].part.label, Label::timer_sleep);
  EXPECT_EQ(v.by_cause[0].requests, slept);
  EXPECT_EQ(v.by_cause[0].part.slow, 350'000'000);
  EXPECT_EQ(v.by_cause[1].part.label, Label::io_disk);
  EXPECT_EQ(v.by_cause[1].requests, read);
  EXPECT_EQ(v.by_cause[1].part.slow, 90'000'000);
  EXPECT_EQ(tail_of(c.study).typical_mean < 40'000'000, true);
}

// A few far slower ones do not hide what slows down the many next to them.
TEST(Verdict, ASecondCauseBelowTheGap) {
  TailCase c;
  Ordinary service(43);
  for (int i = 0; i < 4000; ++i) {
    auto times = service.next(0.005);
    if (i % 500 == 7) times.emplace_back(Label::timer_sleep, 900'000'000);
    if (i % 40 == 9) times.emplace_back(Label::io_disk, std::llround(15e6 * std::exp(0.5 * service.normal())));
    c.add("/orders", i * 5'000'000LL, times);
    c.keep();
  }
  const Verdict& v = c.run().verdicts.front();
  ASSERT_EQ(v.by_cause.size(), 2u);
  EXPECT_EQ(v.by_cause[0].part.label, Label::timer_sleep);
  EXPECT_EQ(v.by_cause[0].requests, 8u);
  EXPECT_EQ(v.by_cause[1].part.label, Label::io_disk);
  EXPECT_TRUE(v.by_cause[1].besides || v.requests > 8) << v.requests;
}

// The first request of each process loads code; `later`: so does another one, in the middle.
TEST(Verdict, WarmUpIsANote) {
  for (const bool later : {false, true}) {
    TailCase c;
    Ordinary service(45);
    for (int i = 0; i < 400; ++i) {
      const bool loads = i < 3 || (later && i == 200);
      model::Request& row =
          c.add("/item", i * 20'000'000LL,
                {{Label::cpu_user, std::llround(1e6 * std::exp(0.1 * service.normal())) + (loads ? 250'000'000 : 0)}});
      row.pid = static_cast<std::uint32_t>(10 + i % 3);
      c.keep();
    }
    const Verdict& v = c.run().verdicts.front();
    EXPECT_EQ(v.parts.at(0).label, Label::cpu_user);
    EXPECT_EQ(v.level > VerdictLevel::note, later) << v.requests;
  }
}

TEST(Verdict, OneCauseHasNoList) {
  const Verdict& v = disk_waits().run().verdicts.front();
  EXPECT_TRUE(v.by_cause.empty());
  EXPECT_EQ(v.requests, 60u);
  EXPECT_TRUE(v.kind_of_their_own);
}

// The call that only the new version makes; `always`: the old one made it, too.
TailCase deployed(bool always) {
  TailCase c;
  Ordinary service(44);
  std::vector<model::Causes::Link> links;
  for (int i = 0; i < 400; ++i) {
    const std::int64_t at = i * 20'000'000LL;
    TailCase::Times times = {{Label::cpu_user, std::llround(4e6 * std::exp(0.1 * service.normal()))}};
    if (i >= 200) times.emplace_back(Label::down_wait, 25'000'000);
    model::Request& row = c.add("/item", at, times);
    row.pid = i < 200 ? 10 : 20;
    const model::ExchangeId parent = row.id;
    c.keep();
    if (i < 200 && !always) continue;
    model::Request& call = c.add("/recommend", at + 1'000'000, {{Label::down_wait, i < 200 ? 100'000 : 25'000'000}});
    call.role = model::Role::client;
    call.authority = c.table.texts.intern("10.0.0.9:80");
    links.push_back({call.id, {.parent = parent, .certain = true}});
    c.keep();
  }
  std::sort(links.begin(), links.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  c.table.causes.assign(std::move(links));
  return c;
}

TEST(Verdict, CallsThatAreMadeSinceADeploy) {
  TailCase c = deployed(false);
  const Study& study = c.run();
  const Verdict& v = study.verdicts.front();
  ASSERT_EQ(study.routes[v.routes.at(0)].route, "/item");
  ASSERT_TRUE(v.new_calls);
  EXPECT_EQ(v.new_calls->what, "GET /recommend at 10.0.0.9:80");
  EXPECT_EQ(v.new_calls->before, 200u);
  EXPECT_EQ(v.new_calls->after, 200u);
  EXPECT_EQ(v.new_calls->of, 200u);
  EXPECT_EQ(v.new_calls->time, 25'000'000);
  EXPECT_TRUE(v.new_calls->other_processes);
  EXPECT_EQ(v.level, VerdictLevel::notable);

  TailCase other = deployed(true);
  for (const Verdict& each : other.run().verdicts) EXPECT_FALSE(each.new_calls);
}

TEST(Verdict, EveryRequestWaits) {
  TailCase c;
  Ordinary service(35);
  for (int i = 0; i < 400; ++i) {
    c.add("/lock", i * 50'000'000LL,
          {{Label::cpu_user, 2'000'000}, {Label::lock_futex, 25'000'000 + std::llround(1e6 * service.normal())}});
    c.keep();
  }
  const Verdict& v = tail_of(c.run()).verdict;
  EXPECT_EQ(v.kind, VerdictKind::usual);
  EXPECT_EQ(v.pattern, Pattern::always);
  EXPECT_EQ(v.parts.at(0).label, Label::lock_futex);
  EXPECT_EQ(v.level, VerdictLevel::note);
}

TEST(Verdict, RegularBursts) {
  TailCase c;
  Ordinary service(36);
  for (int i = 0; i < 4000; ++i) {
    auto times = service.next(0.005);
    if (i % 400 < 4) times.emplace_back(Label::go_stw, 60'000'000);
    c.add("/cart", i * 5'000'000LL, times);
    c.keep();
  }
  EXPECT_EQ(tail_of(c.run()).verdict.pattern, Pattern::periodic);
}

TEST(Verdict, ThoseWorthReadingFirst) {
  TailCase c = disk_waits({"/orders", "/cart", "/quiet"});
  for (int i = 0; i < 300; ++i) {
    c.add("/report", i * 40'000'000LL,
          {{Label::cpu_user, 2'000'000}, {Label::timer_sleep, i % 50 == 3 ? 900'000'000 : 0}});
    c.keep();
  }
  const Study& study = c.run();
  ASSERT_GE(study.verdicts.size(), 2u);
  for (std::size_t i = 1; i < study.verdicts.size(); ++i)
    EXPECT_GE(study.verdicts[i - 1].level, study.verdicts[i].level);
  EXPECT_EQ(study.routes[study.verdicts.front().routes.at(0)].route, "/report");
  EXPECT_EQ(study.verdicts.front().level, VerdictLevel::severe);
}

TEST(Crowd, UnionOfQueues) {
  model::Crowd crowd;
  crowd.queued(10'000'000, 10'500'000);  // too short to count
  crowd.queued(20'000'000, 24'000'000);
  crowd.queued(23'000'000, 26'000'000);
  crowd.queued(40'000'000, 42'000'000);
  crowd.queued(19'000'000, 41'000'000);  // a longer one is over later
  ASSERT_EQ(crowd.intervals().size(), 1u);
  EXPECT_EQ(crowd.within(0, 90'000'000), 23'000'000);
  EXPECT_EQ(crowd.within(0, 20'000'000), 1'000'000);
  EXPECT_EQ(crowd.within(41'000'000, 90'000'000), 1'000'000);
  crowd.ran(20'000'000, 30'000'000);
  crowd.settle();
  EXPECT_NEAR(crowd.own_share(std::vector<model::Crowd::Interval>{{20'000'000, 30'000'000}}, 2), 0.5, 0.01);
  EXPECT_LT(crowd.own_share(std::vector<model::Crowd::Interval>{{50'000'000, 60'000'000}}, 2), 0);
}

TEST(Crowd, IntervalsOfYears) {
  constexpr std::int64_t kYear = 365LL * 86400 * 1'000'000'000;
  model::Crowd crowd;
  crowd.queued(1'000'000'000, kYear);
  for (int i = 0; i < 10'000; ++i) crowd.ran(1'000'000'000 + i, 3 * kYear + i);
  crowd.settle();
  std::vector<model::Crowd::Interval> of;
  for (int i = 0; i < 1'000; ++i) of.push_back({i * 1'000'000LL, 2 * kYear - i});
  EXPECT_NEAR(crowd.own_share(of, 40'000), 0.25, 0.001);
}

}  // namespace
}  // namespace tailcap::tests

// What is over-represented among slow requests, against chance.
#include "analyze/tail/verdict/traits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/statistics/binomial.h"

namespace tailcap {
namespace {

using Kind = model::SharedTrait::Kind;

// Requests one after the other, of which the last `slow` are the slowest.
struct TraitCase {
  explicit TraitCase(std::size_t requests, std::size_t slow) {
    cohorts.slow = slow;
    for (std::uint32_t i = 0; i < requests; ++i) {
      model::Request r;
      r.id = {i + 1, 1 + i % 7};
      r.start = formats::time_from(1'000'000 + static_cast<std::int64_t>(i) * 100'000'000);
      r.has_duration = true;
      r.duration = formats::Duration{i + slow >= requests ? 50'000'000 : 1000};
      r.tid = 100 + i % 16;
      r.request_bytes = 100;
      rows.push_back(r);
    }
  }

  std::vector<model::SharedTrait> traits(std::uint64_t bursts) {
    for (const model::Request& r : rows) {
      table.rows.push_back(r);
      table.remotes.resize(r.id.connection + 1u);
    }
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
      tail::slow::Item& item = items.emplace_back();
      item.duration = rows[i].duration.count();
      item.row = i;
      cohorts.order.push_back(i);
      table.remotes[rows[i].id.connection] =
          table.texts.intern("10.0.0." + std::to_string(host(i)) + ":" + std::to_string(4000 + i));
    }
    for (const auto& set : header_sets) {
      auto& ids = table.headers.sets.emplace_back();
      for (const std::string& field : set) ids.push_back(table.texts.intern(field));
    }
    for (std::uint32_t i = 0; headers && i < rows.size(); ++i) table.headers.of.push_back(headers(i));
    if (calls) add_calls();
    const tail::slow::Links links(table);
    return tail::verdict::shared_traits(items, cohorts, bursts, table, links);
  }
  // Behind all rows, of a connection of their own.
  void add_calls() {
    const auto requests = static_cast<std::uint32_t>(rows.size());
    std::vector<model::Causes::Link> causes;
    for (std::uint32_t i = 0; i < requests; ++i)
      for (std::uint32_t n = calls(i); n > 0; --n) {
        model::Request call;
        call.id = {requests + 1, static_cast<std::uint32_t>(causes.size() + 1)};
        call.role = model::Role::client;
        call.protocol = model::Protocol::postgresql;
        call.start = rows.back().start + formats::Duration{static_cast<std::int64_t>(causes.size() + 1)};
        call.method = table.texts.intern("SELECT");
        call.path = call.route = table.texts.intern("a FROM items WHERE id = ?");
        table.rows.push_back(call);
        causes.push_back({call.id, {.parent = rows[i].id, .certain = true}});
      }
    table.causes.assign(std::move(causes));
    table.remotes.resize(requests + 2);
    table.remotes[requests + 1] = table.texts.intern("10.0.0.5:5432");
  }
  std::function<std::uint32_t(std::uint32_t)> calls;
  std::function<std::uint32_t(std::uint32_t)> headers;
  std::vector<std::vector<std::string>> header_sets;
  std::function<int(std::uint32_t)> host = [](std::uint32_t i) { return static_cast<int>(i % 20); };

  std::vector<model::Request> rows;
  model::RequestTable table;
  std::vector<tail::slow::Item> items;
  tail::slow::Cohorts cohorts;
};

TEST(SharedTraits, NothingInCommon) { EXPECT_TRUE(TraitCase(400, 20).traits(20).empty()); }

TEST(SharedTraits, ManyCalls) {
  TraitCase c(400, 20);
  c.calls = [](std::uint32_t i) { return i >= 380 ? 150 + i % 3 : 4; };
  const auto found = c.traits(20);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::calls);
  EXPECT_EQ(found[0].value, "10.0.0.5:5432 (SELECT a FROM items WHERE id = ?)");
  EXPECT_EQ(found[0].number, 150);
  EXPECT_EQ(found[0].slow, 20u);
  EXPECT_EQ(found[0].others, 0u);

  TraitCase same(400, 20);
  same.calls = [](std::uint32_t i) { return 4 + i % 2; };
  EXPECT_TRUE(same.traits(20).empty());
}

TEST(SharedTraits, OneClient) {
  TraitCase c(400, 20);
  c.host = [](std::uint32_t i) { return i >= 382 ? 77 : static_cast<int>(i % 50); };
  const auto found = c.traits(20);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::host);
  EXPECT_EQ(found[0].value, "10.0.0.77");
  EXPECT_EQ(found[0].slow, 18u);
  EXPECT_EQ(found[0].of_slow, 20u);
  EXPECT_EQ(found[0].others, 0u);
}

TEST(SharedTraits, AHeaderField) {
  TraitCase c(400, 20);
  c.headers = [](std::uint32_t i) { return i >= 382 || i % 40 == 0 ? 2u : 1u; };
  c.header_sets = {{}, {"accept: */*", "x-tenant: acme"}, {"accept: */*", "x-tenant: globex"}};
  const auto found = c.traits(20);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::header);
  EXPECT_EQ(found[0].value, "x-tenant: globex");
  EXPECT_EQ(found[0].slow, 18u);
  EXPECT_EQ(found[0].others, 10u);
}

// One burst is one observation: it may be chance.
TEST(SharedTraits, OneBurstProvesNothing) {
  TraitCase c(400, 20);
  c.host = [](std::uint32_t i) { return i >= 380 ? 77 : static_cast<int>(i % 50); };
  EXPECT_TRUE(c.traits(1).empty());
}

TEST(SharedTraits, LargeRequests) {
  TraitCase c(400, 20);
  for (std::size_t i = 380; i < 400; ++i) c.rows[i].request_bytes = 1'000'000 + static_cast<std::int64_t>(i);
  const auto found = c.traits(20);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Kind::request_size);
  EXPECT_GE(found[0].number, 1'000'000);
}

// What all requests have is no lead.
TEST(SharedTraits, WhatOthersHaveToo) {
  TraitCase c(400, 20);
  c.host = [](std::uint32_t) { return 1; };
  EXPECT_TRUE(c.traits(20).empty());
}

// A thousand routes in which slow and other requests have the same distribution of everything.
TEST(SharedTraits, ChanceAloneIsNotNamed) {
  std::mt19937_64 random(1);
  int named = 0;
  for (int n = 0; n < 1000; ++n) {
    TraitCase c(60 + random() % 300, 5 + random() % 15);
    std::vector<int> hosts(c.rows.size());
    const auto kinds = 2 + random() % 12;
    for (int& h : hosts) h = static_cast<int>(random() % kinds);
    c.host = [&](std::uint32_t i) { return hosts[i]; };
    for (model::Request& r : c.rows) {
      r.tid = 100 + static_cast<std::uint32_t>(random() % kinds);
      r.request_bytes = static_cast<std::int64_t>(random() % 1000);
    }
    named += !c.traits(c.cohorts.slow).empty();
  }
  EXPECT_LE(named, 3);
}

TEST(SharedTraits, BinomialTail) {
  EXPECT_DOUBLE_EQ(model::at_least_by_chance(0, 10, 0.3), 1);
  EXPECT_NEAR(model::at_least_by_chance(1, 10, 0.1), 1 - std::pow(0.9, 10), 1e-12);
  EXPECT_NEAR(model::at_least_by_chance(10, 10, 0.5), std::pow(0.5, 10), 1e-12);
}

}  // namespace
}  // namespace tailcap

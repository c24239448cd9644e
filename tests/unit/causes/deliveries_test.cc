// Deliveries and the requests that published their messages.
#include "analyze/causes/parents/deliveries.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace tailcap::causes {
namespace {

constexpr std::uint32_t kBroker = 7, kOther = 8;

model::Exchange noted(std::uint32_t number, model::Role role, const std::string& operation, std::uint64_t message) {
  model::Exchange e;
  e.id = {1, number};
  e.role = role;
  e.protocol = model::Protocol::nats;
  e.method = operation;
  e.store.emplace().message = message;
  e.request.first_done = e.request.last_done = formats::Time{std::chrono::milliseconds{number}};
  return e;
}

model::Exchange published(std::uint32_t number, std::uint64_t message) {
  return noted(number, model::Role::server, "REQUEST", message);
}
model::Exchange delivered(std::uint32_t number, std::uint64_t message) {
  return noted(number, model::Role::client, "DELIVER", message);
}

TEST(Deliveries, OfTheRequestWithTheirMessage) {
  Deliveries d;
  d.push(published(1, 11), kBroker);
  d.push(published(2, 12), kBroker);
  d.push(delivered(3, 12), kBroker);
  d.push(delivered(4, 11), kBroker);
  model::Exchange other = delivered(5, 11);  // to another subscriber
  other.id.connection = 2;
  d.push(other, kBroker);
  std::vector<model::Causes::Link> links;
  d.settle(links);
  ASSERT_EQ(links.size(), 3u);
  const std::map<std::uint32_t, std::uint32_t> parents = {{3, 2}, {4, 1}, {5, 1}};
  for (std::size_t i = 0; i < links.size(); ++i) {
    EXPECT_EQ(links[i].second.parent, (model::ExchangeId{1, parents.at(links[i].first.index)}));
    EXPECT_TRUE(links[i].second.certain);
    EXPECT_EQ(links[i].second.method, model::CauseMethod::message);
  }
}

TEST(Deliveries, NoneWhereItIsNotProved) {
  Deliveries d;
  d.push(published(1, 11), kBroker);
  d.push(published(2, 11), kBroker);  // a client that uses its reply subject twice
  d.push(published(3, 12), kOther);   // of another broker
  d.push(published(4, 0), kBroker);
  d.push(noted(5, model::Role::client, "REQUEST", 13), kBroker);  // what a publisher sent is not what a broker read
  d.push(noted(6, model::Role::server, "DELIVER", 14), kBroker);
  d.push(delivered(7, 15), kBroker);
  d.push(published(8, 15), kBroker);  // it came behind the delivery: that was of one that was not seen
  d.push(published(9, 16), kBroker);
  d.push(delivered(30, 16), kBroker);
  d.push(delivered(31, 16), kBroker);  // likewise one of these, to one subscriber
  for (std::uint32_t message : {11u, 12u, 0u, 13u, 14u}) d.push(delivered(10 + message, message), kBroker);
  std::vector<model::Causes::Link> links;
  d.settle(links);
  EXPECT_TRUE(links.empty());
}

constexpr std::int64_t kSince1970 = 1'795'762'183'000'000'000;

formats::Event clock_at(int ms) {
  formats::Event e;
  e.time = formats::Time{std::chrono::milliseconds{ms}};
  e.body = formats::ClockSnapshot{.realtime = kSince1970 + ms * 1'000'000, .uncertainty = {}};
  return e;
}
model::Exchange stored(std::uint32_t number, std::uint64_t place) {
  model::Exchange e = noted(number, model::Role::server, "REQUEST", 1000 + number);
  e.store->stored = place;
  e.response.first_done = e.response.last_done = e.request.last_done + std::chrono::milliseconds{5};
  return e;
}
model::Exchange handed_out(std::uint32_t number, std::uint64_t place, int stored_ms) {
  model::Exchange e = delivered(number, 0);
  e.store->stored = place;
  e.store->stored_at = kSince1970 + stored_ms * 1'000'000;
  return e;
}

TEST(Deliveries, OfTheRequestWhoseMessageWasStored) {
  Deliveries d;
  d.push(clock_at(0));
  d.push(stored(10, 71), kBroker);
  d.push(stored(11, 72), kBroker);
  d.push(handed_out(30, 72, 13), kBroker);
  d.push(handed_out(31, 71, 14), kBroker);
  d.push(handed_out(90, 71, 14), kBroker);  // again, on the same connection
  std::vector<model::Causes::Link> links;
  d.settle(links);
  ASSERT_EQ(links.size(), 3u);
  const std::map<std::uint32_t, std::uint32_t> parents = {{30, 11}, {31, 10}, {90, 10}};
  for (const auto& [id, link] : links) {
    EXPECT_EQ(link.parent, (model::ExchangeId{1, parents.at(id.index)}));
    EXPECT_TRUE(link.certain);
  }
}

TEST(Deliveries, NoneWhereTheStoreMayBeAnother) {
  Deliveries d;
  d.push(clock_at(0));
  d.push(stored(110, 71), kBroker);
  d.push(handed_out(130, 71, 4), kBroker);    // one of another account, from before
  d.push(handed_out(131, 71, 125), kBroker);  // and one that came there later
  d.push(handed_out(132, 71, 112), kOther);
  d.push(handed_out(133, 72, 112), kBroker);
  d.push(stored(112, 73), kBroker);
  d.push(stored(113, 73), kBroker);  // of two accounts
  d.push(handed_out(134, 73, 114), kBroker);
  model::Exchange unanswered = stored(114, 74);
  unanswered.response = {};
  d.push(unanswered, kBroker);
  d.push(handed_out(135, 74, 115), kBroker);
  std::vector<model::Causes::Link> links;
  d.settle(links);
  EXPECT_TRUE(links.empty());
}

TEST(Deliveries, NoneByTheirPlacesWithoutAClock) {
  Deliveries d;
  d.push(stored(10, 71), kBroker);
  d.push(handed_out(30, 71, 12), kBroker);
  std::vector<model::Causes::Link> links;
  d.settle(links);
  EXPECT_TRUE(links.empty());
}

}  // namespace
}  // namespace tailcap::causes

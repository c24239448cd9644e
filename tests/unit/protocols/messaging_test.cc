// Calls of message brokers: bytes on the wire in, exchanges out. Either side asks, and answers come in any order.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analyze/model/request.h"
#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"
#include "tests/unit/formats/amqp_talks.h"

namespace tailcap::messaging {
namespace {

using namespace std::chrono_literals;
using model::Exchange;
namespace amqp = formats::calls::amqp;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;

Opening client(formats::Origin origin = formats::Origin::connected) {
  Opening o;
  o.origin = origin;
  return o;
}

// "client REQUEST stock.* ok 2 ms", …
using Told = std::vector<std::string>;
Told told(const std::vector<Exchange>& exchanges) {
  Told out;
  for (const Exchange& e : exchanges) {
    std::string text = std::string(model::name_of(e.role)) + " " + e.method;
    if (!e.target.empty()) text += " " + e.target;
    text += " " + std::string(model::name_of(e.outcome));
    if (e.store && !e.store->error_code.empty()) text += " " + e.store->error_code;
    if (formats::known(e.response.last_done) && formats::known(e.request.first_done))
      text += " " + std::to_string((e.response.last_done - e.request.first_done) / 1ms) + " ms";
    out.push_back(text);
  }
  return out;
}

const std::string kInfo = "INFO {\"server_id\":\"a\",\"headers\":true} \r\n",
                  kConnect = "CONNECT {\"verbose\":false}\r\n";
// Reply subjects as a client makes them.
const std::string kInbox = "_INBOX.abcdefghijklmnopqrstuv.";

TEST(Messaging, AnswersOfNatsFindTheirRequestsInAnyOrder) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.receive(1ms, 1ms, kInfo).send(2ms, kConnect + "SUB " + kInbox + "* 1\r\n");
  e.send(3ms, "PUB stock.read " + kInbox + "AAAAAAAA 2\r\nab\r\n");
  e.send(4ms, "PUB orders.read " + kInbox + "BBBBBBBB 2\r\nab\r\n");
  e.receive(8ms, 8ms, "MSG " + kInbox + "BBBBBBBB 1 2\r\nok\r\n");
  e.receive(13ms, 13ms, "MSG " + kInbox + "AAAAAAAA 1 2\r\nok\r\n");
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges),
            (Told{"client CONNECT ok 0 ms", "client SUBSCRIBE _INBOX ok 0 ms", "client REQUEST orders.read ok 4 ms",
                  "client REQUEST stock.read ok 10 ms"}));
}

TEST(Messaging, ADeliveryIsARequestOfTheServersUntilItIsAnswered) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.receive(1ms, 1ms, kInfo).send(2ms, kConnect + "SUB stock.read 1\r\nSUB events.new 2\r\n");
  e.receive(4ms, 5ms, "MSG stock.read 1 " + kInbox + "AAAAAAAA 2\r\nab\r\n");
  e.receive(6ms, 6ms, "MSG events.new 2 2\r\nab\r\n");
  e.send(12ms, "PUB " + kInbox + "AAAAAAAA 2\r\nok\r\n");
  EXPECT_EQ(
      told(synth::analyse(s.with_end()).exchanges),
      (Told{"client CONNECT ok 0 ms", "client SUBSCRIBE stock.read ok 0 ms", "client SUBSCRIBE events.new ok 0 ms",
            "server DELIVER events.new ok 0 ms", "server DELIVER stock.read ok 7 ms"}));
}

TEST(Messaging, ARequestThatNobodyAnswersHasNoResponse) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.receive(1ms, 1ms, kInfo).send(2ms, kConnect + "SUB " + kInbox + "* 1\r\n");
  e.send(3ms, "PUB stock.read " + kInbox + "AAAAAAAA 2\r\nab\r\n");
  const Told in_flight = told(synth::analyse(s.with_end()).exchanges);
  EXPECT_EQ(in_flight.back(), "client REQUEST stock.read in_flight");
  e.eof(20ms).close(21ms);
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges).back(), "client REQUEST stock.read no_response");
}

TEST(Messaging, AnOlderPublisherIsReadFromItsSecondMessageOn) {
  Scenario s;
  Endpoint& e = s.open(0ms, client(formats::Origin::existed));
  for (int i = 1; i < 5; ++i) e.send(i * 1ms, "PUB orders.new 2\r\nab\r\n");
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges), (Told(4, "client PUBLISH orders.new ok 0 ms")));
}

TEST(Messaging, AnOlderSubscriberIsReadFromItsSecondMessageOn) {
  Scenario s;
  Endpoint& e = s.open(0ms, client(formats::Origin::existed));
  for (int i = 1; i < 5; ++i) e.receive(i * 1ms, i * 1ms, "MSG orders.new 1 2\r\nab\r\n");
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges), (Told(4, "server DELIVER orders.new ok 0 ms")));
}

TEST(Messaging, OneAcknowledgementConfirmsSeveralPublishes) {
  Scenario s;
  Endpoint& e = s.open(0ms, client());
  e.send(1ms, std::string("AMQP\0\0\x09\x01", 8));
  e.send(2ms, amqp::confirm(1)).receive(3ms, 3ms, amqp::confirmed(1));
  e.send(4ms, amqp::publish(1, "events", "order.17.new", "body"));
  for (const auto at : {5ms, 6ms}) e.send(at, amqp::publish(1, "", "orders", "body"));
  e.receive(9ms, 9ms, amqp::ack(1, 2, true));
  e.receive(10ms, 10ms, amqp::nack(1, 3));
  EXPECT_EQ(told(synth::analyse(s.with_end()).exchanges),
            (Told{"client CONFIRM SELECT ok 1 ms", "client PUBLISH events/order.*.new ok 5 ms",
                  "client PUBLISH orders ok 4 ms", "client PUBLISH orders server_error NACK 4 ms"}));
}

TEST(Messaging, AnOlderConsumerIsFoundByADeliveryAndItsAcknowledgement) {
  const auto deliver = [](std::uint64_t tag) {
    return amqp::method(1, 60, 60,
                        amqp::short_text("ctag1.abc") + amqp::number8(tag) + amqp::bits(0) + amqp::short_text("") +
                            amqp::short_text("orders")) +
           amqp::content(1, "body");
  };
  Scenario s;
  Endpoint& e = s.open(0ms, client(formats::Origin::existed));
  for (int i = 1; i < 4; ++i)
    e.receive(10ms * i, 10ms * i, deliver(static_cast<std::uint64_t>(i)))
        .send(10ms * i + 5ms, amqp::ack(1, static_cast<std::uint64_t>(i)));
  const Told r = told(synth::analyse(s.with_end()).exchanges);
  ASSERT_EQ(r.size(), 3u);
  EXPECT_EQ(r[1], "server DELIVER orders ok 5 ms");
  EXPECT_EQ(r[2], "server DELIVER orders ok 5 ms");
}

}  // namespace
}  // namespace tailcap::messaging

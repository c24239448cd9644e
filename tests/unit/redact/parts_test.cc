#include "analyze/redact/parts.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tailcap::redact {
namespace {

using namespace formats;

constexpr SocketId kSockets = 200;
constexpr std::string_view kResponse = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

Event of(Body body) {
  Event event;
  event.time = time_from(1);
  event.body = body;
  return event;
}

SocketInfo socket(SocketId id, Origin origin) {
  SocketInfo info;
  info.socket = id;
  info.family = Family::inet;
  info.type = SocketType::stream;
  info.origin = origin;
  info.state = TcpState::established;
  info.local.port = 80;
  return info;
}

Io received(SocketId id, std::string_view head) {
  Io io;
  io.socket = id;
  io.direction = Direction::in;
  io.payload = Payload::captured;
  io.length = static_cast<std::uint32_t>(head.size());
  io.head = head;
  return io;
}

// What is left of a response that each of many connections receives, which were there before the recording.
std::set<std::string> left(bool listener) {
  Parts parts(RedactionPolicy(), "0123456789abcdef");
  Batch batch;
  batch.begin(0);
  if (listener) batch.add(of(socket(1'000'000, Origin::listener)), true);
  for (SocketId id = 1; id <= kSockets; ++id) batch.add(of(socket(id, Origin::existed)), true);
  for (SocketId id = 1; id <= kSockets; ++id) batch.add(of(received(id, kResponse)), true);
  for (std::size_t part = 0; part < kParts; ++part) parts.apply(batch, part);
  std::set<std::string> heads;
  std::size_t ios = 0;
  for (const Event& event : batch.events())
    if (const auto* io = std::get_if<Io>(&event.body)) {
      heads.emplace(io->head);
      ++ios;
    }
  EXPECT_EQ(ios, kSockets);
  const std::uint64_t doubtful = parts.withheld().doubtful;
  EXPECT_EQ(doubtful, listener ? kSockets : 0);
  EXPECT_EQ(parts.changes()["receive.head"].values, kSockets);
  return heads;
}

// Who listens at a connection's port receives requests: a response does not fit.
TEST(Parts, AllKnowWhoListens) {
  const auto without = left(false), with = left(true);
  ASSERT_EQ(without.size(), 1u);
  EXPECT_TRUE(without.begin()->starts_with("HTTP/1.1 200 "));
  ASSERT_EQ(with.size(), 1u);
  EXPECT_EQ(with.begin()->find("HTTP"), std::string::npos);
}

// Events that are not redacted stay; the others have their texts after the original is gone.
TEST(Parts, TextsOutliveTheirEvents) {
  Parts parts(RedactionPolicy(RedactionLevel::strict), "0123456789abcdef");
  Batch batch;
  batch.begin(0);
  {
    const std::string secret = "swordfish", large(300'000, 'x');
    TaskStart task;
    task.comm = secret;
    batch.add(of(task), true);
    batch.add(of(task), false);
    batch.add(of(received(7, large)), true);
  }
  for (std::size_t part = 0; part < kParts; ++part) parts.apply(batch, part);
  ASSERT_EQ(batch.events().size(), 3u);
  const auto comm = [&](std::size_t i) { return std::get<TaskStart>(batch.events()[i].body).comm; };
  EXPECT_EQ(comm(0).size(), 9u);
  EXPECT_NE(comm(0), "swordfish");
  EXPECT_EQ(comm(1), "swordfish");
  EXPECT_EQ(std::get<Io>(batch.events()[2].body).head.find('x'), std::string_view::npos);
  const FieldChange change = parts.changes()["task_start.comm"];
  EXPECT_EQ(change.values, 1u);
  EXPECT_EQ(change.before, "swordfish");
  EXPECT_EQ(change.after, comm(0));
}

}  // namespace
}  // namespace tailcap::redact

// Which files need probes beside keys, by connections that are older than the recording.
#include <gtest/gtest.h>

#include <string>

#include "capture/tls/file_ways.h"
#include "capture/tls/older.h"
#include "formats/event.h"

namespace tailcap::capture::tls {
namespace {

using formats::Origin;
using formats::TcpState;
using Pids = std::set<std::uint32_t>;

// "+1 -2": attached, removed.
std::string changes(FileWays& ways) {
  std::string text;
  for (const auto& change : ways.changes())
    text += (text.empty() ? "" : " ") + std::string(change.attach ? "+" : "-") + std::to_string(change.file);
  return text;
}

formats::SocketInfo tcp(formats::SocketId id, Origin origin, TcpState state = TcpState::established) {
  formats::SocketInfo info;
  info.socket = id;
  info.family = formats::Family::inet;
  info.type = formats::SocketType::stream;
  info.origin = origin;
  info.state = state;
  return info;
}

void list(OlderConnections& older, std::initializer_list<std::pair<std::uint32_t, formats::SocketInfo>> sockets) {
  older.begin_list();
  for (const auto& [pid, info] : sockets) older.listed(pid, info);
  older.end_list();
}

formats::Event closing(formats::SocketId socket) {
  formats::Event event;
  event.body = formats::StateChange{socket, TcpState::last_ack, TcpState::close, false, 0};
  return event;
}

formats::Event moved(formats::SocketId socket, std::string_view head) {
  formats::Event event;
  auto& io = event.body.emplace<formats::Io>();
  io.socket = socket;
  io.length = 100;
  io.head = head;
  return event;
}

constexpr std::string_view kRecord("\x17\x03\x03\x00\x60", 5);

TEST(FileWays, ProbesStayUntilTheLastOlderConnectionEnds) {
  FileWays ways;
  ways.add(1, false);
  ways.add(2, false);
  EXPECT_EQ(changes(ways), "");
  ways.mapped(10, 1);
  ways.mapped(11, 1);
  EXPECT_EQ(changes(ways), "+1");  // before the list, any may have one
  ways.older({10});
  EXPECT_EQ(changes(ways), "");
  ways.older({11, 12});
  EXPECT_EQ(changes(ways), "");
  ways.older({12});
  EXPECT_EQ(changes(ways), "-1");
  ways.mapped(12, 2);  // found later
  EXPECT_EQ(changes(ways), "+2");
  EXPECT_EQ(changes(ways), "");
}

TEST(FileWays, OfALateFileNothingOlderIsRead) {
  FileWays ways;
  ways.add(1, true);
  ways.mapped(10, 1);
  ways.older({10});
  EXPECT_EQ(changes(ways), "");
  ways.unread(10);
  EXPECT_EQ(changes(ways), "+1");
}

TEST(FileWays, AProcessThatIsNotListedYetMayHaveOlderOnes) {
  FileWays ways;
  ways.older({});
  ways.add(1, false);
  ways.mapped(10, 1);
  ways.unlisted(10);
  EXPECT_EQ(changes(ways), "+1");
  ways.older({11});  // said before it was known
  EXPECT_EQ(changes(ways), "");
  ways.older({10, 11});
  EXPECT_EQ(changes(ways), "");
  ways.older({11});
  EXPECT_EQ(changes(ways), "-1");
}

TEST(FileWays, WhatKeysDoNotReadIsProbedForGood) {
  FileWays ways;
  ways.add(1, false);
  ways.older({});
  ways.unread(10);
  EXPECT_EQ(changes(ways), "");
  ways.mapped(10, 1);  // the process is looked at afterwards
  EXPECT_EQ(changes(ways), "+1");
  ways.older({10});
  ways.older({});
  EXPECT_EQ(changes(ways), "");
  ways.leave(1);
  EXPECT_EQ(changes(ways), "-1");
  ways.unread(10);
  EXPECT_EQ(changes(ways), "");
}

TEST(OlderConnections, OnlyOpenOnesWhoseBeginningWasNotSeen) {
  OlderConnections older;
  formats::SocketInfo local = tcp(7, Origin::existed);
  local.family = formats::Family::unix_domain;
  list(older, {{1, tcp(1, Origin::existed)},
               {2, tcp(2, Origin::accepted)},
               {3, tcp(3, Origin::connected)},
               {4, tcp(4, Origin::listener, TcpState::listen)},
               {5, tcp(5, Origin::unknown, TcpState::close_wait)},
               {6, tcp(6, Origin::existed, TcpState::close)},
               {7, local}});
  EXPECT_EQ(older.processes(), (Pids{1, 5}));
}

TEST(OlderConnections, UntilTheLastIsClosed) {
  OlderConnections older;
  list(older, {{1, tcp(1, Origin::existed)}, {2, tcp(1, Origin::existed)}, {2, tcp(2, Origin::existed)}});
  EXPECT_EQ(older.processes(), (Pids{1, 2}));
  older.take(closing(1));
  EXPECT_EQ(older.processes(), (Pids{2}));
  older.take(closing(2));
  EXPECT_EQ(older.processes(), (Pids{}));
  older.late(9);
  EXPECT_EQ(older.processes(), (Pids{9}));
  list(older, {});  // nor does a list show any
  EXPECT_EQ(older.processes(), (Pids{}));
}

TEST(OlderConnections, AClosingThatWasLostIsSeenInTheNextList) {
  OlderConnections older;
  list(older, {{1, tcp(1, Origin::existed)}, {2, tcp(2, Origin::existed)}});
  list(older, {{2, tcp(2, Origin::existed)}});
  EXPECT_EQ(older.processes(), (Pids{2}));
}

formats::Event beginning(formats::SocketId socket, std::int64_t time) {
  formats::Event event;
  event.time = formats::time_from(time);
  event.body = tcp(socket, Origin::accepted);
  return event;
}

// What a process had before its handshakes were seen, although its connections were seen to begin.
TEST(OlderConnections, OfALateProcess) {
  OlderConnections older;
  list(older, {});
  older.take(beginning(1, 100));
  older.take(beginning(2, 200));
  EXPECT_FALSE(older.wants_list());
  older.late(9, formats::time_from(150));
  EXPECT_TRUE(older.wants_list());
  EXPECT_EQ(older.processes(), (Pids{9}));
  const auto sockets = {std::pair{9u, tcp(1, Origin::accepted)}, std::pair{9u, tcp(2, Origin::accepted)},
                        std::pair{9u, tcp(3, Origin::connected)}, std::pair{8u, tcp(4, Origin::connected)}};
  list(older, sockets);
  EXPECT_FALSE(older.wants_list());
  EXPECT_EQ(older.processes(), (Pids{9}));
  older.take(closing(1));
  EXPECT_EQ(older.processes(), (Pids{9}));  // of 3 the beginning has not been read yet
  list(older, {{9, tcp(3, Origin::connected)}});
  EXPECT_EQ(older.processes(), (Pids{9}));
  older.take(beginning(3, 201));
  EXPECT_EQ(older.processes(), (Pids{}));
  list(older, sockets);
  EXPECT_EQ(older.processes(), (Pids{}));
}

TEST(OlderConnections, OthersThanTlsDoNotCount) {
  OlderConnections older;
  list(older, {{1, tcp(1, Origin::existed)}, {2, tcp(2, Origin::existed)}});
  older.take(moved(2, "middle of a record"));
  older.take(moved(2, kRecord));
  for (unsigned i = 0; i < OlderConnections::kProof; i++) {
    EXPECT_EQ(older.processes(), (Pids{1, 2})) << i;
    older.take(moved(1, "GET / HTTP/1.1"));
    older.take(moved(2, "middle of a record"));
  }
  EXPECT_EQ(older.processes(), (Pids{2}));
  list(older, {{1, tcp(1, Origin::existed)}, {2, tcp(2, Origin::existed)}});  // the next list knows that still
  EXPECT_EQ(older.processes(), (Pids{2}));
}

}  // namespace
}  // namespace tailcap::capture::tls

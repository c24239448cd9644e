// A capture in format version 1 with every kind of event is still read as when it was written. Neither file ever
// changes.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/event.h"
#include "formats/file/reader.h"

namespace {

using namespace tailcap::formats;

Preamble expected_preamble() {
  Preamble p;
  p.capture_id = "00112233445566778899aabbccddeeff";
  p.tool_version = "0.1.0";
  p.command_line = {"tailcap", "record", "-p", "17", "-o", "format_1.tcap"};
  p.host = "web-3";
  p.kernel = "6.18.5";
  p.architecture = "x86_64";
  p.boot_id = "11111111-2222-3333-4444-555555555555";
  p.cpus = 2;
  p.tier = HookTier::c;
  p.tier_reason = "forced by --tier c";
  p.redaction = Redaction::none;
  p.payload_limit = 4096;
  p.ring_bytes = 16u << 20;
  p.targets = {"pid 17", "port 80"};
  p.programs = {"send", "receive"};
  p.notes = {{"ticket", "42"}};
  p.started = time_from(1'000'000'000);
  p.started_realtime = 1'700'000'000'000'000'000;
  return p;
}

std::vector<Event> expected_keyframe() {
  const Time t = time_from(1'000'100'000);
  Address local{{127, 0, 0, 1}, 80}, remote{{10, 1, 2, 3}, 50'000};
  return {
      {t, {17, 17}, TaskInfo{1, "nginx", "nginx: worker process", "/usr/sbin/nginx", "/system.slice/nginx.service"}},
      {t, {17, 17}, Mapping{0x400000, 0x500000, 0x1000, "/usr/sbin/nginx", std::string_view("\x01\x00\xff", 3)}},
      {t,
       {17, 17},
       SocketInfo{900,
                  Family::inet,
                  SocketType::stream,
                  Origin::existed,
                  TcpState::established,
                  local,
                  remote,
                  77,
                  88,
                  4711,
                  0,
                  4026531840,
                  {}}},
      {t,
       {},
       SocketInfo{901,
                  Family::unix_domain,
                  SocketType::seqpacket,
                  Origin::accepted,
                  TcpState::none,
                  {},
                  {},
                  0,
                  0,
                  12,
                  13,
                  0,
                  "@bus"}},
      {t, {}, ClockSnapshot{1'700'000'000'000'100'000, 1'000'100'500, Duration{90}}},
  };
}

std::vector<Event> expected_events() {
  const auto at = [](std::int64_t ns) { return time_from(2'000'000'000 + ns); };
  const Thread worker{17, 18};
  std::vector<Event> events = {
      {at(0), {}, Arrival{900, 88, 18, 0}},
      {at(1500), worker,
       Io{900, Direction::in, Payload::captured, false, 45, 0, 0, 18, 88, "GET / HTTP/1.0\r\n\r\n", {}}},
      {at(9'000'000), worker, OffCpu{at(2000), at(8'999'000), 40, 1, 232, 0, 8, 0x1000}},
      {at(9'001'000), worker,
       Io{900, Direction::out, Payload::captured, false, 20, 0, 0, 5000, 77, "HTTP/1.0 200 OK\r\n", "the end"}},
      {at(9'000'500), worker, Io{900, Direction::out, Payload::no_buffer, false, 40, 0, 0, 100, 5077, {}, {}}},
      {at(9'002'000), worker, Io{900, Direction::out, Payload::off, false, 1, 3, 104, 0, 9999, {}, {}}},
      {at(9'002'001), worker, Io{901, Direction::in, Payload::fault, true, 47, 65535, 0, 12, 5'000'000'000, {}, {}}},
      {at(9'100'000), {}, Retransmit{900, 4077, 1000}},
      {at(9'100'001), {}, Reset{900, Direction::out}},
      {at(9'100'002), worker, StateChange{900, TcpState::established, TcpState::close, true, 104}},
      {at(9'100'003), worker, Accept{902, 9}},
      {at(9'100'004), worker, OffCpu{time_from(5), kNoTime, 0, 256, -1, 2, 0, 0}},
      {at(9'100'005), {18, 18}, TaskStart{{17, 17}, "sh"}},
      {at(9'100'006), {18, 18}, TaskExec{"true", "/bin/true"}},
      {at(9'100'007), {18, 18}, TaskExit{-1}},
      {at(9'100'008), {}, Loss{at(0), LossCause::ring_full, 2, 41}},
      {at(9'100'009), {}, RecorderCost{Duration{1234567}, 30'000'000}},
      {at(9'100'010), {}, ProgramCost{"send", 3, Duration{900}}},
  };
  // The same again, so that every reference to earlier data is used.
  for (std::uint32_t i = 1; i <= 20; ++i) {
    events.push_back({at(9'200'000 + i), {}, Arrival{900, 88 + i * 18, 18, 0}});
    events.push_back(
        {at(9'200'000 + i), worker,
         Io{900, Direction::in, Payload::captured, false, 45, 0, 0, 18, 88 + i * 18, "GET / HTTP/1.0\r\n\r\n", {}}});
  }
  return events;
}

TEST(Format1, reads_as_it_was_written) {
  Reader reader(TAILCAP_COMPAT_FILE);
  EXPECT_TRUE(reader.preamble() == expected_preamble());
  std::vector<Event> expected = expected_keyframe();
  for (const Event& event : expected_events()) expected.push_back(event);
  expected.push_back({expected.back().time, {}, CaptureEnd{CaptureState::complete}});
  std::size_t i = 0;
  for (auto events = reader.next(); !events.empty(); events = reader.next()) {
    for (const Event& event : events) {
      ASSERT_LT(i, expected.size());
      EXPECT_TRUE(event == expected[i]) << i << " " << name_of(kind_of(event));
      ++i;
    }
  }
  EXPECT_EQ(i, expected.size());
}

TEST(Format1, totals_and_blocks) {
  Reader reader(TAILCAP_COMPAT_FILE);
  const auto summary = reader.summary();
  EXPECT_EQ(summary.state, CaptureState::complete);
  EXPECT_EQ(summary.events, 63u);
  EXPECT_EQ(summary.lost, 41u);
  EXPECT_EQ(summary.damaged_blocks, 0u);
  EXPECT_EQ(summary.unknown_blocks, 0u);
  const auto blocks = reader.check();
  ASSERT_EQ(blocks.size(), 4u);
  const char* types[] = {"preamble", "keyframe", "events", "footer"};
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(blocks[i].type, types[i]);
    EXPECT_EQ(blocks[i].damage, "");
  }
}

}  // namespace

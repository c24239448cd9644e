// Text captures: printed text parses back to the same events, and errors say what is wrong.
#include <gtest/gtest.h>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"
#include "tests/synth/text.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;

std::string error_of(const std::string& text) {
  try {
    synth::parse_text(text, "case.txt");
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "none";
}

TEST(SynthText, EveryKindComesBackAsItWas) {
  synth::Scenario s;
  auto [client, server] = s.loopback(0ms, {}, {200, 201});
  client.send(1ms, "GET / HTTP/1.1\r\nX: \"q\\\x01\xff\"\r\n\r\n");
  server.receive(2ms, 3ms, "GET").send_file(4ms, 1000).eof(5ms).reset(6ms, formats::Direction::out);
  server.retransmit(7ms, 10).close(8ms, 104).fail(9ms, formats::Direction::in, 110);
  synth::Opening unix_opening;
  unix_opening.family = formats::Family::unix_domain;
  unix_opening.path = "@run/x y";
  s.open(10ms, unix_opening);
  synth::Opening v6;
  v6.family = formats::Family::inet6;
  s.open(10ms, v6);
  s.off_cpu({1, 2}, {1ms, 2ms, 3ms, 202, 1, 7, 8, 9});
  s.off_cpu({1, 2}, {1ms, -1ms, 3ms});
  s.start(1ms, {3, 3}, {1, 2}, "worker");
  s.exit(2ms, {3, 3}, 256);
  s.task(3ms, {3, 4}, "w", "a b \"c\"");
  s.clock(4ms, 1'700'000'000'123'456'789);
  s.loss(1ms, 2ms, formats::Kind::receive, 5, formats::LossCause::queue_full);
  s.add(11ms, {1, 1}, formats::Accept{77, -1});
  s.add(11ms, {1, 1}, formats::TaskExec{"c", "/bin/c"});
  s.add(11ms, {1, 0}, formats::Mapping{1, 2, 3, "/lib/x.so", std::string_view("\0\x01", 2)});
  s.add(11ms, {}, formats::RecorderCost{formats::Duration{5}, 6});
  s.add(11ms, {}, formats::ProgramCost{"p", 7, formats::Duration{8}});
  s.add(12ms, {1, 1},
        formats::TlsIo{7, formats::Direction::in, formats::Payload::captured, true, 3, 4, 5, synth::kStart + 11ms,
                       "GET ", "x"});
  s.add(12ms, {1, 1}, formats::TlsStep{7, formats::TlsLibrary::go, formats::TlsStepKind::failed, 134});
  s.add(12ms, {1, 1}, formats::Probe{"/lib/x", "SSL_read", "js +0x16", 22, 480, "why"});
  formats::OffCpu throttled{synth::kStart + 1ms,       synth::kStart + 1ms, 0, 256, -1, 0, 0, 0, true, 99,
                            formats::FileKind::eventfd};
  s.add(12ms, {1, 1}, throttled);
  s.add(12ms, {1, 1}, formats::GoCreate{18});
  s.add(12ms, {1, 1}, formats::GoRuntime{formats::GoPhase::stop_begin, "GC mark termination"});
  s.add(12ms, {1, 1}, formats::GoState{18, formats::GoRunState::ready, "chan receive"});
  s.add(12ms, {1, 1}, formats::GoHandler{4096, "main.(*Cart).ServeHTTP"});
  s.add(12ms, {1, 1}, formats::GoProgram{"/bin/x", "go1.23.4", "DWARF", "no \"states\"", 160, 3});
  s.add(12ms, {1, 1}, formats::Stall{formats::StallKind::kernel_lock, synth::kStart + 5ms, 77, 3});
  s.add(12ms, {},
        formats::CpuQuota{"/a b", formats::Duration{100000}, formats::Duration{30000}, 4, 3, formats::Duration{9}});
  s.add(12ms, {1, 1}, formats::GoCall{4096, formats::GoCallStep::writes, 7});
  s.add(12ms, {1, 1}, formats::GoChannel{4096, 4200, 17, formats::GoChannelStep::exchanged});
  s.add(12ms, {1, 1}, formats::Sample{"main;handle(int, char*);spin", "do_syscall_64;vfs_read"});
  s.add(12ms, {1, 1}, formats::Sample{"main", "", formats::SampleKind::allocation, 512, 77777});
  s.add(12ms, {1, 0}, formats::GoAllocations{64, 10, 700});
  s.add(12ms, {1, 1}, formats::FileCall{formats::FileAct::sync, synth::kStart + 1ms, -5, 7, "/var/log/a b"});
  s.add(12ms, {0, 0}, formats::Note{"deploy", "v2"});
  s.add(1234567ns, {}, formats::Damage{synth::kStart + 1ns, 9});
  for (const formats::Event& e : s.as_added()) {
    const std::string line = synth::print_text(e);
    const synth::TextCapture back = synth::parse_text(line);
    ASSERT_EQ(back.events.size(), 1u) << line;
    formats::Event expected = e;
    if (expected.thread.tid == 0) expected.thread.tid = expected.thread.pid;
    EXPECT_EQ(back.events[0], expected) << line << "\n" << synth::print_text(back.events[0]);
  }
}

TEST(SynthText, ALineOfThatKindIsWhatPeopleWrite) {
  const auto t = synth::parse_text(
      "# an exchange\n"
      "preamble tier=c payload_limit=99 note=\"a=b c\"\n"
      "\n"
      "+0 socket_info socket=5 family=inet type=stream origin=accepted state=established local=10.0.0.1:80 "
      "remote=10.0.0.2:999 "
      "next_out=7 next_in=1000\n"
      "+0.001250 receive socket=5 pid=10 tid=11 pos=1000 data=\"GET /x HTTP/1.1\\r\\n\\r\\n\"\n"
      "+0.002 send socket=5 pid=10 tid=11 pos=7 data=\"HTTP/1.1 204 N\\r\\n\\r\\n\"\n");
  EXPECT_EQ(t.preamble.payload_limit, 99u);
  EXPECT_EQ(t.preamble.notes.at(0).second, "b c");
  const auto r = synth::analyse(t.events);
  ASSERT_EQ(r.exchanges.size(), 1u);
  EXPECT_EQ(r.exchanges[0].target, "/x");
  EXPECT_EQ(r.exchanges[0].status, 204);
  EXPECT_EQ(r.exchanges[0].request.first_done, synth::kStart + 1250us);
}

TEST(SynthText, MistakesAreNamedWithTheirLine) {
  EXPECT_EQ(error_of("\n+0 sent socket=1"), "case.txt:2: no kind of event is called sent");
  EXPECT_EQ(error_of("+0 send sockte=1"), "case.txt:1: no field is called sockte");
  EXPECT_EQ(error_of("+0 arrival len=4294967296"), "case.txt:1: not a number that fits: 4294967296");
  EXPECT_EQ(error_of("soon arrival"), "case.txt:1: not a time: soon");
  EXPECT_EQ(error_of("+0 send data=\"x"), "case.txt:1: a string without its end");
  EXPECT_EQ(error_of("+0 reset direction=up"), "case.txt:1: direction has no value up");
  EXPECT_EQ(error_of("+0 send pos=1 pos=2"), "case.txt:1: pos is there twice");
}

}  // namespace
}  // namespace tailcap

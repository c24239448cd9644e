// Conversion of ring records to events: every kind, and bytes that are no record.
#include "capture/rings/convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "bpf/event.h"
#include "formats/event.h"
#include "formats/file_call.h"
#include "formats/go_event.h"
#include "formats/socket_event.h"
#include "formats/stall.h"
#include "formats/thread_event.h"
#include "formats/tls_event.h"

namespace tailcap::capture {
namespace {

using namespace formats;
using namespace bpf;

template <class Record>
std::vector<std::byte> bytes_of(const Record& record, std::string_view data = {}) {
  std::vector<std::byte> bytes(sizeof record + data.size());
  std::memcpy(bytes.data(), &record, sizeof record);
  std::copy(data.begin(), data.end(), reinterpret_cast<char*>(bytes.data()) + sizeof record);
  return bytes;
}

record_header header(record_kind kind) { return {1000, 17, 18, static_cast<__u16>(kind), 3, 12}; }

TEST(Convert, Io) {
  record_io r{};
  r.h = header(RECORD_RECEIVE);
  r.socket = 5;
  r.position = 77;
  r.syscall = 45;
  r.head = 4;
  r.tail = 2;
  const auto bytes = bytes_of(r, "headta");
  Converter converter;
  Event event;
  ASSERT_TRUE(converter.convert(bytes, event));
  Io io;
  io.socket = 5;
  io.direction = Direction::in;
  io.payload = Payload::captured;
  io.syscall = 45;
  io.missed = 3;
  io.length = 12;
  io.position = 77;
  io.head = "head";
  io.tail = "ta";
  EXPECT_EQ(event, (Event{time_from(1000), {17, 18}, io}));
  r.flags = IO_CONTINUED;
  io.continued = true;
  const auto part = bytes_of(r, "headta");
  ASSERT_TRUE(converter.convert(part, event));
  EXPECT_EQ(event, (Event{time_from(1000), {17, 18}, io})) << "a further part";
}

TEST(Convert, IoThatLies) {
  Converter converter;
  Event event;
  record_io r{};
  r.h = header(RECORD_SEND);
  r.head = 10;
  EXPECT_FALSE(converter.convert(bytes_of(r, "short"), event)) << "more head than bytes";
  r.head = 10;
  r.tail = 10;
  EXPECT_FALSE(converter.convert(bytes_of(r, std::string(20, 'x')), event)) << "more kept than moved";
  r.tail = 0;
  r.payload = 9;
  EXPECT_FALSE(converter.convert(bytes_of(r, std::string(20, 'x')), event)) << "no such payload state";
}

TEST(Convert, Plaintext) {
  record_io r{};
  r.h = header(RECORD_TLS_SEND);
  r.socket = kTlsSessionBit | 7;
  r.position = std::uint64_t{5} << 32;
  r.began = 900;
  r.head = 4;
  r.tail = 2;
  const auto bytes = bytes_of(r, "headta");
  Converter converter;
  Event event;
  ASSERT_TRUE(converter.convert(bytes, event));
  TlsIo io;
  io.session = kTlsSessionBit | 7;
  io.payload = Payload::captured;
  io.missed = 3;
  io.length = 12;
  io.position = std::uint64_t{5} << 32;
  io.began = time_from(900);
  io.head = "head";
  io.tail = "ta";
  EXPECT_EQ(event, (Event{time_from(1000), {17, 18}, io}));
  r.h.kind = RECORD_TLS_RECEIVE;
  r.flags = IO_CONTINUED;
  io.direction = Direction::in;
  io.continued = true;
  const auto part = bytes_of(r, "headta");
  ASSERT_TRUE(converter.convert(part, event));
  EXPECT_EQ(event, (Event{time_from(1000), {17, 18}, io}));
  r.head = 13;
  EXPECT_FALSE(converter.convert(bytes_of(r, std::string(20, 'x')), event)) << "more kept than moved";
}

TEST(Convert, TlsStep) {
  record_tls_step r{};
  r.h = header(RECORD_TLS_STEP);
  r.session = 8;
  r.code = 1048;
  r.library = TLS_GNUTLS;
  r.step = static_cast<std::uint8_t>(TlsStepKind::failed);
  Converter converter;
  Event event;
  ASSERT_TRUE(converter.convert(bytes_of(r), event));
  EXPECT_EQ(event,
            (Event{time_from(1000), {17, 18}, formats::TlsStep{8, TlsLibrary::gnutls, TlsStepKind::failed, 1048}}));
  r.library = 99;
  ASSERT_TRUE(converter.convert(bytes_of(r), event));
  EXPECT_EQ(std::get<formats::TlsStep>(event.body).library, TlsLibrary::unknown);
  r.step = 99;
  EXPECT_FALSE(converter.convert(bytes_of(r), event)) << "no such step";
}

TEST(Convert, Socket) {
  record_socket r{};
  r.h = header(RECORD_SOCKET);
  r.socket = 9;
  r.family = 1;
  r.type = 5;
  r.origin = 4;
  r.path_length = 5;
  std::memcpy(r.path, "\0a\0b/", 5);
  Converter converter;
  Event event;
  ASSERT_TRUE(converter.convert(bytes_of(r), event));
  const auto& socket = std::get<SocketInfo>(event.body);
  EXPECT_EQ(socket.path, std::string_view("@a\0b/", 5));
  EXPECT_EQ(socket.family, Family::unix_domain);
  EXPECT_EQ(socket.type, SocketType::seqpacket);
  EXPECT_EQ(socket.origin, Origin::existed);
  r.path_length = sizeof r.path + 1;
  EXPECT_FALSE(converter.convert(bytes_of(r), event));
}

TEST(Convert, NumbersThatMeanNothing) {
  record_socket r{};
  r.h = header(RECORD_SOCKET);
  r.family = 99;
  r.type = 99;
  r.origin = 99;
  r.state = 99;
  Converter converter;
  Event event;
  ASSERT_TRUE(converter.convert(bytes_of(r), event));
  const auto& socket = std::get<SocketInfo>(event.body);
  EXPECT_EQ(socket.family, Family::unknown);
  EXPECT_EQ(socket.type, SocketType::unknown);
  EXPECT_EQ(socket.origin, Origin::unknown);
  EXPECT_EQ(socket.state, TcpState::none);
}

TEST(Convert, OffCpu) {
  record_off_cpu r{};
  r.h = header(RECORD_OFF_CPU);
  r.left = 400;
  r.runnable = 600;
  r.waker = 3;
  r.state = 1;
  r.syscall = 232;
  r.argument0 = 11;
  r.socket = 99;
  r.file = 1;
  r.throttled = 1;
  Converter converter;
  Event event;
  ASSERT_TRUE(converter.convert(bytes_of(r), event));
  EXPECT_EQ(event, (Event{time_from(1000),
                          {17, 18},
                          OffCpu{time_from(400), time_from(600), 3, 1, 232, 3, 11, 0, true, 99, FileKind::socket}}));
  r.file = 200;
  ASSERT_TRUE(converter.convert(bytes_of(r), event));
  EXPECT_EQ(std::get<OffCpu>(event.body).file, FileKind::other);
}

TEST(Convert, Stall) {
  record_stall r{};
  r.h = header(RECORD_STALL);
  r.began = 300;
  r.where = 77;
  r.detail = 4;
  r.what = STALL_KERNEL_LOCK;
  Converter converter;
  Event event;
  ASSERT_TRUE(converter.convert(bytes_of(r), event));
  EXPECT_EQ(event, (Event{time_from(1000), {17, 18}, Stall{StallKind::kernel_lock, time_from(300), 77, 4}}));
  r.what = 15;
  EXPECT_FALSE(converter.convert(bytes_of(r), event));
  const auto bytes = bytes_of(r);
  EXPECT_FALSE(converter.convert(std::span(bytes).first(47), event));
}

TEST(Convert, Segments) {
  Converter converter;
  Event event;
  record_segment r{};
  r.socket = 4;
  r.position = 1;
  r.h = header(RECORD_ARRIVAL);
  ASSERT_TRUE(converter.convert(bytes_of(r), event));
  EXPECT_EQ(std::get<Arrival>(event.body), (Arrival{4, 1, 12, 3}));
  record_retransmit again{};
  again.h = header(RECORD_RETRANSMIT);
  again.socket = 4;
  again.position = 1;
  again.interface = 7;
  again.segment = 1448;
  again.path_mtu = 1500;
  ASSERT_TRUE(converter.convert(bytes_of(again), event));
  EXPECT_EQ(std::get<Retransmit>(event.body), (Retransmit{4, 1, 12, 7, 1448, 1500}));
  r.h = header(RECORD_RESET);
  ASSERT_TRUE(converter.convert(bytes_of(r), event));
  EXPECT_EQ(std::get<Reset>(event.body), (Reset{4, Direction::in}));
  r.position = 2;
  EXPECT_FALSE(converter.convert(bytes_of(r), event));
}

TEST(Convert, Tasks) {
  Converter converter;
  Event event;
  record_task task{};
  std::memcpy(task.comm, "sixteen-bytes-xx", 16);  // no zero at the end
  task.parent_pid = 2;
  task.parent_tid = 3;
  task.code = 256;
  task.h = header(RECORD_TASK_START);
  auto bytes = bytes_of(task);
  ASSERT_TRUE(converter.convert(bytes, event));
  EXPECT_EQ(std::get<TaskStart>(event.body), (TaskStart{{2, 3}, "sixteen-bytes-xx"}));
  task.h = header(RECORD_TASK_EXIT);
  ASSERT_TRUE(converter.convert(bytes_of(task), event));
  EXPECT_EQ(std::get<TaskExit>(event.body).code, 256);
  task.h = header(RECORD_TASK);
  task.started = 900;
  ASSERT_TRUE(converter.convert(bytes_of(task), event));
  EXPECT_EQ(std::get<TaskInfo>(event.body).started, formats::Time(std::chrono::nanoseconds(900)));
  task.h.tid = task.h.pid;  // of a process, /proc says it
  ASSERT_TRUE(converter.convert(bytes_of(task), event));
  EXPECT_EQ(std::get<TaskInfo>(event.body).started, formats::kNoTime);
  record_exec exec{};
  exec.h = header(RECORD_TASK_EXEC);
  std::strcpy(exec.comm, "sh");
  std::memset(exec.filename, 'f', sizeof exec.filename);
  bytes = bytes_of(exec);
  ASSERT_TRUE(converter.convert(bytes, event));
  EXPECT_EQ(std::get<TaskExec>(event.body).filename.size(), sizeof exec.filename);
}

TEST(Convert, EveryLengthOfEveryKind) {
  Converter converter;
  Event event;
  for (int kind = 0; kind < 64; kind++) {
    for (std::size_t size = 0; size < 400; size++) {
      std::vector<std::byte> bytes(size, std::byte{0xff});
      record_header h = header(static_cast<record_kind>(kind));
      if (size) std::memcpy(bytes.data(), &h, std::min(size, sizeof h));
      converter.convert(bytes, event);  // the sanitizers check it
      EXPECT_TRUE(size >= sizeof h || !converter.convert(bytes, event));
    }
  }
}

TEST(Convert, GoChannels) {
  Converter converter;
  record_go_channel r{};
  r.h = header(RECORD_GO_CHANNEL);
  r.goroutine = 17;
  r.channel = 4096;
  r.slot = 5000;
  r.partner = 18;
  Event event;
  for (const auto& [act, step] :
       {std::pair{GO_GIVES, GoChannelStep::gave}, std::pair{GO_FETCHES, GoChannelStep::fetched},
        std::pair{GO_PUT, GoChannelStep::put}, std::pair{GO_SELECT_PUTS, GoChannelStep::put},
        std::pair{GO_TOOK, GoChannelStep::took}, std::pair{GO_SELECT_TAKES, GoChannelStep::took},
        std::pair{GO_EXCHANGES, GoChannelStep::exchanged}}) {
    r.act = act;
    EXPECT_TRUE(converter.convert(bytes_of(r), event)) << act;
    EXPECT_EQ(event, (Event{time_from(1000), {17, 18}, GoChannel{4096, 5000, 18, step}, 17})) << act;
  }
  r.act = GO_MADE;
  EXPECT_FALSE(converter.convert(bytes_of(r), event));
}

TEST(Convert, Go) {
  go::Program program;
  program.wait_reasons = {"", "GC assist marking", "IO wait"};
  program.stop_reasons = {"unknown", "GC mark termination"};
  program.handlers = {{"main.(*cart).ServeHTTP", 0x1000, 0x1004},
                      {"", 0x2000, 0x2006, go::HandlerIs::value},
                      {"main._Cart_Get_Handler", 0x3000, 0x3004, go::HandlerIs::method}};
  go::Names names;
  names.add(3, program, {});
  Converter converter(&names);
  record_go r{};
  r.h = header(RECORD_GO_STATE);
  r.goroutine = 17;
  r.subject = 18;
  r.file = 3;
  Event event;
  const auto is = [&](go_act act, const Body& body) {
    r.act = act;
    EXPECT_TRUE(converter.convert(bytes_of(r), event)) << act;
    EXPECT_EQ(event, (Event{time_from(1000), {17, 18}, body, 17})) << act;
  };
  is(GO_MADE, GoCreate{18});
  r.reason = 2;
  is(GO_PARK, GoState{18, GoRunState::parked, "IO wait"});
  r.reason = 200;
  is(GO_PARK, GoState{18, GoRunState::parked, {}});
  is(GO_READY, GoState{18, GoRunState::ready, {}});
  is(GO_RUN, GoState{18, GoRunState::running, {}});
  is(GO_PREEMPTED, GoState{18, GoRunState::ready, "preempted"});
  is(GO_YIELDED, GoState{18, GoRunState::ready, "yielded"});
  is(GO_ASSIST, GoRuntime{GoPhase::assist, {}});
  is(GO_QUEUES, GoCall{18, GoCallStep::queues, 0});
  r.place = 7;
  is(GO_WRITES, GoCall{18, GoCallStep::writes, 7});
  r.number = static_cast<std::uint16_t>(GoPhase::stop_begin);
  r.reason = 1;
  is(GO_PHASE, GoRuntime{GoPhase::stop_begin, "GC mark termination"});
  r.reason = 0;
  is(GO_PHASE, GoRuntime{GoPhase::stop_begin, {}});
  r.number = static_cast<std::uint16_t>(GoPhase::assist);
  is(GO_PHASE, GoRuntime{GoPhase::assist, "done"});
  // The loader moved the file by 0x50000.
  r.number = 0;
  r.place = r.subject = 0x51004;
  is(GO_HANDLER, GoHandler{0x51000, "main.(*cart).ServeHTTP"});
  r.number = 1;
  r.place = 0x52006;
  r.subject = 0x59000;
  is(GO_HANDLER_FUNCTION, GoHandler{0x59000, {}});  // the names were not kept
  r.number = 2;
  r.place = 0x53004;
  is(GO_HANDLER_METHOD, GoHandler{0x53000, "main._Cart_Get_Handler", true});  // the types were not kept
  r.number = 3;
  is(GO_HANDLER, GoHandler{0, {}});  // no such address
  r.act = GO_PHASE;
  r.number = 6;
  EXPECT_FALSE(converter.convert(bytes_of(r), event)) << "no such phase";
  r.act = 99;
  EXPECT_FALSE(converter.convert(bytes_of(r), event)) << "no such act";
}

TEST(Convert, GoEndsAndPanics) {
  go::Program program;
  program.anchors = {0x1000, 0x2000};
  go::Names names;
  names.add(3, program, {});
  Converter converter(&names);
  Event event;
  record_go r{};
  r.h = header(RECORD_GO_EXIT);
  r.subject = 18;
  r.act = GO_ENDED;
  ASSERT_TRUE(converter.convert(bytes_of(r), event));
  EXPECT_EQ(event, (Event{time_from(1000), {17, 18}, GoExit{18}, 0}));
  record_go_made made{};
  made.go.h = header(RECORD_GO_CREATE);
  made.go.act = GO_MADE;
  made.go.goroutine = 17;
  made.go.subject = 18;
  made.go.file = 3;
  made.function = made.from = 0x51234;
  ASSERT_TRUE(converter.convert(bytes_of(made), event));
  EXPECT_EQ(event, (Event{time_from(1000), {17, 18}, GoCreate{18}, 17})) << "nobody kept the names";
  record_go_panic panic{};
  panic.go.h = header(RECORD_GO_PANIC);
  panic.go.act = GO_FATAL;
  panic.go.goroutine = 17;
  panic.go.file = 3;
  panic.frames = 3;
  panic.addresses[0] = 0x5000;
  panic.addresses[1] = 0x1004;  // the probe's own address
  panic.addresses[2] = 0x6000;
  ASSERT_TRUE(converter.convert(bytes_of(panic), event));
  EXPECT_EQ(event, (Event{time_from(1000), {17, 18}, GoPanic{GoPanicStep::fatal, "[unknown];[unknown]"}, 17}));
  panic.go.act = GO_THROWN;
  panic.addresses[0] = 0;  // the caller is unknown
  panic.frames = 1;
  ASSERT_TRUE(converter.convert(bytes_of(panic), event));
  EXPECT_EQ(event, (Event{time_from(1000), {17, 18}, GoPanic{GoPanicStep::thrown, {}}, 17}));
  panic.frames = GO_FRAMES_MAX + 1;
  EXPECT_FALSE(converter.convert(bytes_of(panic), event)) << "more frames than there is room for";
  panic.frames = 1;
  const auto whole = bytes_of(panic);
  EXPECT_FALSE(converter.convert(std::span(whole).first(sizeof panic - 8), event)) << "cut";
}

TEST(Convert, FileCall) {
  Converter converter;
  Event event;
  record_file r{};
  r.h = header(RECORD_FILE_CALL);
  r.began = 700;
  r.until = 900;
  r.goroutine = 4;
  r.result = -2;
  r.descriptor = -1;
  const auto put = [&](std::string_view path, int how) {
    std::fill(std::begin(r.path), std::end(r.path), '?');
    std::copy(path.begin(), path.end(), r.path);
    r.size = static_cast<__u16>(path.size());
    r.how = static_cast<__u8>(how);
  };
  const auto path = [&] {
    EXPECT_TRUE(converter.convert(bytes_of(r), event));
    return std::string(std::get<FileCall>(event.body).path);
  };
  put("conf/app", PATH_TEXT);
  ASSERT_TRUE(converter.convert(bytes_of(r), event));
  EXPECT_EQ(event, (Event{time_from(900), {17, 18}, FileCall{FileAct::open, time_from(700), -2, -1, "conf/app"}, 4}));
  put("", PATH_TEXT);
  EXPECT_EQ(path(), "") << "not known";
  const std::string much(254, 'x');
  put(much + "\xc3", PATH_TEXT | PATH_CUT);
  EXPECT_EQ(path(), much + "…") << "half a character goes";
  put(much.substr(1) + "\xc3\xa4", PATH_TEXT | PATH_CUT);
  EXPECT_EQ(path(), much.substr(1) + "…") << "the last, which may be whole, with it";
  r.act = FILE_ACT_SYNC;
  r.result = FILE_RESULT_UNKNOWN;
  using namespace std::string_view_literals;
  put("log\0app\0var\0"sv, PATH_NAMES);
  EXPECT_EQ(path(), "/var/app/log");
  EXPECT_EQ(std::get<FileCall>(event.body).result, INT64_MIN);
  put("log\0app\0"sv, PATH_NAMES | PATH_CUT);
  EXPECT_EQ(path(), "…/app/log");
  put("log\0app"sv, PATH_NAMES);
  EXPECT_EQ(path(), "/app/log") << "the last zero is missing";
  put(std::string_view("\0\0\0", 3), PATH_NAMES);
  EXPECT_EQ(path(), "///") << "names without letters: no kernel says so";
  const auto whole = bytes_of(r);
  EXPECT_FALSE(converter.convert(std::span(whole).first(sizeof r - 1), event)) << "cut";
  r.size = FILE_PATH_SIZE + 1;
  EXPECT_FALSE(converter.convert(bytes_of(r), event)) << "more path than there is room for";
  r.size = 0;
  r.how = 4;
  EXPECT_FALSE(converter.convert(bytes_of(r), event));
  r.how = 0;
  r.act = 4;
  EXPECT_FALSE(converter.convert(bytes_of(r), event));
}

TEST(Convert, GoroutinesAreOfTheirRecordOnly) {
  Converter converter;
  Event event;
  record_off_cpu off{};
  off.h = header(RECORD_OFF_CPU);
  off.goroutine = 5;
  ASSERT_TRUE(converter.convert(bytes_of(off), event));
  EXPECT_EQ(event.goroutine, 5u);
  record_segment arrival{};
  arrival.h = header(RECORD_ARRIVAL);
  ASSERT_TRUE(converter.convert(bytes_of(arrival), event));
  EXPECT_EQ(event.goroutine, 0u);
}

}  // namespace
}  // namespace tailcap::capture

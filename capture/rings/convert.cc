#include "capture/rings/convert.h"

#include <algorithm>
#include <cstring>

#include "bpf/event.h"
#include "capture/rings/file_call.h"
#include "formats/event.h"
#include "formats/go_event.h"
#include "formats/socket_event.h"
#include "formats/stall.h"
#include "formats/thread_event.h"
#include "formats/tls_event.h"

namespace tailcap::capture {

using namespace formats;
using namespace bpf;

namespace {

template <class Record>
bool read(std::span<const std::byte> bytes, Record& record) {
  if (bytes.size() < sizeof record) return false;
  std::memcpy(&record, bytes.data(), sizeof record);
  return true;
}

// A fixed field that holds a string: up to the first zero.
std::string_view text(std::span<const std::byte> bytes, std::size_t offset, std::size_t size) {
  const char* begin = reinterpret_cast<const char*>(bytes.data()) + offset;
  return {begin, strnlen(begin, size)};
}

bool convert_io(std::span<const std::byte> bytes, Event& event) {
  record_io r;
  if (!read(bytes, r)) return false;
  if (bytes.size() < sizeof r + r.head + r.tail || r.payload > PAYLOAD_ADDED) return false;
  if (std::uint64_t{r.head} + r.tail > r.h.length) return false;
  const char* data = reinterpret_cast<const char*>(bytes.data()) + sizeof r;
  event.goroutine = r.goroutine;
  auto& io = event.body.emplace<Io>();
  io.socket = r.socket;
  io.direction = r.h.kind == RECORD_SEND ? Direction::out : Direction::in;
  io.payload = static_cast<Payload>(r.payload);
  io.truncated = (r.flags & IO_TRUNCATED) != 0;
  io.continued = (r.flags & IO_CONTINUED) != 0;
  io.syscall = r.syscall;
  io.missed = r.h.missed;
  io.error = r.error;
  io.length = r.h.length;
  io.position = r.position;
  io.head = {data, r.head};
  io.tail = {data + r.head, r.tail};
  return true;
}

bool convert_plaintext(std::span<const std::byte> bytes, Event& event) {
  record_io r;
  if (!read(bytes, r)) return false;
  if (bytes.size() < sizeof r + r.head + r.tail || r.payload > PAYLOAD_ADDED) return false;
  if (std::uint64_t{r.head} + r.tail > r.h.length) return false;
  const char* data = reinterpret_cast<const char*>(bytes.data()) + sizeof r;
  event.goroutine = r.goroutine;
  auto& io = event.body.emplace<TlsIo>();
  io.session = r.socket;
  io.direction = r.h.kind == RECORD_TLS_SEND ? Direction::out : Direction::in;
  io.payload = static_cast<Payload>(r.payload);
  io.continued = (r.flags & IO_CONTINUED) != 0;
  io.missed = r.h.missed;
  io.length = r.h.length;
  io.position = r.position;
  io.began = time_from(static_cast<std::int64_t>(r.began));
  io.head = {data, r.head};
  io.tail = {data + r.head, r.tail};
  return true;
}

bool convert_tls_step(std::span<const std::byte> bytes, Event& event) {
  record_tls_step r;
  if (!read(bytes, r)) return false;
  if (r.step > static_cast<std::uint8_t>(TlsStepKind::freed)) return false;
  const auto library =
      r.library <= static_cast<std::uint8_t>(TlsLibrary::go) ? static_cast<TlsLibrary>(r.library) : TlsLibrary::unknown;
  event.goroutine = r.goroutine;
  event.body = TlsStep{r.session, library, static_cast<TlsStepKind>(r.step), r.code};
  return true;
}

bool convert_segment(std::span<const std::byte> bytes, Event& event) {
  record_segment r;
  if (!read(bytes, r)) return false;
  switch (r.h.kind) {
    case RECORD_ARRIVAL:
      event.body = Arrival{r.socket, r.position, r.h.length, r.h.missed};
      return true;
    case RECORD_RESET:
      if (r.position > 1) return false;
      event.body = Reset{r.socket, static_cast<Direction>(r.position)};
      return true;
    default:
      event.body = Accept{r.socket, static_cast<std::int32_t>(r.position)};
      return true;
  }
}

bool convert_retransmit(std::span<const std::byte> bytes, Event& event) {
  record_retransmit r;
  if (!read(bytes, r)) return false;
  event.body = Retransmit{r.socket, r.position, r.h.length, r.interface, r.segment, r.path_mtu};
  return true;
}

Duration microseconds(std::uint32_t count) { return std::chrono::microseconds(count); }

TcpState tcp_state(std::uint8_t number) {
  static_assert(static_cast<std::uint8_t>(TcpState::left_out) == STATE_LEFT_OUT);
  const bool known = number <= static_cast<std::uint8_t>(TcpState::new_syn_recv) || number == STATE_LEFT_OUT;
  return known ? static_cast<TcpState>(number) : TcpState::none;
}

bool convert_state(std::span<const std::byte> bytes, Event& event) {
  record_state r;
  if (!read(bytes, r)) return false;
  event.goroutine = r.goroutine;
  event.body = StateChange{r.socket, tcp_state(r.from), tcp_state(r.to),    (r.flags & STATE_BY_THREAD) != 0,
                           r.error,  r.queue,           microseconds(r.rtt)};
  return true;
}

bool convert_off_cpu(std::span<const std::byte> bytes, Event& event) {
  record_off_cpu r;
  if (!read(bytes, r)) return false;
  event.goroutine = r.goroutine;
  auto& off = event.body.emplace<OffCpu>();
  off.left = time_from(static_cast<std::int64_t>(r.left));
  off.runnable = time_from(static_cast<std::int64_t>(r.runnable));
  off.waker = r.waker;
  off.state = r.state;
  off.syscall = r.syscall;
  off.missed = r.h.missed;
  off.argument0 = r.argument0;
  off.argument1 = r.argument1;
  off.throttled = r.throttled != 0;
  off.timed = r.timed != 0;
  off.ongoing = r.ongoing != 0;
  off.woken_in = r.woken_in <= WOKEN_IN_INTERRUPT ? static_cast<WokenIn>(r.woken_in) : WokenIn::unknown;
  off.stolen = Duration(static_cast<std::int64_t>(std::min<std::uint64_t>(r.stolen, UINT32_MAX)));
  off.socket = r.socket;
  off.file = r.file <= static_cast<std::uint8_t>(FileKind::log) ? static_cast<FileKind>(r.file) : FileKind::other;
  return true;
}

bool convert_stall(std::span<const std::byte> bytes, Event& event) {
  record_stall r;
  if (!read(bytes, r) || r.what > static_cast<std::uint32_t>(StallKind::undelivered)) return false;
  event.body = Stall{static_cast<StallKind>(r.what), time_from(static_cast<std::int64_t>(r.began)), r.where, r.detail};
  return true;
}

bool convert_task(std::span<const std::byte> bytes, Event& event) {
  record_task r;
  if (!read(bytes, r)) return false;
  const auto comm = text(bytes, offsetof(record_task, comm), sizeof r.comm);
  switch (r.h.kind) {
    case RECORD_TASK_START:
      event.body = TaskStart{{r.parent_pid, r.parent_tid}, comm};
      return true;
    case RECORD_TASK_EXIT:
      event.body = TaskExit{r.code};
      return true;
    default:
      // That of a process is read from /proc with the rest of it.
      event.body =
          TaskInfo{.parent_pid = r.parent_pid,
                   .comm = comm,
                   .started = r.h.pid != r.h.tid && r.started != 0 ? time_from(static_cast<std::int64_t>(r.started))
                                                                   : formats::kNoTime};
      return true;
  }
}

bool convert_exec(std::span<const std::byte> bytes, Event& event) {
  record_exec r;
  if (!read(bytes, r)) return false;
  event.body = TaskExec{text(bytes, offsetof(record_exec, comm), sizeof r.comm),
                        text(bytes, offsetof(record_exec, filename), sizeof r.filename)};
  return true;
}

bool convert_socket(std::span<const std::byte> bytes, std::array<char, 128>& path, Event& event) {
  record_socket r;
  if (!read(bytes, r)) return false;
  if (r.path_length > sizeof r.path || r.path_length > path.size()) return false;
  auto& socket = event.body.emplace<SocketInfo>();
  socket.socket = r.socket;
  socket.family = r.family == 1 || r.family == 2 || r.family == 10 ? static_cast<Family>(r.family) : Family::unknown;
  socket.type = r.type == 1 || r.type == 2 || r.type == 5 ? static_cast<SocketType>(r.type) : SocketType::unknown;
  socket.origin = r.origin <= 4 ? static_cast<Origin>(r.origin) : Origin::unknown;
  socket.state = tcp_state(r.state);
  std::memcpy(socket.local.bytes.data(), r.local, sizeof r.local);
  std::memcpy(socket.remote.bytes.data(), r.remote, sizeof r.remote);
  socket.local.port = r.local_port;
  socket.remote.port = r.remote_port;
  socket.next_out = r.next_out;
  socket.next_in = r.next_in;
  socket.inode = r.inode;
  socket.peer_inode = r.peer_inode;
  socket.net_namespace = r.net_namespace;
  socket.listener = r.listener;
  socket.queue = r.queue;
  socket.queue_limit = r.queue_limit;
  socket.drops = r.drops;
  socket.rtt = microseconds(r.rtt);
  socket.interface = r.interface;
  socket.peer_pid = r.peer_pid;
  std::size_t length = r.path_length;
  std::memcpy(path.data(), r.path, length);
  if (length && path[0] == '\0')
    path[0] = '@';  // an abstract name: every byte counts
  else
    length = strnlen(path.data(), length);
  socket.path = {path.data(), length};
  return true;
}

bool convert_go(std::span<const std::byte> bytes, const go::Names* names, Event& event) {
  record_go r;
  if (!read(bytes, r)) return false;
  event.goroutine = r.goroutine;
  switch (r.act) {
    case GO_MADE: {
      record_go_made made;
      auto& create = event.body.emplace<GoCreate>(GoCreate{r.subject});
      if (!names || !read(bytes, made)) return true;
      create.function = names->function(r.file, r.number, r.place, made.function, true);
      // An address that is no function's beginning is no startpc, and then the other is no gopc.
      if (!create.function.empty() && made.from != 0)
        create.from = names->function(r.file, r.number, r.place, made.from - 1, false);
      return true;
    }
    case GO_ENDED:
      event.body = GoExit{r.subject};
      return true;
    case GO_PHASE:
      if (r.number > static_cast<std::uint16_t>(GoPhase::assist)) return false;
      if (r.number == static_cast<std::uint16_t>(GoPhase::assist)) {
        event.body = GoRuntime{GoPhase::assist, "done"};
        return true;
      }
      event.body = GoRuntime{static_cast<GoPhase>(r.number),
                             names && r.reason ? names->stop_reason(r.file, r.reason) : ""};  // 0 is "unknown"
      return true;
    case GO_ASSIST:
      event.body = GoRuntime{GoPhase::assist, {}};
      return true;
    case GO_PARK:
      event.body = GoState{r.subject, GoRunState::parked, names ? names->wait_reason(r.file, r.reason) : ""};
      return true;
    case GO_READY:
      event.body = GoState{r.subject, GoRunState::ready, {}};
      return true;
    case GO_RUN:
      event.body = GoState{r.subject, GoRunState::running, {}};
      return true;
    case GO_PREEMPTED:
      event.body = GoState{r.subject, GoRunState::ready, "preempted"};
      return true;
    case GO_YIELDED:
      event.body = GoState{r.subject, GoRunState::ready, "yielded"};
      return true;
    case GO_ASKED:
      event.body = GoCall{r.subject, GoCallStep::asked, 0};
      return true;
    case GO_SENDS:
      event.body = GoCall{r.subject, GoCallStep::sends, 0};
      return true;
    case GO_QUEUES:
      event.body = GoCall{r.subject, GoCallStep::queues, 0};
      return true;
    case GO_WRITES:
      event.body = GoCall{r.subject, GoCallStep::writes, static_cast<std::uint32_t>(r.place)};
      return true;
    case GO_HANDLER:
    case GO_HANDLER_FUNCTION:
    case GO_HANDLER_METHOD: {
      const std::uint64_t what = r.act == GO_HANDLER ? 0 : r.subject;
      const auto handler = names ? names->handler(r.file, r.number, what, r.place) : go::Names::Handler{r.subject, {}};
      event.body = GoHandler{handler.address, handler.name, r.act == GO_HANDLER_METHOD};
      return true;
    }
    default:
      return false;
  }
}

bool convert_channel(std::span<const std::byte> bytes, Event& event) {
  record_go_channel r;
  if (!read(bytes, r)) return false;
  event.goroutine = r.goroutine;
  GoChannelStep step;
  switch (r.act) {
    case GO_GIVES:
      step = GoChannelStep::gave;
      break;
    case GO_FETCHES:
      step = GoChannelStep::fetched;
      break;
    case GO_PUT:
    case GO_SELECT_PUTS:
      step = GoChannelStep::put;
      break;
    case GO_TOOK:
    case GO_SELECT_TAKES:
      step = GoChannelStep::took;
      break;
    case GO_EXCHANGES:
      step = GoChannelStep::exchanged;
      break;
    default:
      return false;
  }
  event.body = GoChannel{r.channel, r.slot, r.partner, step};
  return true;
}

// The outermost function first, as in samples.
bool convert_panic(std::span<const std::byte> bytes, const go::Names* names, std::string& stack, Event& event) {
  record_go_panic r;
  if (!read(bytes, r) || r.frames > GO_FRAMES_MAX) return false;
  event.goroutine = r.go.goroutine;
  const GoPanicStep step = r.go.act == GO_PANICS  ? GoPanicStep::began
                           : r.go.act == GO_FATAL ? GoPanicStep::fatal
                                                  : GoPanicStep::thrown;
  stack.clear();
  for (std::size_t i = r.frames; names && i-- > 0;) {
    // The second is the probe itself.
    if (i == 1 || r.addresses[i] == 0) continue;
    const auto name = names->function(r.go.file, r.go.number, r.go.place, r.addresses[i] - 1, false);
    stack += (stack.empty() ? "" : ";") + std::string(name.empty() ? "[unknown]" : name);
  }
  event.body = GoPanic{step, stack};
  return true;
}

}  // namespace

bool Converter::convert(std::span<const std::byte> bytes, Event& event) {
  record_header header;
  if (!read(bytes, header)) return false;
  event.time = time_from(static_cast<std::int64_t>(header.time));
  event.thread = {header.pid, header.tid};
  event.goroutine = 0;
  switch (header.kind) {
    case RECORD_SEND:
    case RECORD_RECEIVE:
      return convert_io(bytes, event);
    case RECORD_RETRANSMIT:
      return convert_retransmit(bytes, event);
    case RECORD_ARRIVAL:
    case RECORD_RESET:
    case RECORD_ACCEPT:
      return convert_segment(bytes, event);
    case RECORD_STATE_CHANGE:
      return convert_state(bytes, event);
    case RECORD_SOCKET:
      return convert_socket(bytes, path_, event);
    case RECORD_OFF_CPU:
      return convert_off_cpu(bytes, event);
    case RECORD_TASK_START:
    case RECORD_TASK_EXIT:
    case RECORD_TASK:
      return convert_task(bytes, event);
    case RECORD_TASK_EXEC:
      return convert_exec(bytes, event);
    case RECORD_TLS_SEND:
    case RECORD_TLS_RECEIVE:
      return convert_plaintext(bytes, event);
    case RECORD_STALL:
      return convert_stall(bytes, event);
    case RECORD_TLS_STEP:
      return convert_tls_step(bytes, event);
    case RECORD_GO_CREATE:
    case RECORD_GO_RUNTIME:
    case RECORD_GO_STATE:
    case RECORD_GO_HANDLER:
    case RECORD_GO_CALL:
    case RECORD_GO_EXIT:
      return convert_go(bytes, names_, event);
    case RECORD_GO_CHANNEL:
      return convert_channel(bytes, event);
    case RECORD_GO_PANIC:
      return convert_panic(bytes, names_, stack_, event);
    case RECORD_FILE_CALL:
      return convert_file_call(bytes, path_text_, event);
    case RECORD_OOM_KILL:
      event.body = OomKill{};
      return true;
    default:
      return false;
  }
}

std::uint16_t kind_of_record(std::span<const std::byte> bytes) {
  record_header header;
  return read(bytes, header) ? header.kind : 0xffff;
}

int reason_of_task(std::span<const std::byte> bytes) {
  record_task record;
  return read(bytes, record) && record.h.kind == RECORD_TASK ? record.code : TASK_FOUND;
}

Time time_of_record(std::span<const std::byte> bytes) {
  record_header header;
  return read(bytes, header) ? time_from(static_cast<std::int64_t>(header.time)) : kNoTime;
}

std::size_t listed_size(std::span<const std::byte> bytes) {
  record_header header;
  if (!read(bytes, header)) return 0;
  const std::size_t size = header.kind == RECORD_TASK      ? sizeof(record_task)
                           : header.kind == RECORD_SOCKET  ? sizeof(record_socket)
                           : header.kind == RECORD_OFF_CPU ? sizeof(record_off_cpu)
                                                           : 0;
  return size <= bytes.size() ? size : 0;
}

}  // namespace tailcap::capture

// Labels of a request's time: at every nanosecond, the first necessary condition that did not hold.
//
// The order of conditions is the order of ranks: the awaited event has happened; it was noticed; the process is not
// stopped; the runtime is not stopped; the goroutine has a thread; the thread has a CPU; it runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tailcap::model {

enum class Label : std::uint8_t {
  // the awaited event had not happened
  q_accept,     // arrived, its connection not accepted
  q_pool,       // queued for a worker pool, not taken by a worker
  q_hol_h1,     // pipelined behind an unfinished predecessor
  q_hol_h2,     // behind other streams of its connection
  net_upload,   // waiting for the rest of the request from the peer
  net_reorder,  // later bytes had arrived, earlier ones were missing
  net_idle,     // a session between two requests: its client sent none
  net_nagle,    // its sender's kernel held the rest back until what came before was acknowledged
  down_dns,     // waiting for another service, by stage
  down_connect,
  down_tls,
  down_send,
  down_wait,  // until the first byte of its answer arrived
  down_body,
  down_retx,     // refinements of the same wait: a retransmission outstanding,
  down_zwnd,     // the peer's TCP window closed,
  down_h2fc,     // the peer's HTTP/2 window closed
  send_blocked,  // writing the answer, reason unknown
  send_sndbuf,   // the peer does not read: buffer full
  send_cwnd,     // congestion
  send_h2fc,     // the HTTP/2 window was closed
  lock_futex,    // a lock of the program
  lock_go_mutex,
  lock_go_chan,
  lock_go_select,
  lock_go_wait,  // WaitGroup, Cond
  lock_file,     // a lock on a file
  lock_session,  // of a database: another session held what it waited for
  lock_kernel,
  timer_sleep,
  io_disk,
  io_throttled,
  io_blocked,  // in a file call, uninterruptible, reason unknown
  io_fuse,
  io_fs,
  io_writeback,
  io_pipe,
  io_tty,
  io_log,  // the program that takes log lines had not taken them
  mem_majfault,
  mem_reclaim,
  net_unknown_socket,  // blocked on an unknown socket
  go_park,             // a goroutine not running, reason unknown: carrier known, cause not
  blocked_unknown,
  blocked_kernel,
  // it had happened, and was not noticed
  q_notice,  // no thread woken yet
  q_loop,    // the event loop worked on another request
  // stopped
  sched_stopped,
  runtime_stw,  // by a runtime other than Go's
  go_stw,
  go_gc_wait,
  // no thread, no CPU
  go_runnable,
  sched_throttled,
  sched_preempted,
  sched_runq,
  cpu_stolen,  // on a CPU that the hypervisor had taken away
  // running
  cpu,  // user and kernel not distinguished
  cpu_user,
  cpu_kernel,
  cpu_irq,
  cpu_gc_assist,
  // not known
  unexplained_lost,       // events of the carrier were lost
  unexplained_nocarrier,  // no rule names the carrier
  unexplained_opaque,     // what was seen contradicts itself
  count_,
};
inline constexpr std::size_t kLabels = static_cast<std::size_t>(Label::count_);

std::string_view name_of(Label label);  // "sched.throttled"
std::string_view text_of(Label label);  // for display: "CPU quota throttling"
std::optional<Label> label_of(std::string_view name);

// Rank of the condition that did not hold: 1 the event … 7 running. 0: unexplained.
int rank_of(Label label);
// The extent is known, the cause is not: go.park, blocked.*, net.unknown_socket.
bool causeless(Label label);
bool unexplained(Label label);

// How a label is known.
enum class Evidence : std::uint8_t { measured = 0, inferred = 1, sampled = 2 };
std::string_view name_of(Evidence evidence);

}  // namespace tailcap::model

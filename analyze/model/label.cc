#include "analyze/model/label.h"

#include <array>

namespace tailcap::model {
namespace {

struct Entry {
  std::string_view name, text;
  int rank;
};

constexpr std::array<Entry, kLabels> kEntries = {{
    {"q.accept", "connection waiting for accept", 1},
    {"q.pool", "waiting for a worker or a free connection", 1},
    {"q.hol_h1", "waiting behind the request before on its connection", 1},
    {"q.hol_h2", "waiting behind other streams of its connection", 1},
    {"net.upload", "waiting for its client to send the rest of the request", 1},
    {"net.reorder", "waiting for a missing segment", 1},
    {"net.idle", "waiting for its client to go on", 1},
    {"net.nagle", "held back by Nagle's algorithm until a delayed acknowledgement", 1},
    {"down.dns", "looking a name up", 1},
    {"down.connect", "connecting to another service", 1},
    {"down.tls", "TLS handshake with another service", 1},
    {"down.send", "sending to another service", 1},
    {"down.wait", "waiting for another service", 1},
    {"down.body", "receiving from another service", 1},
    {"down.retx", "retransmission to or from another service", 1},
    {"down.zwnd", "waiting for another service's TCP window", 1},
    {"down.h2fc", "waiting for another service's HTTP/2 window", 1},
    {"send.blocked", "blocked writing the response", 1},
    {"send.sndbuf", "waiting for the client to read the response", 1},
    {"send.cwnd", "congestion on the way to the client", 1},
    {"send.h2fc", "waiting for the client's HTTP/2 window", 1},
    {"lock.futex", "waiting for a lock", 1},
    {"lock.go.mutex", "waiting for a mutex", 1},
    {"lock.go.chan", "waiting for a channel", 1},
    {"lock.go.select", "waiting in a select", 1},
    {"lock.go.wait", "waiting for other goroutines", 1},
    {"lock.file", "waiting for a lock on a file", 1},
    {"lock.session", "waiting for a lock of another session", 1},
    {"lock.kernel", "waiting for a lock of the kernel", 1},
    {"timer.sleep", "sleeping", 1},
    {"io.disk", "waiting for the disk", 1},
    {"io.throttled", "disk I/O throttled", 1},
    {"io.blocked", "blocked in a file call", 1},
    {"io.fuse", "waiting for a FUSE file system", 1},
    {"io.fs", "waiting for the file system", 1},
    {"io.writeback", "held back until pages are written", 1},
    {"io.pipe", "waiting for a pipe", 1},
    {"io.tty", "waiting for a terminal", 1},
    {"io.log", "writing to a full log socket", 1},
    {"mem.majfault", "page fault that reads from disk", 1},
    {"mem.reclaim", "reclaiming memory", 1},
    {"net.unknown_socket", "waiting for the other end of a socket", 1},
    {"go.park", "goroutine blocked, reason unknown", 1},
    {"blocked.unknown", "blocked, reason unknown", 1},
    {"blocked.kernel", "blocked in the kernel, reason unknown", 1},
    {"q.notice", "waiting for its thread to wake up", 2},
    {"q.loop", "waiting for the event loop, busy with another request", 2},
    {"sched.stopped", "stopped", 3},
    {"runtime.stw", "stopped by its runtime (stop-the-world)", 4},
    {"go.stw", "stopped by Go's runtime (stop-the-world)", 4},
    {"go.gc_wait", "waiting for Go's garbage collector", 4},
    {"go.runnable", "goroutine waiting for a thread", 5},
    {"sched.throttled", "CPU quota throttling", 6},
    {"sched.preempted", "preempted", 6},
    {"sched.runq", "waiting for a CPU", 6},
    {"cpu.stolen", "on a CPU that the hypervisor had taken away", 6},
    {"cpu", "on CPU", 7},
    {"cpu.user", "on CPU in the program", 7},
    {"cpu.kernel", "on CPU in the kernel", 7},
    {"cpu.irq", "interrupts while on CPU", 7},
    {"cpu.gc_assist", "on CPU for the garbage collector", 7},
    {"unexplained.lost", "unexplained (no event)", 0},
    {"unexplained.nocarrier", "unexplained (no thread seen)", 0},
    {"unexplained.opaque", "unexplained (contradictory records)", 0},
}};

const Entry& entry(Label label) { return kEntries[static_cast<std::size_t>(label)]; }

}  // namespace

std::string_view name_of(Label label) { return entry(label).name; }
std::string_view text_of(Label label) { return entry(label).text; }
int rank_of(Label label) { return entry(label).rank; }

std::optional<Label> label_of(std::string_view name) {
  for (std::size_t i = 0; i < kLabels; ++i)
    if (kEntries[i].name == name) return static_cast<Label>(i);
  return std::nullopt;
}

bool causeless(Label label) {
  return label == Label::go_park || label == Label::blocked_unknown || label == Label::blocked_kernel ||
         label == Label::net_unknown_socket;
}

bool unexplained(Label label) { return rank_of(label) == 0; }

std::string_view name_of(Evidence evidence) {
  constexpr std::string_view names[] = {"measured", "inferred", "sampled"};
  return names[static_cast<std::size_t>(evidence)];
}

}  // namespace tailcap::model

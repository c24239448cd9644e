// The history of threads, goroutines, connections and processes, kept while a request under way may need it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "analyze/model/machine/cpu_account.h"
#include "analyze/model/off_cpu_wait.h"
#include "analyze/model/partition.h"
#include "analyze/model/sampling/pauses.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/findings.h"
#include "analyze/partition/history/accept_queues.h"
#include "analyze/partition/history/cpu_quotas.h"
#include "analyze/partition/history/cpu_use.h"
#include "analyze/partition/history/lock_notes.h"
#include "analyze/partition/history/log.h"
#include "analyze/partition/history/peers.h"
#include "analyze/partition/history/windows.h"
#include "formats/event_names.h"
#include "formats/file_call.h"
#include "formats/go_event.h"
#include "formats/socket_event.h"
#include "formats/stall.h"
#include "formats/thread_event.h"

namespace tailcap::partition {

using model::Blocked;
using model::OffCpuWait;

// Bytes were moved on a connection that carries requests.
struct Act {
  Nanos time = 0;
  std::uint64_t goroutine = 0;
  model::ConnectionId connection = 0;
  std::uint32_t tid = 0;
  bool out = false;
  bool last = false;          // the owner ends with it
  bool shared = false;        // moved bytes of several streams at once
  bool served = false;        // the owner is a request that was served, not a call
  model::ExchangeId owner{};  // the request; for a call, the request that made it; connection 0: not known
};

// [time, to)
struct TimeSpan {
  Nanos time = 0, to = 0;
};

struct Stalled {
  Nanos time = 0, to = 0;
  std::uint64_t where = 0;
  formats::StallKind what = formats::StallKind::unknown;
  std::uint32_t detail = 0;
};

// Bytes were moved on a socket that carries no requests.
struct BytesMoved {
  Nanos time = 0;
  formats::SocketId socket = 0;
  std::uint64_t goroutine = 0;
  bool out = false;
};

// A socket that carries no requests connected, or tried to: until it was established or closed.
struct Attempt {
  static constexpr std::size_t kGoroutines = 4;
  Nanos time = 0, to = 0;
  formats::SocketId socket = 0;
  std::uint32_t tid = 0;                                // who connected; 0: not known
  std::uint32_t peer = 0;                               // which of Observed::peers(), from 1; 0: not known
  std::array<std::uint64_t, kGoroutines> goroutines{};  // Go: who connected, its creator, and so on; 0: none

  bool made_by(std::uint64_t goroutine) const {
    return goroutine != 0 && std::find(goroutines.begin(), goroutines.end(), goroutine) != goroutines.end();
  }
};

// A lock on a file that the thread tried to take, or waits for.
struct RefusedLock {
  Nanos time = 0;
  std::uint32_t by = 0;  // the process that has it
};

struct ThreadLog {
  std::uint32_t pid = 0;
  Nanos born = 0;   // its start; 0: not seen
  Nanos began = 0;  // its start, which the recorder met later: its first waits are not known; 0: not known
  // As far as it is known.
  Nanos start() const { return born != 0 ? born : began; }
  Nanos known_since = 0;  // its off-CPU intervals are known from here on; 0: never
  Nanos observed_since() const { return born != 0 ? born : std::max(began, known_since); }
  Nanos acted = 0;  // first seen at work while off-CPU intervals were recorded; it did not wait between then and its
                    // first wait
  std::vector<Nanos> resumed;   // its first off-CPU interval after each pause
  std::uint32_t open = 0;       // accepted connections that it was the first to act on
  bool serves_several = false;  // it turned to one while another was open
  bool multiplexes = false;     // waits for several descriptors at once, or turned to a request before another was over
  model::ExchangeId asked_for;  // a loop: the last request for which it turned to the other end of a socket,
  Nanos asked = 0;              // and when
  Log<OffCpuWait> waits;
  Log<Act> acts;
  Log<RefusedLock> refused;
  Log<BytesMoved> elsewhere;  // what it read and wrote on sockets without requests
  Stretches<TimeSpan> lost;   // off-CPU intervals of this thread were lost in here
  Stretches<Stalled> stalls;
  Stretches<TimeSpan> assists;  // its goroutine assisted Go's collector
  Nanos assisting = 0;          // start of the assist under way; 0: none
};

// Stream positions [begin, end) at this time; positions wrap.
struct PositionMark {
  Nanos time = 0;
  std::uint32_t begin = 0, end = 0;
};

// The kernel kept bytes back that a thread had sent.
struct HeldBytes {
  Nanos time = 0, to = 0;
  bool nagle = false;       // behind Nagle's algorithm; otherwise because of the peer's window, or congestion
  std::uint8_t window = 0;  // otherwise: per cent of the time in which it was the peer's window
  Nanos round_trip = 0;     // the least; 0: not known
};

struct EndLog {
  Log<Act> acts;
  Log<PositionMark> arrived, read;
  Stretches<TimeSpan> retransmitted;  // [sent for the first time, sent again)
  Log<PositionMark> sent;
  Stretches<TimeSpan> lost;  // events of this socket were lost in here
  Log<TimeSpan> full;        // instants: a send that may not wait found no room
  Stretches<HeldBytes> held;
  bool unix_domain = false;
  Nanos last_event = 0;
  Nanos closed = 0;            // its socket was closed; 0: it is not, or that is not known
  Nanos accepted = 0;          // taken from its listener's queue; 0: not known
  std::uint32_t accepter = 0;  // the thread that did, or the first to act on it; 0: none
  bool listed = false;         // in Observed's list of those that have entries

  // Returns how many entries it has forgotten.
  std::size_t forget_before(Nanos t);
  // It has no entries.
  bool empty() const;
};

// A goroutine was seen on a thread.
struct Sighting {
  Nanos time = 0;
  std::uint32_t tid = 0;
  model::ConnectionId connection = 0;  // the goroutine moved bytes of it; 0: none
  bool out = false;
  formats::SocketId socket = 0;  // or it moved bytes of this socket, which carries no requests
  bool off = false;              // its thread was switched out at this time, until `back`
  Nanos back = 0;
  // Deep profile.
  bool state = false;
  formats::GoRunState run = formats::GoRunState::unknown;
  model::Label why = model::Label::go_park;
  std::uint64_t by = 0;  // ready: the goroutine that unparked it
};

// A goroutine entered a handler.
struct Entered {
  Nanos time = 0;
  std::uint64_t goroutine = 0;
};

// A thread was woken by another of its process.
struct Wake {
  Nanos time = 0;
  std::uint32_t by = 0, tid = 0;
};

// A thread was stopped by a signal, a tracer or the freezer.
struct Halt {
  Nanos time = 0, to = 0;
  std::uint32_t by = 0;     // the thread that sent the signal, or froze the cgroup; 0: not known
  std::uint32_t group = 0;  // that was frozen: CpuQuotas::frozen(); 0: none
};

// A call on a file; `path` is an argument for Observed::path().
struct FileUse {
  Nanos time = 0, to = 0;
  std::int64_t result = 0;
  std::uint64_t goroutine = 0;
  std::uint32_t tid = 0, path = 0;
  std::int32_t descriptor = -1;
  formats::FileAct act = formats::FileAct::open;
};

struct ProcessLog {
  static constexpr std::size_t kMaxListed = 64;
  static constexpr std::size_t kMaxCreators = 256u << 10;
  bool go = false;
  bool deep = false;             // goroutines' states are recorded
  Nanos collector_since = 0;     // its collections are recorded from here on; 0: they are not
  Log<TimeSpan> collections;     // from their beginning; their end is not kept
  Stretches<TimeSpan> stops;     // stop-the-world phases
  std::uint32_t vm_thread = 0;   // JVM: the thread that stops the others; 0: none
  Stretches<TimeSpan> vm_stops;  // one of its threads that serve requests was held up by that one
  Stretches<Halt> halts;
  Nanos stopping = 0;                  // start of the stop-the-world phase under way; 0: none
  std::vector<std::uint32_t> threads;  // the first kMaxListed
  Log<Wake> wakes;
  Log<Wake> signals;  // `by` sent something on a socket that carries no requests
  Log<Entered> handlers;
  Log<FileUse> files;
  Stretches<Attempt> attempts;
  std::unordered_map<std::uint64_t, std::uint64_t> creators;  // of goroutines, the first kMaxCreators
  std::unordered_map<std::uint64_t, Log<Sighting>> goroutines;
};

// The socket and TLS session that carry the bytes of a connection end with requests.
struct ByteCarrier {
  formats::SocketId socket = 0;
  formats::TlsSessionId session = 0;  // 0: the bytes are the socket's own
};

// A socket that carries no requests.
struct Stranger {
  formats::Origin origin = formats::Origin::unknown;
  bool name_server = false;
  std::uint32_t peer = 0;       // which of Observed::peers(), from 1; 0: not known
  bool asks = false;            // this end connected, or the ports say so, or it sent first on a UNIX socket
  bool on_path = false;         // a UNIX socket of a listener with a path
  bool fresh = false;           // its beginning was seen,
  bool moved = false;           // and its first bytes
  model::ExchangeId asker;      // asks: the request for which it connected, or sent first; connection 0: not known
  Nanos taken = 0;              // the other end asks: when this one read its first bytes; 0: not known
  std::uint32_t taker = 0;      // and which thread
  Nanos connecting = 0;         // since when it connects; 0: it does not
  formats::Thread by;           // the thread that connects,
  std::uint64_t goroutine = 0;  // and its goroutine
};

// What the table says of the bytes that an event moved.
struct Moved {
  model::ConnectionId connection = 0;  // with requests, whose socket or session the event is about; 0: none
  model::ExchangeId owner;             // the rest as in Act
  bool shared = false, last = false, served = false;
};

class Observed {
 public:
  // Waits, acts and marks kept at a time (some 300 MB at most); beyond that, the older half is dropped.
  static constexpr std::size_t kMaxKept = 4u << 20;
  static constexpr std::size_t kMaxThreads = 64u << 10;
  static constexpr std::size_t kMaxStrangers = 64u << 10;
  static constexpr std::size_t kMaxPaths = 64u << 10;  // distinct paths; beyond that, paths are unknown
  static constexpr std::size_t kMaxUndelivered = 256u << 10;

  // carriers: indexed by ConnectionId. pids: the processes to observe; events of others are ignored.
  Observed(const Windows& windows, std::span<const ByteCarrier> carriers, std::unordered_set<std::uint32_t> pids);
  // Keeps calls on files, too. To be called before the first push.
  void keep_files() { files_kept_ = true; }
  // Does not depend on what was pushed: another thread may ask.
  Moved moved(const formats::Event& event, Windows::Places& places) const;
  // moved: that of the event.
  void push(const formats::Event& event, const Moved& moved);
  // Drops what lies before t: no request that ends later will need it.
  void forget_before(Nanos t);
  bool full() const { return kept_ >= kMaxKept; }

  const ThreadLog* thread(std::uint32_t tid) const;
  // Threads that multiplex.
  const std::vector<std::uint32_t>& loops() const { return loops_; }
  const EndLog* end(model::ConnectionId connection) const;
  // In [since, at] a send on the connection found no room, so that a pause after it can be a wait for room. Recorders
  // that do not tell: as much was sent as fills a socket's buffer.
  bool fills_buffer(model::ConnectionId connection, Nanos since, Nanos at) const;
  const ProcessLog* process(std::uint32_t pid) const;
  const Log<Sighting>* goroutine(std::uint32_t pid, std::uint64_t goroutine) const;
  // The connection with requests that this socket carries; 0: none.
  model::ConnectionId connection_of(formats::SocketId socket) const;
  // The connection was in its listener's queue until then, at least; 0: not known. Measured: it was taken then.
  struct Queued {
    Nanos until = 0;
    model::Evidence evidence = model::Evidence::measured;
  };
  Queued queued(model::ConnectionId connection) const;
  const Stranger* stranger(formats::SocketId socket) const;
  const std::string& path(std::uint32_t number) const { return paths_[number]; }
  // The socket at the other end of one without requests; 0: not known.
  formats::SocketId other_end(formats::SocketId socket) const { return peers_.other_end(socket); }
  // Something arrived at a socket that carries no requests.
  const Log<TimeSpan>& arrivals_elsewhere() const { return elsewhere_; }
  // The other ends of sockets without requests; complete after the last event.
  std::vector<model::SocketPeer> peers() const { return peers_.all(); }
  // The names of locks; complete after the last event.
  model::LockNames lock_names() const { return lock_notes_.all(); }
  // The host at the other end of a connection with requests that was accepted, as one of these, from 1; 0: not known.
  std::uint32_t host_of(model::ConnectionId connection) const;
  // The process there; 0: not known.
  std::uint32_t client_of(model::ConnectionId connection) const;
  // Which of these is at the other end, from 1; 0: not known.
  std::uint32_t peer_of(formats::SocketId socket) const { return peers_.number_of(socket); }
  // EndLog::full has all such sends, but for UNIX sockets only those of which nothing was sent.
  bool full_sends_recorded() const { return full_sends_recorded_; }
  // Events were lost in here, and it is not known which thread or socket they belonged to.
  const Stretches<TimeSpan>& blind() const { return blind_; }
  // Off-CPU intervals were lost in here; the next interval of each affected thread reports the loss.
  const Stretches<TimeSpan>& counted() const { return counted_; }
  bool waits_recorded() const { return waits_recorded_; }
  // The recorder has left off-CPU intervals out.
  bool waits_left_out() const { return !pauses_.empty(); }
  // … for a part of [from, to).
  bool waits_left_out(Nanos from, Nanos to) const { return pauses_.touch(from, to); }
  // … or it may have, of this thread: after a pause it is known from its first interval on.
  bool waits_left_out(const ThreadLog& log, Nanos from, Nanos to) const;
  Nanos forgotten_until() const { return forgotten_until_; }
  // Time of the latest event pushed, CaptureEnd excepted.
  Nanos now() const { return now_; }
  // Until when waits are known: when the recorder began to stop; in captures of older versions, when the waits under
  // way at the end were listed; now() where they were not.
  Nanos waits_until() const {
    return std::min({stops_ != 0 ? stops_ : now_, ongoing_at_ != 0 ? ongoing_at_ : now_, now_});
  }
  const model::Findings& findings() const { return findings_; }
  // Responses whose bytes were kept back after the last of them was sent; complete after the last event.
  std::vector<model::Undelivered> take_undelivered() { return std::move(undelivered_); }
  // Waits for a CPU of all recorded threads, and their time on one.
  const model::Crowd& crowd() const { return cpu_.crowd(); }
  model::Crowd take_crowd() { return cpu_.take_crowd(); }
  // What the machine's CPUs did.
  model::CpuAccount take_cpus() { return std::move(machine_cpus_); }
  // The kernel reports for each off-CPU interval whether it was CPU throttling.
  bool throttling_is_told() const { return throttled_seen_; }
  const CpuQuotas& quotas() const { return quotas_; }

 private:
  ThreadLog* find_or_add(const formats::Thread& thread);
  void off_cpu(const formats::Event& event, const formats::OffCpu& off);
  void multiplexes(std::uint32_t tid, ThreadLog& log);
  Moved moved_on(model::ConnectionId connection, Nanos at, Windows::Places& places) const;
  bool acts(model::ConnectionId connection, const formats::Io& io) const;
  // To add entries to it.
  EndLog& noting(model::ConnectionId connection);
  void act(const formats::Event& event, const Moved& moved, bool out);
  void io(const formats::Event& event, const formats::Io& io, const Moved& moved);
  void stop(std::uint32_t pid, Nanos at, formats::GoPhase phase);
  void sight(const formats::Event& event, Sighting sighting);
  void assist(const formats::Event& event, bool begins);
  void file(const formats::Event& event, const formats::FileCall& call);
  void refused(const formats::Event& event, std::string_view by);
  void full(Nanos at, formats::SocketId socket);
  void held(Nanos at, const formats::Stall& stall);
  void note_loss(EndLog& end, Nanos at, std::uint16_t missed);
  static bool asks(const formats::SocketInfo& info);
  void describe(const formats::SocketInfo& info);
  void change(const formats::Event& event, const formats::StateChange& change);
  void took(const formats::Event& event, formats::SocketId socket, model::ConnectionId connection);
  void closed(const formats::StateChange& change, Nanos at);
  void exchanged(const formats::Event& event, const formats::Io& io);
  void first_bytes(const formats::Event& event, formats::SocketId socket, Stranger& stranger, bool out);
  model::ExchangeId asks_for(std::uint32_t tid, Nanos at);

  const Windows& windows_;
  std::span<const ByteCarrier> carriers_;
  std::unordered_set<std::uint32_t> pids_;
  std::unordered_map<std::uint32_t, ThreadLog> threads_;
  std::unordered_map<std::uint32_t, ProcessLog> processes_;
  std::vector<std::uint32_t> loops_;
  std::vector<EndLog> ends_;  // by ConnectionId
  std::vector<model::ConnectionId>
      ends_listed_;  // those that have entries: most connections are over, or not yet begun
  std::unordered_map<formats::SocketId, model::ConnectionId> by_socket_;
  std::unordered_map<formats::TlsSessionId, model::ConnectionId> by_session_;
  std::unordered_map<formats::SocketId, Stranger> strangers_;
  std::unordered_map<formats::SocketId, std::uint32_t> accepters_;  // of open sockets, the thread
  AcceptQueues queues_;
  LockNotes lock_notes_;
  SocketPeers peers_;
  CpuQuotas quotas_;
  Stretches<TimeSpan> blind_, counted_;
  Log<TimeSpan> elsewhere_;
  std::size_t creators_kept_ = 0;
  model::Pauses pauses_;
  CpuUse cpu_{kMaxThreads};
  model::CpuAccount machine_cpus_;
  std::uint32_t last_tid_ = 0;
  ThreadLog* last_ = nullptr;
  std::size_t kept_ = 0;
  Nanos forgotten_until_ = 0, now_ = 0, ongoing_at_ = 0, stops_ = 0;
  Nanos begun_ = 0;  // when the recorder had placed all probes; 0: not known
  bool throttled_seen_ = false, waits_recorded_ = false, files_kept_ = false, full_sends_recorded_ = false;
  std::unordered_map<std::string, std::uint32_t> path_numbers_;
  std::vector<std::string> paths_{{}};  // of files, by number; 0: not known
  model::Findings findings_;
  std::vector<model::Undelivered> undelivered_;
};

}  // namespace tailcap::partition

#include "analyze/merge/relabel.h"

#include <algorithm>
#include <utility>

namespace tailcap::merge {

using namespace formats;

Relabel::Relabel(Machine machine, std::uint32_t capture, const ClockEstimate& clock, Duration by, std::string name)
    : machine_(machine), capture_(capture), clock_(clock), by_(by), name_(std::move(name)) {}

Time Relabel::time(Time theirs) const {
  if (!known(theirs)) return theirs;
  return time_from(std::clamp<std::int64_t>(clock_.ours_of(theirs) + by_.count(), 1, nanoseconds(kMaxTime)));
}

struct Relabel::Visitor {
  Relabel& to;
  bool fits = true;

  void pid(std::uint32_t& n) {
    if (n == 0) return;
    if (machine_of(n) != 0) fits = false;
    n |= to.machine_ << kMachineOfPid;
  }
  void id(std::uint64_t& n, std::uint64_t number) {
    if (n == 0) return;
    constexpr std::uint64_t high = ~((std::uint64_t{1} << kMachineOfId) - 1) & ~kTlsSessionBit;
    if ((n & high) != 0) fits = false;
    n |= number << kMachineOfId;
  }
  void socket(SocketId& n) { id(n, to.machine_); }
  void session(TlsSessionId& n) { id(n, to.capture_); }
  void time(Time& t) { t = to.time(t); }
  void net_namespace(std::uint32_t& n) {
    if (n != 0) n ^= to.machine_ << kMachineOfNamespace;
  }

  void operator()(Io& io) { socket(io.socket); }
  void operator()(Arrival& a) { socket(a.socket); }
  void operator()(Retransmit& r) { socket(r.socket); }
  void operator()(Reset& r) { socket(r.socket); }
  void operator()(StateChange& c) { socket(c.socket); }
  void operator()(Accept& a) { socket(a.socket); }
  void operator()(SocketInfo& info) {
    socket(info.socket);
    id(info.inode, to.machine_);
    id(info.peer_inode, to.machine_);
    net_namespace(info.net_namespace);
  }
  void operator()(NetInterface& n) { net_namespace(n.net_namespace); }
  void operator()(OffCpu& o) {
    time(o.left);
    time(o.runnable);
    pid(o.waker);
    socket(o.socket);
  }
  void operator()(TaskStart& t) {
    pid(t.parent.pid);
    pid(t.parent.tid);
  }
  void operator()(TaskInfo& t) {
    pid(t.parent_pid);
    place(t.cgroup);
    time(t.started);
  }
  void operator()(TlsIo& io) {
    session(io.session);
    time(io.began);
  }
  void operator()(TlsStep& s) { session(s.session); }
  void operator()(Stall& s) {
    time(s.began);
    if (s.what == StallKind::peer_window || s.what == StallKind::congestion) socket(s.where);
  }
  void operator()(FileCall& f) { time(f.began); }
  void operator()(CpuQuota& q) { place(q.cgroup); }
  void operator()(Loss& l) { time(l.since); }
  void operator()(Damage& d) { time(d.since); }
  template <class T>
  void operator()(T&) {}

  // Every machine has a /system.slice.
  void place(std::string_view& cgroup) {
    if (to.machine_ == 0 || cgroup.empty()) return;
    to.text_ = to.name_ + ":" + std::string(cgroup);
    cgroup = to.text_;
  }
};

bool Relabel::apply(Event& event) {
  Visitor visitor{*this};
  visitor.time(event.time);
  visitor.pid(event.thread.pid);
  visitor.pid(event.thread.tid);
  std::visit(visitor, event.body);
  return visitor.fits;
}

}  // namespace tailcap::merge

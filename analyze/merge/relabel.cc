#include "analyze/merge/relabel.h"

#include <algorithm>
#include <utility>

#include "analyze/model/sampling/budget.h"
#include "formats/fields/tables.h"

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
  void time(Time& t) { t = to.time(t); }
  void net_namespace(std::uint32_t& n) {
    if (n != 0) n ^= to.machine_ << kMachineOfNamespace;
  }

  template <class B>
  void operator()(B& body) {
    each_field(body, [&](const auto& field, auto& value) {
      constexpr As kAs = std::remove_cvref_t<decltype(field)>::as;
      if constexpr (std::is_same_v<decltype(value), Time&>)
        time(value);
      else if constexpr (kAs == As::pid)
        pid(value);
      else if constexpr (kAs == As::socket || kAs == As::other_socket || kAs == As::inode)
        id(value, to.machine_);
      else if constexpr (kAs == As::session)
        id(value, to.capture_);
      else if constexpr (kAs == As::net_namespace)
        net_namespace(value);
      else if constexpr (kAs == As::cgroup)
        place(value);
    });
    if constexpr (std::is_same_v<B, Note>) pause(body);
    if constexpr (std::is_same_v<B, Stall>)
      if (is_of_socket(body.what)) id(body.where, to.machine_);
  }

  // Off-CPU intervals of one machine may be recorded while those of another are not.
  void pause(Note& note) {
    if (to.machine_ == 0 || note.key != model::kWaitsNote) return;
    to.text_ = std::string(note.value) + std::string(model::kWaitsMachine) + std::to_string(to.machine_ + 1);
    note.value = to.text_;
  }

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

// Collects the events of a window of time into lanes.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/model/study/lanes.h"
#include "formats/event_names.h"
#include "formats/go_event.h"
#include "formats/recorder_event.h"
#include "formats/socket_event.h"
#include "formats/thread_event.h"

namespace tailcap::timeline {

using formats::Time;

inline constexpr std::size_t kMostThings = 1u << 16;  // remembered of a kind, idle or not

struct LaneLimits {
  std::size_t lanes = 30;  // of a kind
  std::size_t stretches = 1u << 20;
};

// Which process moved bytes of a socket last.
class SocketOwners {
 public:
  void push(const formats::Event& event);                // all events of the capture, in its order
  std::uint32_t process_of(std::uint64_t socket) const;  // 0: none has

 private:
  std::unordered_map<std::uint64_t, std::uint32_t> owners_;
};

class LaneCollector {
 public:
  // pids: of these processes only; empty: of all. from < to.
  LaneCollector(Time from, Time to, std::vector<std::uint32_t> pids, LaneLimits limits = {});

  // All events of the capture, in its order: what began before the window, or ends behind it, counts.
  void push(const formats::Event& event);
  // Whether the window depends on the event: what is said of it is the same if all others are left out, but for what
  // ran on a CPU without a wait in the second before it.
  bool concerns(const formats::Event& event) const;
  // Several collectors of the same events can share this, which its owner pushes them into first. Before the first
  // event.
  void share(const SocketOwners* owners) { shared_owners_ = owners; }
  // Keeps only what overlaps these times, ascending and disjoint. Before the first event.
  void only_during(model::LaneTimes times) { during_ = std::move(times); }
  // After the last event: these threads are kept even if they did least.
  void prefer(const std::vector<std::uint32_t>& tids);
  // After the last event: forgets what is of other processes. Not called: nothing is forgotten.
  void only(const std::vector<std::uint32_t>& pids);
  model::Lanes done();

 private:
  struct Thing {
    model::Lane lane;
    Time since = formats::kNoTime;  // of the state that it is in; kNoTime: not known
    model::LabelGroup what = model::LabelGroup::unexplained;
    std::string note;
    std::int64_t busy = 0;  // ns in the window that it did not wait
  };
  using Things = std::map<std::pair<std::uint32_t, std::uint64_t>, Thing>;

  bool meant(std::uint32_t pid) const;
  bool asked_for(Time from, Time to) const;
  Thing* thing(model::LaneKind kind, std::uint32_t pid, std::uint64_t number);
  void stretch(Thing& thing, Time from, Time to, model::LabelGroup what, std::string note = {});
  // It is in another state from now on.
  void change(Thing& thing, Time at, model::LabelGroup what, std::string note);
  void mark(model::LaneKind kind, std::uint32_t pid, std::uint64_t number, model::LaneMark mark);
  void add_wait(Thing& thread, const formats::Event& event, const formats::OffCpu& off);
  // The thread runs no goroutine, or another one: the one that it ran has ended, if it is still said to run.
  void ran_until(std::uint32_t pid, std::uint32_t tid, Time at);
  void forget_states();
  void close(Things& things);
  void choose(Things& things, model::LaneKind kind, model::Lanes& out);

  void take(const formats::Event& event, const formats::OffCpu& off);
  void take(const formats::Event& event, const formats::Io& io);
  void take(const formats::Event& event, const formats::Arrival& arrival);
  void take(const formats::Event& event, const formats::SocketInfo& info);
  void take(const formats::Event& event, const formats::GoState& state);
  void take(const formats::Event& event, const formats::GoExit& exit);
  void take(const formats::Event& event, const formats::GoRuntime& runtime);
  void take(const formats::Event& event, const formats::TaskInfo& info);
  void take(const formats::Event& event, const formats::TaskStart& start);
  void take(const formats::Event& event, const formats::TaskExec& exec);
  void take(const formats::Event& event, const formats::TaskExit& exit);
  void take(const formats::Event& event, const formats::Loss& loss);
  void take(const formats::Event& event, const formats::Damage& damage);
  template <class Other>
  void take(const formats::Event&, const Other&) {}

  Time from_, to_;
  LaneLimits limits_;
  std::vector<std::uint32_t> pids_;
  model::LaneTimes during_;  // empty: all times
  std::array<Things, model::kLaneKinds> things_;
  struct Running {
    std::uint64_t goroutine = 0;
    Time seen = formats::kNoTime;  // when the thread last did something
  };
  std::unordered_map<std::uint32_t, Running> running_;      // by thread
  std::unordered_map<std::uint32_t, std::string> comms_;    // of threads
  std::unordered_map<std::uint64_t, std::string> sockets_;  // their ends
  SocketOwners owners_;
  const SocketOwners* shared_owners_ = nullptr;
  std::set<std::uint32_t> told_;  // processes whose goroutines' states were recorded
  std::size_t stretches_ = 0;
  model::Lanes out_;
};

}  // namespace tailcap::timeline

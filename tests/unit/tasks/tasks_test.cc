#include "analyze/tasks/tasks.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "analyze/tasks/goroutine_states.h"
#include "analyze/tasks/thread_states.h"
#include "formats/event.h"
#include "formats/recorder_event.h"

namespace tailcap::tasks {
namespace {

using namespace std::chrono_literals;
using formats::Event;
using formats::Thread;
using formats::time_from;

Event event(std::int64_t at, Thread thread, formats::Body body) { return {time_from(at), thread, body}; }

TEST(Tasks, ANumberThatIsUsedAgainIsAnotherThread) {
  Tasks tasks;
  tasks.push(event(100, {7, 7}, formats::TaskStart{{1, 1}, "first"}));
  tasks.push(event(200, {7, 7}, formats::TaskExit{9}));
  tasks.push(event(300, {7, 7}, formats::TaskStart{{1, 1}, "second"}));
  const Utid first = tasks.thread_at(7, time_from(150)), second = tasks.thread_at(7, time_from(350));
  EXPECT_NE(first, 0u);
  EXPECT_NE(second, 0u);
  EXPECT_NE(first, second);
  EXPECT_NE(tasks.process_at(7, time_from(150)), tasks.process_at(7, time_from(350)));
  EXPECT_EQ(tasks.thread_at(8, time_from(150)), 0u);

  const auto& one = tasks.processes()[tasks.process_at(7, time_from(150)) - 1];
  const auto& other = tasks.processes()[tasks.process_at(7, time_from(350)) - 1];
  EXPECT_EQ(one.name, "first");
  EXPECT_EQ(one.end, time_from(200));
  EXPECT_EQ(one.exit_code, 9);
  EXPECT_EQ(other.name, "second");
  EXPECT_EQ(other.start, time_from(300));
  EXPECT_FALSE(formats::known(other.end));
  EXPECT_TRUE(tasks.threads()[first - 1].main);
}

struct State {
  std::int64_t ts, dur;
  std::string state;
  bool operator==(const State&) const = default;
};

std::vector<State> states_of(std::vector<Event> events) {
  Tasks tasks;
  ThreadStates states(tasks);
  std::vector<State> out;
  for (const Event& e : events) {
    tasks.push(e);
    for (const model::ThreadInterval& i : states.push(e)) out.push_back({i.from, i.to - i.from, std::string(i.state)});
  }
  return out;
}

formats::OffCpu off(std::int64_t left, std::int64_t runnable, std::uint32_t state) {
  formats::OffCpu o;
  o.left = time_from(left);
  if (runnable > 0) o.runnable = time_from(runnable);
  o.state = state;
  o.syscall = 202;
  return o;
}

TEST(ThreadStates, PartitionTheTimeOfAThread) {
  EXPECT_EQ(states_of({event(200, {1, 2}, off(100, 150, 1)), event(400, {1, 2}, off(300, 300, 256))}),
            (std::vector<State>{{100, 50, "S"}, {150, 50, "R"}, {200, 100, "Running"}, {300, 100, "R+"}}));
}

TEST(ThreadStates, NothingIsSaidOfWhatWasLost) {
  formats::OffCpu after = off(300, 300, 256);
  after.missed = 1;
  // The wake-up of the first was not seen: its end is that of the interval.
  EXPECT_EQ(states_of({event(200, {1, 2}, off(100, 0, 2)), event(400, {1, 2}, after)}),
            (std::vector<State>{{100, 100, "D"}, {300, 100, "R+"}}));
}

Event go(std::int64_t at, std::uint64_t goroutine, formats::GoRunState state, std::string_view reason = {}) {
  return event(at, {1, 2}, formats::GoState{goroutine, state, reason});
}

TEST(GoroutineStates, LieBetweenChangesAndEndWithTheRecording) {
  using enum formats::GoRunState;
  GoroutineStates states;
  std::vector<std::string> seen;
  formats::Loss loss;
  loss.kind = static_cast<std::uint8_t>(formats::Kind::go_state);
  for (const Event& e :
       {go(100, 5, running), go(150, 5, parked, "chan receive"), go(170, 6, running), go(200, 5, ready),
        event(250, {}, loss), go(300, 5, running), go(320, 6, parked, "sleep"), event(400, {}, formats::CaptureEnd{})})
    for (const GoroutineInterval& i : states.push(e))
      seen.push_back(std::to_string(i.goroutine) + " " + std::to_string(i.from) + "-" + std::to_string(i.to) + " " +
                     i.reason + (i.ongoing ? " ongoing" : ""));
  // What 5 and 6 did while a change may have been lost is not known.
  EXPECT_EQ(seen, (std::vector<std::string>{"5 100-150 ", "5 150-200 chan receive", "5 300-400  ongoing",
                                            "6 320-400 sleep ongoing"}));
}

}  // namespace
}  // namespace tailcap::tasks

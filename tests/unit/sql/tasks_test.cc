#include "analyze/sql/tasks.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "analyze/sql/thread_states.h"

namespace tailcap::sql {
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

  Database database;
  database.create_tables();
  tasks.insert_processes(database);
  tasks.insert_threads(database);
  Query query(database, "SELECT name, start_ts, end_ts, exit_code FROM process WHERE pid = 7 ORDER BY upid", 10s);
  ASSERT_TRUE(query.next());
  EXPECT_EQ(std::get<std::string_view>(query.cell(0)), "first");
  EXPECT_EQ(std::get<std::int64_t>(query.cell(2)), 200);
  EXPECT_EQ(std::get<std::int64_t>(query.cell(3)), 9);
  ASSERT_TRUE(query.next());
  EXPECT_EQ(std::get<std::string_view>(query.cell(0)), "second");
  EXPECT_EQ(std::get<std::int64_t>(query.cell(1)), 300);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(query.cell(2)));
}

struct State {
  std::int64_t ts, dur;
  std::string state;
  bool operator==(const State&) const = default;
};

std::vector<State> states_of(std::vector<Event> events) {
  Database database;
  database.create_tables();
  Tasks tasks;
  {
    ThreadStates states(database, tasks);
    for (const Event& e : events) {
      tasks.push(e);
      states.push(e);
    }
  }
  std::vector<State> out;
  Query query(database, "SELECT ts, dur, state FROM thread_state ORDER BY ts", 10s);
  while (query.next())
    out.push_back({std::get<std::int64_t>(query.cell(0)), std::get<std::int64_t>(query.cell(1)),
                   std::string(std::get<std::string_view>(query.cell(2)))});
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

}  // namespace
}  // namespace tailcap::sql

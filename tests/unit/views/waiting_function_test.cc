#include "analyze/views/flame/waiting_function.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace tailcap::views {

namespace {

// "add_item 40/45 of 2/3 < serve > lock"; an empty stack: a wait without one.
std::string waited_in(const std::vector<std::pair<std::string, std::int64_t>>& given) {
  std::vector<StackedWait> waits;
  for (const auto& [stack, time] : given) waits.push_back({time, stack.empty() ? nullptr : &stack});
  const auto found = waiting_function(waits);
  if (!found) return "none";
  return found->name + " " + std::to_string(found->inside) + "/" + std::to_string(found->time) + " of " +
         std::to_string(found->stacks) + "/" + std::to_string(found->waits) + " < " + found->caller + " > " +
         found->called;
}

TEST(WaitingFunction, IsTheInnermostOfTheApplication) {
  EXPECT_EQ(waited_in({{"cart;_start;main;serve;add_item;pthread_mutex_lock;__lll_lock_wait;futex_wait_[k]", 40},
                       {"cart;_start;main;serve;pay;read", 5}}),
            "add_item 40/45 of 2/2 < serve > pthread_mutex_lock");
  EXPECT_EQ(waited_in({{"cart;_start;main;serve;add_item;___pthread_mutex_lock;[libc.so.6]", 40}}),
            "add_item 40/40 of 1/1 < serve > ___pthread_mutex_lock");
  EXPECT_EQ(waited_in({{"cart;main;serve;a;read", 10}, {"cart;main;serve;b;read", 10}}),
            "serve 20/20 of 2/2 < main > ");
  EXPECT_EQ(waited_in({{"cart;start_thread;work;work;sem_wait@@GLIBC_2.34", 10}}),
            "work 10/10 of 1/1 <  > sem_wait@@GLIBC_2.34");
}

TEST(WaitingFunction, PartsOfTheLibraryAreTheLibrary) {
  EXPECT_EQ(waited_in({{"cart;main;serve;add_item (inlined);___pthread_mutex_lock;lll_mutex_lock_optimized "
                        "(inlined);__GI___lll_lock_wait;futex_wait (inlined)",
                        40}}),
            "add_item (inlined) 40/40 of 1/1 < serve > ___pthread_mutex_lock");
}

TEST(WaitingFunction, TimeDecidesNotTheNumberOfWaits) {
  EXPECT_EQ(waited_in({{"cart;main;a;read", 90}, {"cart;main;b;read", 10}, {"cart;main;b;read", 10}}),
            "a 90/110 of 3/3 < main > read");
}

TEST(WaitingFunction, OfPythonItsModulesAreNotTheApplication) {
  EXPECT_EQ(waited_in({{"python3;_start;do_GET (svc.py:9);add_item (svc.py:5);Queue.get (queue.py:154);Condition.wait "
                        "(threading.py:288);PyThread_acquire_lock_timed;sem_wait",
                        40}}),
            "add_item (svc.py:5) 40/40 of 1/1 < do_GET (svc.py:9) > Queue.get (queue.py:154)");
  EXPECT_EQ(waited_in({{"python3;_start;do_GET (svc.py:9);back_off (svc.py:5);[python3.11];clock_nanosleep", 40}}),
            "back_off (svc.py:5) 40/40 of 1/1 < do_GET (svc.py:9) > clock_nanosleep");
}

TEST(WaitingFunction, TheInterpreterIsNotWhatAFunctionCalled) {
  EXPECT_EQ(
      waited_in(
          {{"python3;add_item (svc.py:5);_PyObject_MakeTpCall;PyThread_acquire_lock_timed;sem_clockwait;futex_[k]",
            40}}),
      "add_item (svc.py:5) 40/40 of 1/1 <  > sem_clockwait");
}

TEST(WaitingFunction, NoneWhereMostIsNotKnown) {
  EXPECT_EQ(waited_in({}), "none");
  EXPECT_EQ(waited_in({{"", 40}}), "none");
  EXPECT_EQ(waited_in({{"cart;a;read", 40}, {"", 40}}), "none") << "half of it, by one stack";
  EXPECT_EQ(waited_in({{"cart;a;read", 40}, {"", 39}}), "a 40/40 of 1/2 <  > read");
  EXPECT_EQ(waited_in({{"cart;a;read", 40}, {"cart;b;read", 40}}), "none");
  EXPECT_EQ(waited_in({{"cart;[unknown];read", 40}}), "none");
  EXPECT_EQ(waited_in({{"(other stacks)", 40}}), "none");
  std::vector<std::pair<std::string, std::int64_t>> many(30, {"", 10});
  for (int i = 0; i < 9; ++i) many[static_cast<std::size_t>(i)].first = "cart;main;a;read";
  EXPECT_EQ(waited_in(many), "none") << "nine of thirty";
  many[9].first = "cart;main;a;read";
  EXPECT_EQ(waited_in(many), "a 100/100 of 10/30 < main > read");
}

}  // namespace

}  // namespace tailcap::views

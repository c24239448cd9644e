// A thread that does tasks in order while their owner goes on.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace tailcap::ground {

class Background {
 public:
  Background() : Background(2) {}
  // threads: see workers_of(). One: run() does each task itself.
  explicit Background(unsigned threads);
  ~Background();  // waits for the tasks
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // To be done after those before. What the tasks use must outlive them.
  void run(std::function<void()> task);
  // Until no more than `left` tasks are left, the one under way included. Throws what a task threw; those after it are
  // not begun.
  void wait(std::size_t left = 0);

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;  // the one under way first
  std::exception_ptr error_;
  bool over_ = false;
  std::thread thread_;  // the last: it uses the others
};

}  // namespace tailcap::ground

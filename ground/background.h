// A thread that does one task at a time while its owner goes on.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace tailcap::ground {

class Background {
 public:
  Background() : thread_([this] { loop(); }) {}
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Waits for the task before, then begins this one. What the tasks use must outlive them.
  void run(std::function<void()> task);
  // Until the task is done. Throws what it threw.
  void wait();

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> task_;  // none: there is nothing to do
  std::exception_ptr error_;
  bool over_ = false;
  std::thread thread_;  // the last: it uses the others
};

}  // namespace tailcap::ground

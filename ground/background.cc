#include "ground/background.h"

#include <utility>

namespace tailcap::ground {

Background::~Background() {
  {
    const std::lock_guard hold(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Background::run(std::function<void()> task) {
  wait();
  {
    const std::lock_guard hold(mutex_);
    task_ = std::move(task);
  }
  changed_.notify_all();
}

void Background::wait() {
  std::unique_lock hold(mutex_);
  changed_.wait(hold, [&] { return !task_; });
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Background::loop() {
  std::unique_lock hold(mutex_);
  for (;;) {
    changed_.wait(hold, [&] { return over_ || task_; });
    if (!task_) return;
    hold.unlock();
    std::exception_ptr error;
    try {
      task_();
    } catch (...) {
      error = std::current_exception();
    }
    hold.lock();
    error_ = error;
    task_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace tailcap::ground

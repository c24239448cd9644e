#include "ground/threads/background.h"

#include <utility>

#include "ground/threads/workers.h"

namespace tailcap::ground {

Background::Background(unsigned threads) {
  if (workers_of(threads) > 1) thread_ = std::thread([this] { loop(); });
}

Background::~Background() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard hold(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Background::run(std::function<void()> task) {
  if (!thread_.joinable()) return task();
  {
    const std::lock_guard hold(mutex_);
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void Background::wait(std::size_t left) {
  std::unique_lock hold(mutex_);
  changed_.wait(hold, [&] { return tasks_.size() <= left; });
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Background::loop() {
  std::unique_lock hold(mutex_);
  for (;;) {
    changed_.wait(hold, [&] { return over_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    std::function<void()>& task = tasks_.front();  // stays where it is while others are added
    hold.unlock();
    std::exception_ptr error;
    try {
      task();
    } catch (...) {
      error = std::current_exception();
    }
    hold.lock();
    tasks_.pop_front();
    if (error) {
      error_ = error;
      tasks_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace tailcap::ground

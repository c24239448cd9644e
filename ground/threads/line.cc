#include "ground/threads/line.h"

#include <algorithm>
#include <utility>

#include "ground/threads/workers.h"

namespace tailcap::ground {

Line::Line(unsigned threads, std::size_t most, std::vector<Stage> stages)
    : most_(most), stages_(std::move(stages)), done_(stages_.size()), busy_(stages_.size()) {
  const std::size_t others = std::min<std::size_t>(workers_of(threads) - 1, stages_.size());
  for (std::size_t i = 0; i < others; ++i) threads_.emplace_back([this] { loop(); });
}

Line::~Line() {
  {
    const std::lock_guard hold(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  for (std::thread& t : threads_) t.join();
}

std::size_t Line::place() {
  wait(most_ - 1);
  return added_ % most_;  // only the caller changes it
}

void Line::add() {
  {
    const std::lock_guard hold(mutex_);
    ++added_;
  }
  changed_.notify_one();
}

void Line::wait(std::size_t left) {
  std::unique_lock hold(mutex_);
  while (!error_ && added_ - done_.back() > left)
    if (!work(hold)) changed_.wait(hold);
  if (error_) std::rethrow_exception(error_);
}

// Takes the oldest batch that waits for a stage through it. False: there is none.
bool Line::work(std::unique_lock<std::mutex>& hold) {
  for (std::size_t s = stages_.size(); s-- > 0;) {
    if (busy_[s] || done_[s] == (s > 0 ? done_[s - 1] : added_)) continue;
    const std::size_t place = done_[s] % most_;
    busy_[s] = true;
    hold.unlock();
    std::exception_ptr error;
    try {
      stages_[s](place);
    } catch (...) {
      error = std::current_exception();
    }
    hold.lock();
    busy_[s] = false;
    ++done_[s];
    if (error && !error_) error_ = error;
    changed_.notify_all();
    return true;
  }
  return false;
}

void Line::loop() {
  std::unique_lock hold(mutex_);
  while (!over_)
    if (error_ || !work(hold)) changed_.wait(hold);
}

}  // namespace tailcap::ground

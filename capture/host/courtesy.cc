#include "capture/host/courtesy.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "capture/host/privileges.h"
#include "ground/scheduling.h"

namespace tailcap::capture {

namespace {

constexpr std::chrono::milliseconds kLook{20};

}  // namespace

bool Patience::idle(Clock::time_point now, std::uint64_t turns, bool full) {
  if (!std::exchange(began_, true) || turns != turns_) turn_ = now;
  turns_ = turns;
  if (idle_ && (full || now - turn_ > kLate)) {
    const bool soon = since_ != Clock::time_point{} && now - since_ < share_;
    share_ = soon ? std::min<Clock::duration>(2 * share_, kLongestShare) : Clock::duration{kFirstShare};
    idle_ = false;
    since_ = now;
  } else if (!idle_ && now - since_ >= share_) {
    idle_ = true;
    since_ = turn_ = now;
  }
  return idle_;
}

Courtesy::Courtesy(std::function<std::uint64_t()> waiting, std::uint64_t most)
    : waiting_(std::move(waiting)), most_(most), thread_([this] { run(); }) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return asked_; });
}

Courtesy::~Courtesy() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Courtesy::begin() {
  {
    const std::lock_guard lock(mutex_);
    begun_ = true;
  }
  changed_.notify_one();
}

void Courtesy::run() {
  std::unique_lock lock(mutex_);
  const bool able = keep_nice();
  asked_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return begun_ || ending_; });
  Patience patience;
  while (able && !ending_) {
    set(patience.idle(Patience::Clock::now(), turns_.load(std::memory_order_relaxed), waiting_() > most_));
    changed_.wait_for(lock, kLook, [this] { return ending_; });
  }
  set(false);
}

// Threads that were made since are what their makers were, so all are asked.
void Courtesy::set(bool idle) {
  if (idle == idle_) return;
  idle_ = idle;
  for (const pid_t thread : ground::own_threads())
    if (thread != gettid()) (void)ground::set_idle(thread, idle);
}

}  // namespace tailcap::capture

#include "capture/host/courtesy.h"

#include <algorithm>
#include <utility>

#include "capture/host/privileges.h"
#include "ground/scheduling.h"

namespace tailcap::capture {

namespace {

constexpr std::chrono::milliseconds kLook{50};
constexpr unsigned kAll = 20;  // looks from one at all threads to the next

}  // namespace

bool Patience::idle(Clock::time_point now, std::uint64_t turns, bool full) {
  if (turns != turns_ || turn_ == Clock::time_point{}) turn_ = now;
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

Courtesy::Courtesy(pid_t reader, std::function<std::uint64_t()> waiting, std::uint64_t most)
    : reader_(reader), waiting_(std::move(waiting)), most_(most), thread_([this] { run(); }) {
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
  bool was_idle = false;
  for (unsigned look = 0; able && !ending_; ++look) {
    const bool idle = patience.idle(Patience::Clock::now(), turns_.load(std::memory_order_relaxed), waiting_() > most_);
    if (std::exchange(was_idle, idle) != idle || look % kAll == 0) set(idle);
    changed_.wait_for(lock, kLook, [this] { return ending_; });
  }
  if (able) set(false);
}

// A thread that an idle task made is one, too.
void Courtesy::set(bool idle) {
  for (const pid_t thread : ground::own_threads()) (void)ground::set_idle(thread, idle && thread == reader_);
}

}  // namespace tailcap::capture

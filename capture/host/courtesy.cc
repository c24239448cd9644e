#include "capture/host/courtesy.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "capture/host/privileges.h"

namespace tailcap::capture {

namespace {

constexpr std::chrono::seconds kAll{1};  // from one look at all threads to the next

}  // namespace

bool Patience::first(Clock::time_point now, std::uint64_t waiting) {
  const auto since = looked_ == Clock::time_point{} ? Clock::duration{} : now - looked_;
  looked_ = now;
  may_go_first_ = first_ ? may_go_first_ - since : std::min<Clock::duration>(may_go_first_ + since, kLongestFirst);
  first_ = waiting > (first_ ? limits_.share : limits_.first) && may_go_first_ > Clock::duration{};
  return first_;
}

ground::Share Patience::share(Clock::time_point now, std::uint64_t turns, std::uint64_t waiting) {
  if (turns != turns_ || turn_ == Clock::time_point{}) turn_ = now;
  turns_ = turns;
  if (idle_ && (waiting > limits_.share || now - turn_ > kLate)) {
    const bool soon = since_ != Clock::time_point{} && now - since_ < share_;
    share_ = soon ? std::min<Clock::duration>(2 * share_, kLongestShare) : Clock::duration{kFirstShare};
    idle_ = false;
    since_ = now;
  } else if (!idle_ && now - since_ >= share_) {
    idle_ = true;
    since_ = turn_ = now;
  }
  if (first(now, waiting)) return ground::Share::first;
  return idle_ ? ground::Share::idle : ground::Share::batch;
}

Courtesy::Courtesy(pid_t reader, std::function<std::uint64_t()> waiting, const Patience::Limits& limits)
    : reader_(reader), waiting_(std::move(waiting)), limits_(limits), nice_(ground::own_nice()), thread_([this] {
        run();
      }) {
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
  if (able) (void)ground::set_share(gettid(), ground::Share::first, nice_);  // a look takes microseconds
  Patience patience(limits_);
  auto was = ground::Share::batch;
  for (Patience::Clock::time_point all{}; able && !ending_;) {
    const auto now = Patience::Clock::now();
    const auto share = patience.share(now, turns_.load(std::memory_order_relaxed), waiting_());
    if (std::exchange(was, share) != share || now - all >= kAll) {
      set(share);
      all = now;
    }
    changed_.wait_for(lock, patience.next_look(), [this] { return ending_; });
  }
  if (able) set(ground::Share::batch);
}

// A thread that the reader made is what it was.
void Courtesy::set(ground::Share share) {
  for (const pid_t thread : ground::own_threads())
    if (thread != gettid()) (void)ground::set_share(thread, thread == reader_ ? share : ground::Share::batch, nice_);
}

}  // namespace tailcap::capture

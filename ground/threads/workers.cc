#include "ground/threads/workers.h"

#include <sched.h>

#include <algorithm>

namespace tailcap::ground {
namespace {

// As many as this process may use: a container, or taskset, may leave it fewer than the machine has.
unsigned usable_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(CPU_COUNT(&set));
  return std::thread::hardware_concurrency();  // more than 1024 CPUs
}

}  // namespace

unsigned workers_of(unsigned count) { return std::clamp(count == 0 ? usable_cpus() : count, 1u, Workers::kMost); }

Workers::Workers(unsigned count) {
  for (std::size_t i = 1; i < workers_of(count); ++i) threads_.emplace_back([this, i] { loop(i); });
}

Workers::~Workers() {
  {
    const std::lock_guard hold(mutex_);
    over_ = true;
  }
  begun_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void Workers::work(std::size_t worker) {
  for (std::size_t piece = next_++; piece < pieces_; piece = next_++) (*act_)(worker, piece);
}

void Workers::loop(std::size_t worker) {
  std::size_t seen = 0;
  for (;;) {
    {
      std::unique_lock hold(mutex_);
      begun_.wait(hold, [&] { return over_ || task_ != seen; });
      if (over_) return;
      seen = task_;
    }
    work(worker);
    const std::lock_guard hold(mutex_);
    if (--busy_ == 0) done_.notify_one();
  }
}

void Workers::run(std::size_t pieces, const std::function<void(std::size_t, std::size_t)>& act) {
  act_ = &act;
  pieces_ = pieces;
  next_ = 0;
  if (threads_.empty() || pieces < 2) return work(0);
  {
    const std::lock_guard hold(mutex_);
    ++task_;
    busy_ = threads_.size();
  }
  begun_.notify_all();
  work(0);
  std::unique_lock hold(mutex_);
  done_.wait(hold, [&] { return busy_ == 0; });
}

}  // namespace tailcap::ground

#include "capture/record/build_ids.h"

#include <utility>

namespace tailcap::capture {

namespace {

constexpr std::size_t kMaxKnown = 65536;  // files; then those asked for are found again
constexpr std::size_t kMaxIdJobs = 4096;  // those beyond have no id until they are asked for again

}  // namespace

BuildIds::BuildIds(const scan::Processes& processes) : files_(processes), thread_([this] { run(); }) {}

BuildIds::~BuildIds() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  files_.stop();
  wake_.notify_all();
  thread_.join();
}

std::optional<std::string> BuildIds::of(const scan::MappedFile& file) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= kMaxIdJobs) return "";
    if (known_.size() >= kMaxKnown && jobs_.empty() && !busy_) known_.clear();
    const auto [known, fresh] = known_.try_emplace(file.key());
    if (!fresh) return known->second;
    jobs_.push_back(file);
  }
  wake_.notify_all();
  return std::nullopt;
}

void BuildIds::wait(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  idle_.wait_for(lock, most, [&] { return jobs_.empty() && !busy_; });
}

void BuildIds::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (jobs_.empty()) {
      idle_.notify_all();
      wake_.wait(lock);
      continue;
    }
    const scan::MappedFile job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    std::string id;
    if (const auto file = files_.open(job.path, job.candidates(), {job.device_number(), job.pid}))
      id = files_.build_id(*file).value_or("");
    lock.lock();
    known_[job.key()] = std::move(id);
    busy_ = false;
  }
}

}  // namespace tailcap::capture

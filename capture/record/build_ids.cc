#include "capture/record/build_ids.h"

#include <utility>

#include "capture/host/clocks.h"

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

std::optional<std::string> BuildIds::of(const scan::MappedFile& file, formats::Time asked) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= kMaxIdJobs) return "";
    if (known_.size() >= kMaxKnown && jobs_.empty() && !busy_) known_.clear();
    const auto [known, fresh] = known_.try_emplace(file.key());
    Known& last = known->second;
    if (!fresh && last.pending) return std::nullopt;
    if (!fresh && last.asked == asked && last.pid == file.pid) return last.id;
    const bool as_it_was = last.identity.inode != 0 && last.identity.changed < file.mapped_by;
    const bool mapped = last.mapper != 0 && number_of(last.pid) == last.mapper;
    if (!fresh && as_it_was && (mapped || last.read >= asked)) return last.id;
    last.pending = true;
    last.asked = asked;
    last.pid = file.pid;
    last.mapper = number_of(file.pid);
    jobs_.push_back(file);
  }
  wake_.notify_all();
  return std::nullopt;
}

std::uint64_t BuildIds::number_of(std::uint32_t pid) const {
  const auto found = mappers_.find(pid);
  return found == mappers_.end() ? 0 : found->second;
}

void BuildIds::maps(std::uint32_t pid) {
  const std::lock_guard lock(mutex_);
  if (mappers_.size() >= kMaxKnown) mappers_.clear();
  if (mappers_.try_emplace(pid, last_mapper_ + 1).second) ++last_mapper_;
}

void BuildIds::ended(std::uint32_t pid) {
  const std::lock_guard lock(mutex_);
  mappers_.erase(pid);
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
    Known known = known_[job.key()];
    lock.unlock();
    known.read = monotonic_now();  // what is mapped meanwhile may be another file's content
    const auto file = files_.open(job.path, job.candidates(), {job.device_number(), job.pid});
    const scan::Identity identity = file ? file->identity : scan::Identity();
    if (identity != known.identity) known.id = file ? files_.build_id(*file).value_or("") : "";
    known.identity = identity;
    known.pending = false;
    lock.lock();
    known_[job.key()] = std::move(known);
    busy_ = false;
  }
}

}  // namespace tailcap::capture

#include "capture/stacks/code_files.h"

#include <algorithm>
#include <chrono>

namespace tailcap::capture::stacks {

namespace {

constexpr std::size_t kMaxFiles = 4096;
constexpr std::uint64_t kMaxMemory = 160u << 20;  // of all names: node takes 20 MiB; files beyond stay without
constexpr std::size_t kMaxTold = 65536;           // places of one file; then it begins anew
constexpr std::size_t kMaxFrameName = 256;

}  // namespace

std::string frame_name(std::string_view name) {
  std::string out(name.substr(0, kMaxFrameName));
  for (char& c : out) {
    if (c == ';' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (name.size() > kMaxFrameName) out.replace(out.size() - 3, 3, "...");
  return out;
}

const std::string& CodeFile::name(std::uint64_t file_offset) {
  if (!ready() || !names_) return label_;
  const auto known = told_.find(file_offset);
  if (known != told_.end()) return known->second;
  if (told_.size() >= kMaxTold) told_.clear();
  const std::string name = names_->at(file_offset);
  return told_.emplace(file_offset, name.empty() ? label_ : frame_name(name)).first->second;
}

CodeFiles::CodeFiles(const scan::Processes& processes) : target_files_(processes), thread_([this] { run(); }) {}

CodeFiles::~CodeFiles() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  target_files_.stop();
  wake_.notify_all();
  thread_.join();
}

std::shared_ptr<CodeFile> CodeFiles::file(const scan::MappedFile& mapped) {
  if (files_.size() >= kMaxFiles) files_.clear();
  auto& known = files_[mapped.key()];
  if (known) return known;
  std::string_view name(mapped.path);
  constexpr std::string_view kDeleted = " (deleted)";
  if (name.ends_with(kDeleted)) name.remove_suffix(kDeleted.size());
  known = std::make_shared<CodeFile>("[" + frame_name(name.substr(name.rfind('/') + 1)) + "]", true);
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({known, mapped});
  }
  wake_.notify_all();
  return known;
}

// Places in a file that is no ELF file of this processor have no names.
void CodeFiles::read(const Job& job) {
  const auto file =
      target_files_.open(job.mapped.path, job.mapped.candidates(), {job.mapped.device_number(), job.mapped.pid});
  auto names = file ? target_files_.names(*file) : std::nullopt;
  if (names && memory_ + names->memory() <= kMaxMemory) {
    memory_ += names->memory();
    job.file->names_ = std::move(names);
  }
  job.file->ready_.store(true, std::memory_order_release);
}

void CodeFiles::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (jobs_.empty()) {
      idle_.notify_all();
      wake_.wait(lock);
      continue;
    }
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    read(job);
    lock.lock();
    busy_ = false;
  }
}

void CodeFiles::wait(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  idle_.wait_for(lock, most, [&] { return jobs_.empty() && !busy_; });
}

}  // namespace tailcap::capture::stacks

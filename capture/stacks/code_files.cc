#include "capture/stacks/code_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>

namespace tailcap::capture::stacks {

namespace {

constexpr std::size_t kMaxFiles = 4096;
constexpr std::uint64_t kMaxMemory = 512u << 20;  // of all names; files beyond stay without
constexpr std::size_t kMaxTold = 65536;           // places of one file; then it begins anew
constexpr std::size_t kMaxFrameName = 256;

bool regular(int descriptor, const std::uint64_t* inode) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && (!inode || status.st_ino == *inode);
}

int open_file(const CodeFiles::Mapped& mapped) {
  constexpr int kHow = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  int descriptor = open(mapped.mapping.c_str(), kHow);
  if (descriptor >= 0 && regular(descriptor, nullptr)) return descriptor;
  if (descriptor >= 0) close(descriptor);
  descriptor = open(mapped.named.c_str(), kHow);
  if (descriptor >= 0 && regular(descriptor, &mapped.inode)) return descriptor;
  if (descriptor >= 0) close(descriptor);  // another file has this name by now
  return -1;
}

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

CodeFiles::CodeFiles() : thread_([this] { run(); }) {}

CodeFiles::~CodeFiles() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
  for (const Job& job : jobs_) close(job.descriptor);
}

std::shared_ptr<CodeFile> CodeFiles::file(const Mapped& mapped) {
  if (files_.size() >= kMaxFiles) files_.clear();
  auto& known = files_[mapped.device + ":" + std::to_string(mapped.inode)];
  if (known) return known;
  std::string_view name(mapped.path);
  constexpr std::string_view kDeleted = " (deleted)";
  if (name.ends_with(kDeleted)) name.remove_suffix(kDeleted.size());
  const int descriptor = open_file(mapped);
  known = std::make_shared<CodeFile>("[" + frame_name(name.substr(name.rfind('/') + 1)) + "]", descriptor >= 0);
  if (descriptor < 0) return known;
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({known, descriptor});
  }
  wake_.notify_all();
  return known;
}

void CodeFiles::read(const Job& job) {
  try {
    const auto elf = symbols::ElfFile::open("/proc/self/fd/" + std::to_string(job.descriptor));
    symbols::CodeNames names(elf);
    if (memory_ + names.memory() <= kMaxMemory) {
      memory_ += names.memory();
      job.file->names_.emplace(std::move(names));
    }
  } catch (const std::exception&) {
    // No ELF file of this processor: its places have no names.
  }
  close(job.descriptor);
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

// The files that targets execute, and the names of their functions. Other processes (capture/scan) open and read the
// files, and a separate thread waits for them: node has 100 MB, and the ring must be emptied meanwhile.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "capture/scan/mapped_file.h"
#include "capture/scan/target_files.h"
#include "capture/symbols/code_names.h"

namespace tailcap::capture::stacks {

class CodeFile {
 public:
  // label: the name of places without a name. reads: the file will be read.
  CodeFile(std::string label, bool reads) : label_(std::move(label)), ready_(!reads) {}

  bool ready() const { return ready_.load(std::memory_order_acquire); }
  // The name of a place, as written in a stack; the label while it is not ready.
  const std::string& name(std::uint64_t file_offset);

 private:
  friend class CodeFiles;
  std::string label_;
  std::atomic<bool> ready_;
  std::optional<symbols::CodeNames> names_;  // owned by the reading thread until ready
  std::unordered_map<std::uint64_t, std::string> told_;
};

// A name that cannot break a stack's text: without ';' and line ends, and not longer than a frame's name may be.
std::string frame_name(std::string_view name);

class CodeFiles {
 public:
  // processes must outlive this object.
  explicit CodeFiles(const scan::Processes& processes);
  ~CodeFiles();  // does not wait for files
  CodeFiles(const CodeFiles&) = delete;
  CodeFiles& operator=(const CodeFiles&) = delete;

  // A new file is read soon.
  std::shared_ptr<CodeFile> file(const scan::MappedFile& mapped);
  // Returns when everything is read, or after `most`.
  void wait(std::chrono::milliseconds most);

 private:
  struct Job {
    std::shared_ptr<CodeFile> file;
    scan::MappedFile mapped;
  };
  void run();
  void read(const Job& job);

  std::unordered_map<std::string, std::shared_ptr<CodeFile>> files_;
  std::uint64_t memory_ = 0;  // used by the thread
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<Job> jobs_;
  bool busy_ = false, stop_ = false;
  scan::TargetFiles target_files_;
  std::thread thread_;
};

}  // namespace tailcap::capture::stacks

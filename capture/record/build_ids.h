// Build-ids of the files that targets map. A separate thread reads them: the ring must be emptied whatever a file does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "capture/scan/mapped_file.h"
#include "capture/scan/target_files.h"

namespace tailcap::capture {

class BuildIds {
 public:
  // processes must outlive this object.
  explicit BuildIds(const scan::Processes& processes);
  ~BuildIds();  // does not wait for files
  BuildIds(const BuildIds&) = delete;
  BuildIds& operator=(const BuildIds&) = delete;

  // Empty: it has none, or it cannot be read. Nothing: not known yet; it is being read.
  std::optional<std::string> of(const scan::MappedFile& file);
  // Returns when all requested ones are known, or after `most`.
  void wait(std::chrono::milliseconds most);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::unordered_map<std::string, std::optional<std::string>> known_;  // by key
  std::deque<scan::MappedFile> jobs_;
  bool busy_ = false, stop_ = false;
  scan::TargetFiles files_;
  std::thread thread_;
};

}  // namespace tailcap::capture

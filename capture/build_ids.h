// Build-ids of the files that targets map, found by a thread of its own: the ring must be emptied whatever a file does.
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
  // processes must outlive this.
  explicit BuildIds(const scan::Processes& processes);
  ~BuildIds();  // waits for no file
  BuildIds(const BuildIds&) = delete;
  BuildIds& operator=(const BuildIds&) = delete;

  // Empty: it has none, or it cannot be read. Nothing: that is not known yet, but is being found out.
  std::optional<std::string> of(const scan::MappedFile& file);
  // Returns when all that was asked for is known, or after so long.
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

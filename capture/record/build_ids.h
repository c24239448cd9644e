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
#include "capture/scan/opener.h"
#include "capture/scan/target_files.h"
#include "formats/time.h"

namespace tailcap::capture {

class BuildIds {
 public:
  // processes must outlive this object.
  explicit BuildIds(const scan::Processes& processes);
  ~BuildIds();  // does not wait for files
  BuildIds(const BuildIds&) = delete;
  BuildIds& operator=(const BuildIds&) = delete;

  // The process maps files from now on.
  void maps(std::uint32_t pid);
  // asked: when it was mapped. Empty: it has none, or it cannot be read. Nothing: not known yet; it is being read.
  std::optional<std::string> of(const scan::MappedFile& file, formats::Time asked);
  // The process maps nothing of what it mapped: its files may be removed, and their inodes be other files'.
  void ended(std::uint32_t pid);
  // Returns when all requested ones are known, or after `most`.
  void wait(std::chrono::milliseconds most);

 private:
  struct Known {
    bool pending = true;
    std::string id;
    scan::Identity identity;                 // of the file that has it
    formats::Time read = formats::kNoTime;   // what was mapped before has this content, where it has not changed since
    formats::Time asked = formats::kNoTime;  // for whose mapping it was read: this process's
    std::uint32_t pid = 0;
    std::uint64_t mapper = 0;  // the process's number in mappers_; 0: it had ended
  };
  std::uint64_t number_of(std::uint32_t pid) const;  // 0: it has none
  void run();

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::unordered_map<std::string, Known> known_;              // by key
  std::unordered_map<std::uint32_t, std::uint64_t> mappers_;  // processes that have not ended, numbered from 1
  std::uint64_t last_mapper_ = 0;
  std::deque<scan::MappedFile> jobs_;
  bool busy_ = false, stop_ = false;
  scan::TargetFiles files_;
  std::thread thread_;
};

}  // namespace tailcap::capture

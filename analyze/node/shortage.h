// Memory that is short, and disks that are slow.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/model/study/node_study.h"
#include "analyze/node/names.h"
#include "formats/event_names.h"
#include "formats/stall.h"

namespace tailcap::node {

class Shortage {
 public:
  static constexpr std::size_t kMaxProcesses = 10'000;  // of each kind; what others do is counted without their names
  static constexpr std::size_t kMaxDevices = 1'000;

  // disks: stalls of block I/O are of disks, whatever waited.
  explicit Shortage(bool disks) : disks_told_(disks) {}
  void push(const formats::Event& event, const ProcessNames& names);
  void fill(model::NodeStudy& study) const;

 private:
  struct Held {
    model::MemoryWaits all;
    std::unordered_map<std::uint32_t, model::MemoryWaits::Process> by_pid;
  };
  struct Device {
    model::SlowDisk all;
    std::map<std::string, std::uint64_t> by_name;
  };
  static void add(Held& held, std::uint32_t pid, formats::Duration time, const ProcessNames& names);
  static model::MemoryWaits listed(const Held& held);
  void disk(const formats::Event& event, const formats::Stall& stall, formats::Duration time,
            const ProcessNames& names);

  bool disks_told_;
  Held reclaim_, compaction_;
  std::uint64_t fragments_ = 0, slow_ = 0, victims_count_ = 0;
  std::map<std::uint64_t, std::uint64_t> orders_;
  std::map<std::uint32_t, Device> devices_;
  std::vector<model::OomVictim> victims_;
};

}  // namespace tailcap::node

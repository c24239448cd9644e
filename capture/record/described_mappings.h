// The executable mappings of processes, with the build-ids of their files, which come later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "capture/log/event_log.h"
#include "capture/record/build_ids.h"
#include "capture/scan/process_text.h"

namespace tailcap::capture {

class DescribedMappings {
 public:
  // Both must outlive this object.
  DescribedMappings(const scan::Processes& processes, EventLog& log) : log_(log), build_ids_(processes) {}

  // Describes the process's mappings, now or once their build-ids are known; at_once: now, without unknown ones.
  void describe(std::uint32_t pid, std::vector<scan::MappingFacts> mappings, formats::Time now, bool at_once);
  void ended(std::uint32_t pid) { build_ids_.ended(pid); }  // or runs another program
  // Pushes mappings with build-ids that became known meanwhile, or that have been unknown for too long.
  void push_known(formats::Time now);
  // Describes all that are left, with the build-ids that arrive within a short time.
  void push_rest();

 private:
  struct Described {
    std::uint32_t pid = 0;
    formats::Time asked{};
    std::vector<scan::MappingFacts> mappings;
  };
  // Whether all build-ids are known; where they are not, only anyway.
  bool push(const Described& described, formats::Time now, bool anyway);
  void push_waiting(formats::Time now, bool anyway);

  EventLog& log_;
  BuildIds build_ids_;
  std::deque<Described> waiting_;
  std::size_t waiting_mappings_ = 0;
};

}  // namespace tailcap::capture

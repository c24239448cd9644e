// Kernel programs at places in functions of programs and libraries (uprobes).
//
// Probes never replace return addresses. From Linux 6.6 on, many places are one link, which the kernel detaches in one
// step; before that each place is a perf event, and detaching takes a tenth of a second for each.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "capture/symbols/function_probe.h"

namespace tailcap::capture {

namespace scan {
class TargetFiles;
struct TargetFile;
}  // namespace scan

class FunctionLinks {
 public:
  FunctionLinks();
  ~FunctionLinks();  // detaches
  FunctionLinks(const FunctionLinks&) = delete;
  FunctionLinks& operator=(const FunctionLinks&) = delete;

  // Descriptors of the loaded programs; -1: not loaded. many: they were loaded for links of many places.
  void use(const std::array<int, kFunctionPrograms>& programs, bool many);
  // Attaches in all processes that run the file: all places, or none. Returns the reason, or "". A group can be
  // detached before the others, and attached again: anew. pid: in this process alone, in files that may be renamed or
  // deleted meanwhile.
  std::string attach(scan::TargetFiles& files, const scan::TargetFile& file, const std::vector<FunctionProbe>& places,
                     std::uint32_t group, bool anew, std::uint32_t pid = 0);
  void detach(std::uint32_t group);
  // Removes the places of all groups from this number on, for a time: those that are attached meanwhile are placed when
  // the rest ends, anew. Then returns what the kernel refused; that stays detached.
  void may_rest_from(std::uint32_t group) { resting_from_ = group; }
  struct Refused {
    std::string file, reason;
  };
  std::vector<Refused> rest(scan::TargetFiles& files, bool on);
  // From now on, places on a call are not probed, and groups with such places are detached: a process has a shadow
  // stack.
  void avoid_calls();
  void detach();
  bool many() const { return many_; }  // detaching takes milliseconds

 private:
  struct Resting;
  std::string place(scan::TargetFiles& files, const scan::TargetFile& file, const std::vector<FunctionProbe>& places,
                    std::uint32_t group, bool anew, std::uint32_t pid = 0);

  std::array<int, kFunctionPrograms> programs_{};
  bool many_ = false, avoids_calls_ = false;
  std::set<std::uint32_t> groups_with_calls_;
  std::map<std::uint32_t, std::vector<int>> links_;  // by group: a link, or a link before its perf event
  std::uint32_t resting_from_ = UINT32_MAX;
  std::map<std::uint32_t, std::unique_ptr<Resting>> resting_;  // by group: what is placed again
  bool rests_ = false;
};

}  // namespace tailcap::capture

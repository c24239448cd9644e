// What the CPUs of the machine did, to a tenth of a second: who used them, and what the hypervisor took.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "analyze/model/machine/users.h"
#include "formats/event_names.h"

namespace tailcap::model {

class CpuAccount {
 public:
  // Averages over intervals, in CPUs.
  struct Use {
    bool known = false;                                 // processes were counted in most of them
    double steal = 0, idle = 0, recorder = 0, own = 0;  // own: of the recorded processes
    std::vector<CpuTaker> takers;                       // all others that the events name, most first
  };

  void push(const formats::Event& event, const formats::MachineCpu& cpu);
  // A recorded process was off the CPU, and what was stolen from it before, ns.
  void recorded(std::uint32_t pid, std::int64_t stolen);

  // The kernel can tell what the hypervisor takes.
  bool tells_steal() const { return tells_steal_ && !several_machines_; }
  // Threads tell what was stolen from them: it is not part of their time on the CPU.
  bool threads_tell() const { return threads_tell_; }
  // ns that the hypervisor took from all CPUs; -1: not known.
  std::int64_t stolen() const { return tells_steal() ? stolen_ : -1; }
  // Likewise, in the tenths of a second that [from, to) touches. 0 where it is not known.
  std::int64_t stolen_around(std::int64_t from, std::int64_t to) const;
  // of: [from, to) in ns of the capture's clock, disjoint, in order of time.
  using Interval = std::pair<std::int64_t, std::int64_t>;
  Use over(std::span<const Interval> of) const;
  // The use of disks is recorded at all moments.
  void tells_all_disk_use() { all_disk_use_ = true; }
  // There are moments at which nothing was counted.
  void has_gaps() { gaps_ = true; }
  // All processes, recorded or not, that read or changed much in the tenths of a second that `of` touches, and how
  // often they did so in stretches of that length of the whole recording.
  std::vector<DiskUser> disk_users(std::span<const Interval> of) const;
  // Who used them of the processes that `wanted` names, recorded or not, most first. Empty: not known.
  std::vector<CpuTaker> users(std::span<const Interval> of, const std::function<bool(std::uint32_t)>& wanted) const;

 private:
  static constexpr std::size_t kMaxSlices = 1u << 20;  // more than a day
  static constexpr std::size_t kMaxRows = 8u << 20;

  struct Row {
    std::uint32_t pid = 0, comm = 0;  // comm: index into names_
    std::int64_t time = 0;
    std::uint64_t read = 0, written = 0;
  };
  struct Slice {
    std::int64_t from = 0, to = 0, idle = 0, steal = 0, recorder = 0;
    std::size_t first = 0, count = 0;  // rows
    bool processes = false;            // were counted
  };

  // By name: the slices in which they used disks, in order of time.
  struct DiskUse {
    DiskUser user;
    std::vector<Interval> when;
  };
  void compare_with_chance(std::span<const Interval> of, DiskUse& use) const;
  Slice* slice_of(std::int64_t from, std::int64_t to);
  std::uint32_t name(std::string_view comm);

  std::vector<Slice> slices_;  // by time; they do not overlap
  std::vector<Row> rows_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::int64_t stolen_ = 0;
  std::unordered_set<std::uint32_t> recorded_;
  std::uint32_t recorder_ = 0, last_recorded_ = 0;
  bool tells_steal_ = false, threads_tell_ = false, several_machines_ = false;
  bool all_disk_use_ = false, gaps_ = false;
};

}  // namespace tailcap::model

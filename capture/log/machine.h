// What the CPUs of the machine did, as events: ten times a second where it may explain a delay, else once a second.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "bpf/event.h"
#include "capture/host/cpu_times.h"
#include "capture/log/event_log.h"
#include "capture/log/non_targets.h"
#include "capture/probes/probes.h"

namespace tailcap::capture {

// Who used the CPUs.
struct CpuSums {
  struct User {
    std::int64_t time = 0;                // ns; may be below 0 by what an earlier look counted too much
    std::uint64_t read = 0, written = 0;  // bytes
    std::string comm;                     // empty: not known yet
    bool carried = false;                 // from before the last forget()
  };

  std::unordered_map<std::uint32_t, User> users;
  std::int64_t others = 0;  // ns

  // Adds the time on CPUs, not the bytes.
  void add_times(const CpuSums& later);
};

class CpuUsers {
 public:
  // Reads the tables of all CPUs.
  void look(std::span<const bpf::cpu_table> tables);
  void forget();
  // Since the last call of forget().
  const CpuSums& sums() const { return sums_; }

 private:
  struct Slot {
    std::uint64_t time = 0, read = 0, written = 0;
    std::uint32_t tgid = 0, changes = 0;
  };
  struct Cpu {
    std::array<Slot, CPU_SLOTS> slots{};
    std::uint64_t others = 0;
    std::uint32_t running = 0;  // the process, and for how long its current slice was counted already
    std::int64_t counted = 0;
  };

  void look(const bpf::cpu_table& table, Cpu& known);

  std::vector<Cpu> cpus_;
  CpuSums sums_;
  bool first_ = true;
};

class MachineAccount {
 public:
  // met: the processes that it names.
  MachineAccount(Probes& probes, EventLog& log, NonTargets& met);
  // To be called at every tick.
  void tick(formats::Time now);

 private:
  void write(formats::Time since, formats::Time now, const CpuTimes& from, const CpuTimes& to, const CpuSums& sums);
  void write_processes(formats::Time since, formats::Time now, const CpuSums& sums);
  void write(formats::Time since, formats::Time now, formats::CpuUser user, std::int64_t time, std::uint32_t pid = 0,
             std::string_view comm = {}, std::uint64_t read = 0, std::uint64_t written = 0);
  bool is_recorder(std::uint32_t pid) const;
  bool disks_used() const;

  Probes& probes_;
  EventLog& log_;
  NonTargets& met_;
  CpuUsers users_;                                        // since the last tick
  CpuSums earlier_;                                       // from what was last written to the last tick; without bytes
  std::unordered_map<std::uint32_t, std::string> named_;  // processes in the last account
  std::optional<CpuTimes> written_times_, last_times_;
  formats::Time written_ = formats::kNoTime, last_ = formats::kNoTime, next_ = formats::kNoTime;
  std::uint64_t long_waits_ = 0;
  bool tells_steal_ = false, counts_processes_ = false;
};

}  // namespace tailcap::capture

// What the CPUs of the machine did, as events: at most ten times a second, and only where it may explain a delay.
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

// Who used the CPUs since the last look.
class CpuUsers {
 public:
  struct User {
    std::int64_t time = 0;                // ns; may be below 0 by what an earlier look counted too much
    std::uint64_t read = 0, written = 0;  // bytes
    std::string comm;                     // empty: not known yet
    bool carried = false;                 // from before the last forget()
  };

  // Reads the tables of all CPUs. The sums since the last call of forget() are in users() and others().
  void look(std::span<const bpf::cpu_table> tables);
  void forget();
  const std::unordered_map<std::uint32_t, User>& users() const { return users_; }
  std::int64_t others() const { return others_; }

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
  std::unordered_map<std::uint32_t, User> users_;
  std::int64_t others_ = 0;
  bool first_ = true;
};

class MachineAccount {
 public:
  // met: the processes that it names.
  MachineAccount(Probes& probes, EventLog& log, NonTargets& met);
  // To be called at every tick.
  void tick(formats::Time now);

 private:
  void write(formats::Time since, formats::Time now, const CpuTimes& from, const CpuTimes& to, bool processes);
  void write_processes(formats::Time since, formats::Time now);
  void write(formats::Time since, formats::Time now, formats::CpuUser user, std::int64_t time, std::uint32_t pid = 0,
             std::string_view comm = {}, std::uint64_t read = 0, std::uint64_t written = 0);
  bool is_recorder(std::uint32_t pid) const;
  bool disks_used() const;

  Probes& probes_;
  EventLog& log_;
  NonTargets& met_;
  CpuUsers users_;
  std::unordered_map<std::uint32_t, std::string> named_;  // processes in the last account
  std::optional<CpuTimes> written_times_, last_times_;
  formats::Time written_ = formats::kNoTime, last_ = formats::kNoTime, next_ = formats::kNoTime;
  std::uint64_t long_waits_ = 0;
  bool tells_steal_ = false, counts_processes_ = false;
};

}  // namespace tailcap::capture

#include "capture/log/machine.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "capture/host/clocks.h"
#include "capture/host/system_file.h"

namespace tailcap::capture {

using namespace formats;

namespace {

constexpr Duration kQuiet{1'000'000'000};  // how often it is written where no thread waits
// /proc/stat of a large machine takes long to read: at most this share of the time is spent on it.
constexpr int kShareOfTime = 200;
constexpr std::size_t kProcesses = 8;
constexpr std::int64_t kWorthAName = 1'000'000;  // ns; less is with the others
constexpr std::uint64_t kMuch = 1u << 20;        // bytes of files; less does not name a process
constexpr std::int64_t kLongestInterval = 60'000'000'000;

std::string comm_of(std::uint32_t pid) {
  std::string comm = read_system_file("/proc/" + std::to_string(pid) + "/comm", COMM_SIZE);
  if (comm.ends_with('\n')) comm.pop_back();
  return comm;
}

// The kernel writes there meanwhile.
template <class T>
T value(const T& in_kernel) {
  return std::atomic_ref(const_cast<T&>(in_kernel)).load(std::memory_order_acquire);
}

// What cannot have happened was read while it changed.
std::int64_t plausible(std::uint64_t ns) { return ns < kLongestInterval ? static_cast<std::int64_t>(ns) : 0; }

}  // namespace

void CpuUsers::look(const bpf::cpu_table& table, Cpu& known) {
  const std::uint64_t others = value(table.others);
  std::uint64_t told = 0;  // of those that were replaced, counted before
  for (std::size_t i = 0; i < CPU_SLOTS; i++) {
    const bpf::cpu_slot& slot = table.slots[i];
    Slot now;
    char comm[COMM_SIZE];
    now.changes = value(slot.changes);
    now.tgid = value(slot.tgid);
    now.time = value(slot.time);
    now.read = value(slot.read);
    now.written = value(slot.written);
    std::memcpy(comm, slot.comm, sizeof comm);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (now.tgid == 0 || now.changes % 2 != 0 || value(slot.changes) != now.changes) continue;  // the next look sees it
    Slot& before = known.slots[i];
    const bool same = before.changes == now.changes;
    if (same && before.time == now.time) continue;
    if (!same) told += before.time;
    if (!first_) {
      CpuSums::User& user = sums_.users[now.tgid];
      user.time += plausible(now.time - (same ? before.time : 0));
      user.read += now.read - (same ? std::min(now.read, before.read) : 0);
      user.written += now.written - (same ? std::min(now.written, before.written) : 0);
      user.comm.assign(comm, strnlen(comm, sizeof comm));
    }
    before = now;
  }
  if (!first_ && others > known.others + told) sums_.others += plausible(others - known.others - told);
  known.others = others;
  // The slice that has not ended yet.
  const std::uint32_t running = value(table.running);
  const auto slice = static_cast<std::int64_t>(value(table.clock) - value(table.switched));
  const std::int64_t counted =
      running != 0 && value(table.switched) != 0 ? std::clamp<std::int64_t>(slice, 0, kLongestInterval) : 0;
  if (!first_) {
    if (known.running != 0) sums_.users[known.running].time -= known.counted;
    if (running != 0) sums_.users[running].time += counted;
  }
  known.running = running;
  known.counted = counted;
}

void CpuUsers::look(std::span<const bpf::cpu_table> tables) {
  if (cpus_.size() != tables.size()) {
    cpus_.assign(tables.size(), {});
    first_ = true;
  }
  for (std::size_t i = 0; i < tables.size(); i++) look(tables[i], cpus_[i]);
  first_ = false;
}

// What was counted too much so far is taken from what comes next.
void CpuUsers::forget() {
  std::erase_if(sums_.users, [](const auto& user) { return user.second.time >= 0 || user.second.carried; });
  for (auto& [pid, user] : sums_.users) {
    user.carried = true;
    user.read = user.written = 0;
  }
  sums_.others = 0;
}

void CpuSums::add_times(const CpuSums& later) {
  for (const auto& [pid, user] : later.users) {
    if (user.time <= 0) continue;  // below 0: carried on
    User& sum = users[pid];
    sum.time += user.time;
    if (!user.comm.empty()) sum.comm = user.comm;
  }
  others += later.others;
}

MachineAccount::MachineAccount(Probes& probes, EventLog& log, NonTargets& met)
    : probes_(probes), log_(log), met_(met) {}

bool MachineAccount::is_recorder(std::uint32_t pid) const {
  const auto& own = probes_.settings().own_processes;
  return pid == static_cast<std::uint32_t>(getpid()) || std::find(own.begin(), own.end(), pid) != own.end();
}

// Use of disks is written at all moments, so that it is known how often a wait meets it by chance.
bool MachineAccount::disks_used() const {
  return std::ranges::any_of(users_.sums().users, [&](const auto& user) {
    return user.second.read + user.second.written >= kMuch && !is_recorder(user.first);
  });
}

void MachineAccount::tick(Time now) {
  if (known(next_) && now < next_) return;
  const auto times = read_cpu_times();
  next_ = now + kShareOfTime * (monotonic_now() - now);
  if (!times) return;
  const auto tables = probes_.cpu_tables();
  counts_processes_ = !tables.empty();
  users_.look(tables);
  const std::uint64_t queues = probes_.long_waits();
  if (last_times_) {
    tells_steal_ = tells_steal_ || times->steal > 0;
    const bool worth = queues != long_waits_ || times->steal > last_times_->steal || disks_used();
    if (worth) {
      if (written_ < last_) write(written_, last_, *written_times_, *last_times_, earlier_);
      write(last_, now, *last_times_, *times, users_.sums());
    } else {
      // A wait is counted when it ends; who had the CPU before that is written, too.
      earlier_.add_times(users_.sums());
      if (now - written_ >= kQuiet) write(written_, now, *written_times_, *times, earlier_);
    }
  } else {
    tells_steal_ = tells_steal(*times);
    written_ = now;
    written_times_ = times;
  }
  users_.forget();
  long_waits_ = queues;
  last_ = now;
  last_times_ = times;
}

void MachineAccount::write(Time since, Time now, CpuUser user, std::int64_t time, std::uint32_t pid,
                           std::string_view comm, std::uint64_t read, std::uint64_t written) {
  const auto self = static_cast<std::uint32_t>(getpid());
  log_.push({now, {self, self}, MachineCpu{user, since, Duration{time}, pid, comm, read, written}});
}

void MachineAccount::write(Time since, Time now, const CpuTimes& from, const CpuTimes& to, const CpuSums& sums) {
  const auto some = [&](CpuUser user, std::int64_t time) {
    if (time > 0) write(since, now, user, time);
  };
  some(CpuUser::idle, to.idle - from.idle);
  some(CpuUser::iowait, to.iowait - from.iowait);
  some(CpuUser::irq, to.irq - from.irq);
  some(CpuUser::softirq, to.softirq - from.softirq);
  if (tells_steal_) write(since, now, CpuUser::steal, std::max<std::int64_t>(0, to.steal - from.steal));
  if (counts_processes_) write_processes(since, now, sums);
  written_ = now;
  written_times_ = to;
  earlier_ = {};
}

void MachineAccount::write_processes(Time since, Time now, const CpuSums& sums) {
  std::int64_t own = 0, others = sums.others;
  std::vector<std::pair<std::int64_t, std::uint32_t>> most;
  const auto much = [&](std::uint32_t pid) {
    const CpuSums::User& user = sums.users.at(pid);
    return user.read + user.written >= kMuch;
  };
  for (const auto& [pid, user] : sums.users) {
    const std::int64_t time = std::max<std::int64_t>(0, user.time);
    if (is_recorder(pid))
      own += time;
    else if (time >= kWorthAName || much(pid))
      most.emplace_back(time, pid);
    else
      others += time;
  }
  std::sort(most.rbegin(), most.rend());
  std::size_t busy = 0, writers = 0;
  std::erase_if(most, [&](const auto& one) {
    if (busy++ < kProcesses || (much(one.second) && writers++ < kProcesses)) return false;
    others += one.first;
    return true;
  });
  std::unordered_map<std::uint32_t, std::string> named;
  for (const auto& [time, pid] : most) {
    // The kernel's table has the name from before an exec; of a process that has ended, the one last seen counts.
    std::string comm = comm_of(pid);
    if (comm.empty()) comm = named_.contains(pid) ? named_[pid] : sums.users.at(pid).comm;
    const CpuSums::User& user = sums.users.at(pid);
    write(since, now, CpuUser::process, time, pid, comm, user.read, user.written);
    met_.met(pid);
    named[pid] = std::move(comm);
  }
  named_ = std::move(named);
  write(since, now, CpuUser::others, others);
  write(since, now, CpuUser::recorder, own, static_cast<std::uint32_t>(getpid()), "tailcap-record");
}

}  // namespace tailcap::capture

#include "analyze/model/machine/cpu_account.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "analyze/model/statistics/binomial.h"
#include "formats/event.h"
#include "formats/machine.h"
#include "formats/recorder_event.h"

namespace tailcap::model {
namespace {

using formats::CpuUser;
using formats::nanoseconds;

constexpr std::int64_t kMostCpus = 1 << 16;
constexpr std::size_t kMaxNames = 64u << 10;
constexpr std::uint64_t kLeastBytes = 1u << 20;  // in a tenth of a second; less is no burden to a disk

// Threads of the kernel that exist once per CPU are one: "kworker/3:1-events", "ksoftirqd/0".
std::string_view without_cpu(std::string_view comm) {
  const auto slash = comm.find('/');
  if (slash == comm.npos || slash == 0 || slash + 1 >= comm.size()) return comm;
  const auto digit = [&](std::size_t at) {
    return at < comm.size() && std::isdigit(static_cast<unsigned char>(comm[at]));
  };
  return digit(slash + 1) || (comm[slash + 1] == 'u' && digit(slash + 2)) ? comm.substr(0, slash) : comm;
}

std::int64_t common(std::int64_t from, std::int64_t to, const CpuAccount::Interval& with) {
  return std::max<std::int64_t>(0, std::min(to, with.second) - std::max(from, with.first));
}

}  // namespace

CpuAccount::Slice* CpuAccount::slice_of(std::int64_t from, std::int64_t to) {
  if (!slices_.empty() && slices_.back().from == from && slices_.back().to == to) return &slices_.back();
  if (from <= 0 || from >= to || slices_.size() >= kMaxSlices) return nullptr;
  if (!slices_.empty() && from < slices_.back().to) return nullptr;
  Slice& slice = slices_.emplace_back();
  slice.from = from;
  slice.to = to;
  slice.first = rows_.size();
  return &slice;
}

std::uint32_t CpuAccount::name(std::string_view comm) {
  const std::string key(without_cpu(comm));
  const auto at = numbers_.find(key);
  if (at != numbers_.end()) return at->second;
  if (names_.size() >= kMaxNames) return static_cast<std::uint32_t>(names_.size() - 1);
  names_.push_back(key);
  return numbers_[key] = static_cast<std::uint32_t>(names_.size() - 1);
}

void CpuAccount::push(const formats::Event& event, const formats::MachineCpu& cpu) {
  // In a merged capture the account of one machine says nothing of another.
  if (recorder_ != 0 && formats::machine_of(recorder_) != formats::machine_of(event.thread.pid))
    several_machines_ = true;
  recorder_ = event.thread.pid;
  Slice* slice = slice_of(nanoseconds(cpu.began), nanoseconds(event.time));
  if (!slice) return;
  const std::int64_t time = std::clamp<std::int64_t>(cpu.time.count(), 0, (slice->to - slice->from) * kMostCpus);
  switch (cpu.user) {
    case CpuUser::idle:
    case CpuUser::iowait:
      slice->idle += time;
      return;
    case CpuUser::steal:
      tells_steal_ = true;
      slice->steal += time;
      stolen_ += time;
      return;
    case CpuUser::recorder:
      slice->recorder += time;
      return;
    case CpuUser::others:
      slice->processes = true;
      return;
    case CpuUser::process:
      slice->processes = true;
      if (rows_.size() >= kMaxRows) return;
      rows_.push_back({cpu.pid, name(cpu.comm), time, cpu.read, cpu.written});
      ++slice->count;
      return;
    case CpuUser::irq:
    case CpuUser::softirq:
    case CpuUser::unknown:
      return;
  }
}

void CpuAccount::recorded(std::uint32_t pid, std::int64_t stolen) {
  threads_tell_ = threads_tell_ || stolen > 0;
  if (pid == last_recorded_ || recorded_.size() >= kMaxNames) return;
  last_recorded_ = pid;
  recorded_.insert(pid);
}

std::int64_t CpuAccount::stolen_around(std::int64_t from, std::int64_t to) const {
  if (!tells_steal()) return 0;
  auto at = std::partition_point(slices_.begin(), slices_.end(), [&](const Slice& s) { return s.to <= from; });
  std::int64_t sum = 0;
  for (; at != slices_.end() && at->from < to; ++at) sum += at->steal;
  return sum;
}

CpuAccount::Use CpuAccount::over(std::span<const Interval> of) const {
  Use use;
  if (several_machines_) return use;
  struct Sum {
    double time = 0;
    std::set<std::uint32_t> pids;
  };
  std::map<std::uint32_t, Sum> by_name;
  double known = 0, counted = 0, all = 0;
  for (const auto& [from, to] : of) all += static_cast<double>(to - from);
  std::size_t next = 0;
  for (const Slice& s : slices_) {
    while (next < of.size() && of[next].second <= s.from) ++next;
    std::int64_t overlap = 0;
    for (std::size_t i = next; i < of.size() && of[i].first < s.to; ++i) overlap += common(s.from, s.to, of[i]);
    if (overlap == 0) continue;
    const double share = static_cast<double>(overlap) / static_cast<double>(s.to - s.from);
    known += static_cast<double>(overlap);
    use.steal += share * static_cast<double>(s.steal);
    use.idle += share * static_cast<double>(s.idle);
    use.recorder += share * static_cast<double>(s.recorder);
    if (!s.processes) continue;
    counted += static_cast<double>(overlap);
    for (std::size_t r = s.first; r < s.first + s.count; ++r) {
      if (recorded_.contains(rows_[r].pid)) {
        use.own += share * static_cast<double>(rows_[r].time);
        continue;
      }
      Sum& sum = by_name[rows_[r].comm];
      sum.time += share * static_cast<double>(rows_[r].time);
      sum.pids.insert(rows_[r].pid);
    }
  }
  if (known <= 0) return use;
  use.known = 2 * counted > all;
  use.steal /= known;
  use.idle /= known;
  use.recorder /= std::max(1.0, counted);
  use.own /= std::max(1.0, counted);
  for (const auto& [name, sum] : by_name)
    use.takers.push_back({names_[name], sum.pids.size(), counted > 0 ? sum.time / counted : 0});
  std::stable_sort(use.takers.begin(), use.takers.end(),
                   [](const CpuTaker& a, const CpuTaker& b) { return a.cpus > b.cpus; });
  return use;
}

namespace {

// How many of `of` have something in common with one of `when`; both in order of time, the latter disjoint.
std::uint64_t met(std::span<const CpuAccount::Interval> of, const std::vector<CpuAccount::Interval>& when) {
  return static_cast<std::uint64_t>(std::ranges::count_if(of, [&](const CpuAccount::Interval& i) {
    const auto at = std::ranges::partition_point(when, [&](const auto& w) { return w.second <= i.first; });
    return at != when.end() && at->first < i.second;
  }));
}

// The share of the places in [from, to) at which a stretch of this length touches one of `when`.
double touched(std::int64_t from, std::int64_t to, std::int64_t length, const std::vector<CpuAccount::Interval>& when) {
  const std::int64_t places = to - from - length;
  if (places <= 0) return 1;
  std::int64_t sum = 0, until = from;
  for (const auto& [begin, end] : when) {
    const std::int64_t first = std::max(until, begin - length), last = std::min(from + places, end);
    if (last <= first) continue;
    sum += last - first;
    until = last;
  }
  return static_cast<double>(sum) / static_cast<double>(places);
}

constexpr std::size_t kMostCompared = 10'000;

}  // namespace

// Stretches that touch each other are one trial: what they met is the same.
void CpuAccount::compare_with_chance(std::span<const Interval> of, DiskUse& use) const {
  std::vector<Interval> apart;
  for (const Interval& i : of) {
    if (!apart.empty() && i.first <= apart.back().second)
      apart.back().second = std::max(apart.back().second, i.second);
    else
      apart.push_back(i);
  }
  use.user.of = apart.size();
  use.user.met = met(apart, use.when);
  if (!all_disk_use_ || gaps_ || apart.empty() || apart.size() > kMostCompared || slices_.empty()) return;
  double sum = 0;
  for (const Interval& i : apart) sum += touched(slices_.front().from, slices_.back().to, i.second - i.first, use.when);
  use.user.elsewhere = sum / static_cast<double>(apart.size());
  use.user.chance = at_least_by_chance(use.user.met, use.user.of, use.user.elsewhere);
}

std::vector<DiskUser> CpuAccount::disk_users(std::span<const Interval> of) const {
  std::map<std::uint32_t, DiskUse> by_name;
  std::map<std::uint32_t, std::set<std::uint32_t>> pids;
  if (several_machines_) return {};
  for (const Slice& s : slices_) {
    const bool touched = std::any_of(of.begin(), of.end(), [&](const Interval& i) { return common(s.from, s.to, i); });
    for (std::size_t r = s.first; r < s.first + s.count; ++r) {
      const Row& row = rows_[r];
      if (row.read + row.written < kLeastBytes) continue;
      DiskUse& use = by_name[row.comm];
      if (use.when.empty() || use.when.back().first != s.from) use.when.emplace_back(s.from, s.to);
      if (!touched) continue;
      use.user.read += row.read;
      use.user.written += row.written;
      pids[row.comm].insert(row.pid);
    }
  }
  std::vector<DiskUser> out;
  for (auto& [name, use] : by_name) {
    if (use.user.read + use.user.written == 0) continue;
    use.user.comm = names_[name];
    use.user.processes = pids[name].size();
    compare_with_chance(of, use);
    out.push_back(std::move(use.user));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const DiskUser& a, const DiskUser& b) { return a.read + a.written > b.read + b.written; });
  return out;
}

std::vector<CpuTaker> CpuAccount::users(std::span<const Interval> of,
                                        const std::function<bool(std::uint32_t)>& wanted) const {
  std::map<std::uint32_t, std::pair<double, std::set<std::uint32_t>>> by_name;
  double counted = 0;
  if (several_machines_) return {};
  for (const Slice& s : slices_) {
    const bool touched = std::any_of(of.begin(), of.end(), [&](const Interval& i) { return common(s.from, s.to, i); });
    if (!s.processes || !touched) continue;
    counted += static_cast<double>(s.to - s.from);
    for (std::size_t r = s.first; r < s.first + s.count; ++r) {
      if (!wanted(rows_[r].pid)) continue;
      auto& [time, pids] = by_name[rows_[r].comm];
      time += static_cast<double>(rows_[r].time);
      pids.insert(rows_[r].pid);
    }
  }
  std::vector<CpuTaker> out;
  for (const auto& [name, sum] : by_name) out.push_back({names_[name], sum.second.size(), sum.first / counted});
  std::stable_sort(out.begin(), out.end(), [](const CpuTaker& a, const CpuTaker& b) { return a.cpus > b.cpus; });
  return out;
}

}  // namespace tailcap::model

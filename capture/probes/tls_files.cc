#include "capture/probes/tls_files.h"

#include <algorithm>
#include <iterator>

#include "bpf/event.h"
#include "capture/host/clocks.h"
#include "capture/scan/proc.h"

namespace tailcap::capture {

namespace {

constexpr std::size_t kMaxStatements = 256, kMaxUnread = 4096, kMaxLate = 4096;

bool moves_bytes(const PlannedFunction& function) {
  if (function.places.empty()) return false;
  const std::uint64_t cookie = function.places[0].probe.cookie, act = cookie >> 32 & 0xff;
  return (cookie & TLS_BY_KEYS) != 0 &&
         (act <= bpf::ACT_WRITE_FILE || act == bpf::ACT_SHUTDOWN || act == bpf::ACT_ALERT_NUMBER);
}

bool of_go(const PlannedFunction& function) { return (function.places[0].probe.cookie >> 40 & 15) == bpf::TLS_GO; }

}  // namespace

std::vector<PlannedFunction> TlsFiles::take(std::vector<PlannedFunction>& functions) {
  late_ = probes_.marked();
  for (auto& function : functions) {
    for (auto& place : function.places)
      if (late_ && (place.probe.cookie & TLS_BY_KEYS) != 0) place.probe.cookie |= TLS_LATE;
  }
  std::vector<PlannedFunction> moving;
  const auto rest = std::stable_partition(functions.begin(), functions.end(),
                                          [](const PlannedFunction& f) { return !moves_bytes(f); });
  std::move(rest, functions.end(), std::back_inserter(moving));
  functions.erase(rest, functions.end());
  return moving;
}

void TlsFiles::attached(const scan::TargetFile& target, std::uint32_t number,
                        const std::vector<PlannedFunction>& moving) {
  if (moving.empty() || files_.contains(number)) return;
  // Go's sessions that are older than the probes are recognised. Those of others are not, if targets came meanwhile:
  // their sessions may have begun before or after.
  const bool go = of_go(moving[0]), came = probes_.marked();
  if (!go && late_ != came) return;
  File file;
  file.shown = target.shown;
  file.target = target.again();
  if (go && came) file.since = monotonic_now();
  for (const auto& function : moving) {
    for (const auto& place : function.places) file.places.push_back(place.probe);
  }
  if (!file.target) return;
  files_[number] = std::move(file);
  numbers_[{target.identity.device, target.identity.inode}] = number;
  ways_.add(number, late_ && !go);
}

void TlsFiles::mapped(std::uint32_t pid, const scan::Identity& identity) {
  const auto number = numbers_.find({identity.device, identity.inode});
  if (number == numbers_.end()) return;
  File& file = files_.at(number->second);
  ways_.mapped(pid, number->second);
  file.mapped = true;
  if (formats::known(file.since)) look_for_late(pid, file);
}

// Connections of a process that ran before may be older, although the kernel programs saw them begin.
void TlsFiles::look_for_late(std::uint32_t pid, File& file) {
  if (file.looked_at.size() >= kMaxLate || !file.looked_at.insert(pid).second) return;
  const auto started = process_facts(pid).started;
  if (formats::known(started) && started > file.since) return;
  ways_.unlisted(pid);
  const std::lock_guard lock(mutex_);
  late_processes_.push_back({pid, file.since});
}

void TlsFiles::left_all() {
  for (const auto& [number, file] : files_) ways_.leave(number);
}

void TlsFiles::follow() {
  {
    const std::lock_guard lock(mutex_);
    if (older_) ways_.older(*std::exchange(older_, std::nullopt));
    for (const std::uint32_t pid : std::exchange(unread_, {})) ways_.unread(pid);
  }
  for (const auto& each : ways_.changes()) change(each);
  for (auto& [number, file] : files_)
    if (file.mapped && !file.said) say(file, "by keys");
}

void TlsFiles::say(File& file, std::string way) {
  file.said = true;
  const std::lock_guard lock(mutex_);
  if (statements_.size() < kMaxStatements) statements_.push_back({file.shown, std::move(way)});
}

void TlsFiles::change(const tls::FileWays::Change& change) {
  File& file = files_.at(change.file);
  const std::uint32_t group = groups_ + change.file;
  if (!change.attach) {
    probes_.tell_data_probes(change.file, false);
    probes_.detach_functions(group);
    return say(file, "by keys: " + change.why);
  }
  probes_.begin_data_probes(change.file);
  const std::string problem =
      probes_.attach_functions(target_files_, *file.target, file.places, group, std::exchange(file.before, true));
  if (problem.empty()) probes_.tell_data_probes(change.file, true);
  say(file,
      problem.empty() ? "by keys and by probes: " + change.why : "by keys only, though " + change.why + ": " + problem);
}

void TlsFiles::older(std::set<std::uint32_t> processes) {
  const std::lock_guard lock(mutex_);
  older_ = std::move(processes);
}

void TlsFiles::unread(std::uint32_t pid) {
  const std::lock_guard lock(mutex_);
  if (unread_.size() < kMaxUnread) unread_.push_back(pid);
}

bool TlsFiles::asked() const {
  const std::lock_guard lock(mutex_);
  return older_ || !unread_.empty();
}

std::vector<TlsFiles::Late> TlsFiles::take_late() {
  const std::lock_guard lock(mutex_);
  return std::exchange(late_processes_, {});
}

std::vector<TlsFiles::Statement> TlsFiles::take_statements() {
  const std::lock_guard lock(mutex_);
  return std::exchange(statements_, {});
}

}  // namespace tailcap::capture

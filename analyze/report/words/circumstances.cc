#include "analyze/report/words/circumstances.h"

#include <algorithm>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

constexpr double kLikely = 0.05;   // that chance makes as many
constexpr double kMostTime = 0.5;  // what goes on for most of the time meets all waits
constexpr std::size_t kFeltNamed = 3, kDiskUsersNamed = 3, kMemoryUsersNamed = 3, kProcessName = 40, kCgroupName = 80;
constexpr std::uint64_t kMuch = 1u << 20;  // bytes

}  // namespace

// " Felt by POST /checkout of nginx: 5 of 108, POST /checkout of python3: 5 of 108."
std::string felt_text(const model::Verdict& v, const model::Study& study) {
  std::string out;
  for (std::size_t i = 0; i < std::min(kFeltNamed, v.felt.size()); ++i) {
    const model::Felt& f = v.felt[i];
    out += (i == 0 ? " Felt by " : ", ") + shortened(route_title(study.routes[f.route]), 40) + ": " +
           count_text(f.requests) + " of " + count_text(f.of);
  }
  return out.empty()
             ? out
             : out + (v.felt.size() > kFeltNamed ? " and " + count_text(v.felt.size() - kFeltNamed) + " more." : ".");
}

// " (around 8 of 8 of them; in 35 % of all such stretches of the recording)"
std::string chance_text(const model::DiskUser& u) {
  if (u.elsewhere < 0) return {};
  const std::string met = u.of == 1 ? "" : "around " + count_text(u.met) + " of " + count_text(u.of) + " of them; ";
  return " (" + met + "in " + ground::share_text(u.elsewhere) + " of all such stretches of the recording" +
         (u.elsewhere > kMostTime ? ", so that it says nothing"
          : u.chance > kLikely    ? ": likely a coincidence"
                                  : "") +
         ")";
}

// " Files were used around these waits: dd wrote 150 MB, postgres read 3.0 MB."
std::string disk_text(const model::Verdict& v) {
  const auto part = std::ranges::find_if(v.parts, [](const model::VerdictPart& p) { return !p.disk_users.empty(); });
  if (part == v.parts.end()) return {};
  std::string out;
  for (std::size_t i = 0; i < std::min(kDiskUsersNamed, part->disk_users.size()); ++i) {
    const model::DiskUser& u = part->disk_users[i];
    out += (i == 0 ? " Files were used around these waits: " : ", ") + shortened(printable(u.comm), kProcessName) +
           (u.processes > 1 ? " (" + count_text(u.processes) + " processes)" : "");
    if (u.written >= kMuch) out += " wrote " + bytes_text(u.written);
    if (u.read >= kMuch) out += std::string(u.written >= kMuch ? " and read " : " read ") + bytes_text(u.read);
    out += chance_text(u);
  }
  return out + ".";
}

// " Meanwhile cgroup /shop reached its memory limit of 41.9 MB 812 times; backup_job.py had 20.0 MB, shop.py 4.1 MB."
std::string memory_text(const model::Verdict& v) {
  const auto part = std::ranges::find_if(v.parts, [](const model::VerdictPart& p) { return p.memory.has_value(); });
  if (part == v.parts.end()) return {};
  const model::MemoryPressure& m = *part->memory;
  std::string out = " Meanwhile cgroup " + shortened(printable(m.cgroup), kCgroupName) +
                    " reached its memory limit of " + bytes_text(m.limit) + " " +
                    count_text(m.reached, "time", "times");
  for (std::size_t i = 0; i < std::min(kMemoryUsersNamed, m.users.size()); ++i)
    out += (i == 0 ? "; of its processes, " : ", ") +
           (m.users[i].process.empty() ? "process " + pid_text(m.users[i].pid)
                                       : shortened(printable(m.users[i].process), kProcessName)) +
           " had " + bytes_text(m.users[i].bytes);
  return out + ".";
}

// " One more had no answer when the recording ended."
std::string unanswered_text(const model::Verdict& v) {
  if (v.unanswered == 0) return {};
  return " " + count_text(v.unanswered) + " more had no answer when the recording ended.";
}

}  // namespace tailcap::report

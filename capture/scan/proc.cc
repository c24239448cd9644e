#include "capture/scan/proc.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "capture/host/clocks.h"
#include "capture/host/quota.h"
#include "capture/host/system_file.h"

namespace tailcap::capture {

namespace {

// From the text after the name in /proc/PID/stat. The kernel reports the start in clock ticks since boot, including
// suspend.
formats::Time start_time(const char* stat, std::uint32_t& parent_pid) {
  std::uint64_t ticks = 0;
  const int read =
      std::sscanf(stat, " %*c %" SCNu32 " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64,
                  &parent_pid, &ticks);
  const long rate = sysconf(_SC_CLK_TCK);
  if (read < 2 || rate <= 0 || ticks > (std::uint64_t{1} << 40)) return formats::kNoTime;
  const auto clocks = read_clocks();
  const std::int64_t asleep = clocks.snapshot.boottime - formats::nanoseconds(clocks.time);
  const std::int64_t at = static_cast<std::int64_t>(ticks) * (1'000'000'000 / rate) - asleep;
  return at > 0 ? formats::time_from(at) : formats::kNoTime;
}

}  // namespace

ProcessFacts process_facts(std::uint32_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/";
  ProcessFacts facts;
  facts.comm = read_system_file(folder + "comm", 64);
  if (facts.comm.ends_with('\n')) facts.comm.pop_back();
  const std::string stat = read_system_file(folder + "stat", 512);
  if (const auto name_end = stat.rfind(')'); name_end != stat.npos)  // the name may contain anything
    facts.started = start_time(stat.c_str() + name_end + 1, facts.parent_pid);
  facts.cgroup = telling(parse_cgroup_paths(read_system_file(folder + "cgroup", 4096)));
  return facts;
}

std::uint32_t process_of_thread(std::uint32_t tid) {
  SystemLines status("/proc/" + std::to_string(tid) + "/status");
  for (std::string_view line; status.next(line);) {
    std::uint32_t process = 0;
    if (line.starts_with("Tgid:\t") &&
        std::from_chars(line.data() + 6, line.data() + line.size(), process).ec == std::errc())
      return process;
  }
  return 0;
}

bool process_exists(std::uint32_t pid) {
  const std::string status = read_system_file("/proc/" + std::to_string(pid) + "/stat", 512);
  const auto name_end = status.rfind(')');  // the name may contain anything
  if (name_end == status.npos) return false;
  // The state of the main thread, which may have ended before the others, and the number of threads.
  char state = 'X';
  int threads = 0;
  if (std::sscanf(status.c_str() + name_end + 1,
                  " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d", &state, &threads) < 2)
    return false;
  return (state != 'Z' && state != 'X') || threads > 1;
}

std::uint64_t own_cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ns = [](const timeval& t) {
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_usec) * 1000u;
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

std::optional<ProcessMemory> process_memory(const std::string& process) {
  std::uint64_t pages = 0, resident = 0, shared = 0;
  const std::string sizes = read_system_file("/proc/" + process + "/statm", 256);
  if (std::sscanf(sizes.c_str(), "%" SCNu64 " %" SCNu64 " %" SCNu64, &pages, &resident, &shared) != 3)
    return std::nullopt;
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return ProcessMemory{resident * page, (resident - std::min(shared, resident)) * page};
}

OwnCost own_cost() { return {own_cpu_time(), process_memory("self").value_or(ProcessMemory{}).resident}; }

OwnIdentity own_identity(std::uint32_t pid) {
  OwnIdentity out;
  SystemLines lines("/proc/" + std::to_string(pid) + "/status");
  bool user = false;
  for (std::string_view line; lines.next(line);) {
    const std::string text(line);
    if (text.starts_with("Uid:")) user = std::sscanf(text.c_str(), "Uid: %*u %" SCNu32, &out.user) == 1;
    if (text.starts_with("NSpid:"))
      out.pid = static_cast<std::uint32_t>(std::strtoul(text.c_str() + text.find_last_of("\t ") + 1, nullptr, 10));
  }
  return user ? out : OwnIdentity{};
}

std::string find_command(const std::string& command) {
  if (command.find('/') != command.npos) return command;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "/usr/local/bin:/usr/bin:/bin");
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    std::string candidate = (folder.empty() ? "." : folder) + "/" + command;
    std::error_code error;
    if (std::filesystem::is_regular_file(candidate, error)) return candidate;
  }
  return {};
}

std::vector<std::string> interpreters(const std::string& path) {
  const std::string start = read_system_file(path, 255);
  std::istringstream line(start.substr(0, start.find('\n')));
  std::string first, second;
  line >> first >> second;
  if (!first.starts_with("#!")) return {};
  std::vector<std::string> out = {first.size() > 2 ? first.substr(2) : second};
  if (out[0].ends_with("/env") && first.size() > 2) out.push_back(second);
  return out;
}

}  // namespace tailcap::capture

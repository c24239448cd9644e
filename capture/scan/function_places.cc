#include "capture/scan/function_places.h"

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "capture/host/system_file.h"

namespace tailcap::capture {

namespace {

// The part of union bpf_attr that creates such a link.
struct LinkMany {
  std::uint32_t program, target, type, flags;
  std::uint64_t path, offsets, reference_counters, cookies;
  std::uint32_t count, multi_flags, pid, unused;
};
struct LinkEvent {
  std::uint32_t program, target, type, flags;
  std::uint64_t cookie;
};

template <class Attribute>
int create_link(Attribute attribute) {
  return static_cast<int>(syscall(SYS_bpf, BPF_LINK_CREATE, &attribute, sizeof attribute));
}

std::uint64_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

// Where perf events are restricted beyond what CAP_PERFMON allows.
int perf_events_restricted() {
  constexpr int kPerfmonAllows = 2;
  const int level = std::atoi(read_system_file("/proc/sys/kernel/perf_event_paranoid").c_str());
  return level > kPerfmonAllows ? level : 0;
}

std::string refused(const char* what) {
  std::string text = std::string(what) + ": " + std::strerror(errno);
  const int level = errno == EACCES ? perf_events_restricted() : 0;
  if (level)
    text += " (kernel.perf_event_paranoid is " + std::to_string(level) +
            ", which asks for CAP_SYS_ADMIN; 2 asks for CAP_PERFMON)";
  return text;
}

// The only path that the kernel is given: scripts/laws.
std::string path_of(int file) { return "/proc/self/fd/" + std::to_string(file); }

// An older kernel does not know the attribute's end, and says so before it looks at the program.
bool links_many_places() {
  LinkMany attribute{};
  attribute.program = UINT32_MAX;
  attribute.type = kUprobeMulti;
  attribute.pid = 1;
  return create_link(attribute) < 0 && errno == EBADF;
}

}  // namespace

bool places_need_admin() { return perf_events_restricted() && !links_many_places(); }

std::string link_many(int file, const PlaceLinks& how, std::span<const int> programs,
                      const std::vector<FunctionProbe>& places, std::vector<int>& links) {
  const std::string path = path_of(file);
  for (std::size_t program = 0; program < programs.size(); program++) {
    std::vector<std::uint64_t> offsets, cookies;
    for (const auto& place : places) {
      if (static_cast<std::size_t>(place.program) != program) continue;
      offsets.push_back(place.offset);
      cookies.push_back(place.cookie);
    }
    if (offsets.empty()) continue;
    LinkMany attribute{};
    attribute.program = static_cast<std::uint32_t>(programs[program]);
    attribute.type = kUprobeMulti;
    attribute.path = address(path.c_str());
    attribute.offsets = address(offsets.data());
    attribute.cookies = address(cookies.data());
    attribute.count = static_cast<std::uint32_t>(offsets.size());
    attribute.pid = how.pid;
    const int link = create_link(attribute);
    if (link < 0) return refused("the kernel refused the places");
    links.push_back(link);
  }
  return {};
}

std::string link_each(int file, const PlaceLinks& how, std::span<const int> programs,
                      const std::vector<FunctionProbe>& places, std::vector<int>& links) {
  const std::string path = path_of(file);
  for (const auto& place : places) {
    perf_event_attr event{};
    event.size = sizeof event;
    event.type = how.type;
    event.config1 = address(path.c_str());
    event.config2 = place.offset;
    const int pid = how.pid ? static_cast<int>(how.pid) : -1, cpu = how.pid ? -1 : 0;
    const int perf = static_cast<int>(syscall(SYS_perf_event_open, &event, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC));
    if (perf < 0) return refused("the kernel refused the place");
    LinkEvent attribute{};
    attribute.program = static_cast<std::uint32_t>(programs[static_cast<std::size_t>(place.program)]);
    attribute.target = static_cast<std::uint32_t>(perf);
    attribute.type = BPF_PERF_EVENT;
    attribute.cookie = place.cookie;
    const int link = create_link(attribute);
    if (link >= 0) links.push_back(link);
    links.push_back(perf);
    if (link < 0 || ioctl(perf, PERF_EVENT_IOC_ENABLE, 0) != 0) return refused("the kernel refused the program there");
  }
  return {};
}

}  // namespace tailcap::capture

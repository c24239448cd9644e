#include "capture/function_links.h"

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

namespace tailcap::capture {

namespace {

constexpr std::size_t kDetachThreads = 32;
constexpr std::uint32_t kUprobeMulti = 48;  // BPF_TRACE_UPROBE_MULTI, newer than the headers we build with

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

std::string refused(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

void close_all(std::vector<int>& descriptors) {
  for (const int descriptor : descriptors) close(descriptor);
  descriptors.clear();
}

}  // namespace

FunctionLinks::~FunctionLinks() { detach(); }

void FunctionLinks::use(const std::array<int, kFunctionPrograms>& programs, bool many) {
  programs_ = programs;
  many_ = many;
}

std::string FunctionLinks::attach(const std::string& path, const std::vector<FunctionProbe>& places, std::uint32_t group) {
  for (const auto& place : places) {
    if (programs_[static_cast<std::size_t>(place.program)] < 0) return "its kernel program is not loaded";
  }
  std::vector<int> links;
  std::string problem = many_ ? attach_many(path, places, links) : attach_each(path, places, links);
  if (problem.empty())
    links_[group].insert(links_[group].end(), links.begin(), links.end());
  else
    close_all(links);
  return problem;
}

std::string FunctionLinks::attach_many(const std::string& path, const std::vector<FunctionProbe>& places,
                                       std::vector<int>& links) {
  for (std::size_t program = 0; program < programs_.size(); program++) {
    std::vector<std::uint64_t> offsets, cookies;
    for (const auto& place : places) {
      if (static_cast<std::size_t>(place.program) != program) continue;
      offsets.push_back(place.offset);
      cookies.push_back(place.cookie);
    }
    if (offsets.empty()) continue;
    LinkMany attribute{};
    attribute.program = static_cast<std::uint32_t>(programs_[program]);
    attribute.type = kUprobeMulti;
    attribute.path = address(path.c_str());
    attribute.offsets = address(offsets.data());
    attribute.cookies = address(cookies.data());
    attribute.count = static_cast<std::uint32_t>(offsets.size());
    const int link = create_link(attribute);
    if (link < 0) return refused("the kernel refused the places");
    links.push_back(link);
  }
  return {};
}

std::string FunctionLinks::attach_each(const std::string& path, const std::vector<FunctionProbe>& places,
                                       std::vector<int>& links) {
  std::uint32_t type = 0;
  if (!(std::ifstream("/sys/bus/event_source/devices/uprobe/type") >> type))
    return "this kernel has no uprobes (CONFIG_UPROBE_EVENTS)";
  for (const auto& place : places) {
    perf_event_attr event{};
    event.size = sizeof event;
    event.type = type;
    event.config1 = address(path.c_str());
    event.config2 = place.offset;
    const int perf = static_cast<int>(syscall(SYS_perf_event_open, &event, -1, 0, -1, PERF_FLAG_FD_CLOEXEC));
    if (perf < 0) return refused("the kernel refused the place");
    LinkEvent attribute{};
    attribute.program = static_cast<std::uint32_t>(programs_[static_cast<std::size_t>(place.program)]);
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

// The kernel waits for all CPUs to have left a place: for many at once.
void FunctionLinks::detach() {
  std::vector<int> all;
  for (const auto& [group, links] : links_) all.insert(all.end(), links.begin(), links.end());
  links_.clear();
  std::vector<std::thread> threads;
  std::atomic<std::size_t> next = 0;
  for (std::size_t i = 0; i < std::min(kDetachThreads, all.size()); i++) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < all.size(); at = next++) close(all[at]);
    });
  }
  for (auto& thread : threads) thread.join();
}

void FunctionLinks::detach(std::uint32_t group) {
  close_all(links_[group]);
  links_.erase(group);
}

}  // namespace tailcap::capture

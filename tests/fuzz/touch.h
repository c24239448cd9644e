// Reads every byte that an event points to, so that a sanitizer detects a view beyond its block, and checks the times.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "formats/event.h"

inline std::uint64_t sum(std::string_view bytes) {
  std::uint64_t n = bytes.size();
  for (const char c : bytes) n += static_cast<unsigned char>(c);
  return n;
}

struct Touch {
  std::uint64_t operator()(const tailcap::formats::Io& b) const { return sum(b.head) + sum(b.tail); }
  std::uint64_t operator()(const tailcap::formats::SocketInfo& b) const { return sum(b.path); }
  std::uint64_t operator()(const tailcap::formats::OffCpu& b) const { return time(b.left) + time(b.runnable); }
  std::uint64_t operator()(const tailcap::formats::TaskStart& b) const { return sum(b.comm); }
  std::uint64_t operator()(const tailcap::formats::TaskExec& b) const { return sum(b.comm) + sum(b.filename); }
  std::uint64_t operator()(const tailcap::formats::TaskInfo& b) const {
    return sum(b.comm) + sum(b.command_line) + sum(b.executable) + sum(b.cgroup);
  }
  std::uint64_t operator()(const tailcap::formats::Mapping& b) const { return sum(b.path) + sum(b.build_id); }
  std::uint64_t operator()(const tailcap::formats::Loss& b) const { return time(b.since); }
  std::uint64_t operator()(const tailcap::formats::ProgramCost& b) const { return sum(b.program); }
  std::uint64_t operator()(const tailcap::formats::TlsIo& b) const { return sum(b.head) + sum(b.tail) + time(b.began); }
  std::uint64_t operator()(const tailcap::formats::Probe& b) const {
    return sum(b.path) + sum(b.function) + sum(b.place) + sum(b.reason);
  }
  template <class T>
  std::uint64_t operator()(const T&) const {
    return 0;
  }
  static std::uint64_t time(tailcap::formats::Time t) {
    if (!within_range(t)) std::abort();
    return 1;
  }
};

inline std::uint64_t touch(const tailcap::formats::Event& event) {
  return Touch::time(event.time) + std::visit(Touch{}, event.body);
}

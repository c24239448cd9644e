// The kernel's account of who used each CPU (bpf/event_machine.h), read in place.
#pragma once

#include <cstdint>
#include <span>

#include "bpf/event.h"

namespace tailcap::capture {

class CpuTables {
 public:
  CpuTables() = default;
  ~CpuTables();
  CpuTables(const CpuTables&) = delete;
  CpuTables& operator=(const CpuTables&) = delete;

  // Descriptors; program: brings the clocks in the tables up to date. Where that is impossible there are no tables.
  void use(int map, std::uint32_t cpus, int program);
  // Brings their clocks up to date. Empty: there are none.
  std::span<const bpf::cpu_table> read() const;

 private:
  const bpf::cpu_table* tables_ = nullptr;
  std::uint32_t count_ = 0;
  int program_ = -1;
};

}  // namespace tailcap::capture

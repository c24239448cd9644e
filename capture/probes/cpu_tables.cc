#include "capture/probes/cpu_tables.h"

#include <bpf/bpf.h>
#include <sys/mman.h>

namespace tailcap::capture {

CpuTables::~CpuTables() {
  if (tables_) munmap(const_cast<bpf::cpu_table*>(tables_), std::size_t{count_} * sizeof *tables_);
}

void CpuTables::use(int map, std::uint32_t cpus, int program) {
  if (map < 0 || program < 0) return;
  void* mapped = mmap(nullptr, std::size_t{cpus} * sizeof *tables_, PROT_READ, MAP_SHARED, map, 0);
  if (mapped == MAP_FAILED) return;
  tables_ = static_cast<const bpf::cpu_table*>(mapped);
  count_ = cpus;
  program_ = program;
}

std::span<const bpf::cpu_table> CpuTables::read() const {
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  if (!tables_ || bpf_prog_test_run_opts(program_, &options) != 0) return {};
  return {tables_, count_};
}

}  // namespace tailcap::capture

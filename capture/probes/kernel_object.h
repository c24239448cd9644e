// The kernel programs and maps of this binary as one loaded object: a part of Probes.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "capture/host/kernel.h"
#include "capture/probes/probes.h"

struct bpf_link;
struct bpf_program;
struct tailcap_bpf;  // the generated skeleton

namespace tailcap::capture {

// The hooks of programs that are attached in their own ways.
inline constexpr std::string_view kFunctionHook = "uprobe";
inline constexpr std::string_view kClockHook = "perf_event";
inline constexpr std::string_view kCallableHook = "syscall";  // run by the recorder itself
inline constexpr std::string_view kOlderCallableHook = "raw_tp";

bool is_callable(std::string_view hook);

// A tracepoint, "iter/…", or one of those above.
std::string hook_of(const bpf_program* program);

// Programs for older kernels: whether it removes entries of tables by address. Attached as long as there are tables.
bool cleans(std::string_view program);

struct LinkClose {
  void operator()(bpf_link* link) const;
};

struct SkeletonClose {
  void operator()(tailcap_bpf* skeleton) const;
};

inline std::chrono::microseconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
}

class KernelObject {
 public:
  // As the constructor of Probes says.
  KernelObject(const ProbeSettings& settings, const KernelTypes& types);

  std::unique_ptr<tailcap_bpf, SkeletonClose> skeleton;
  const char* sha256() const;                       // of the object file
  bool is_skipped(std::string_view program) const;  // Spoil::skipped

  ProgramSet programs = ProgramSet::full;
  TierChoice tier;
  ProbeSettings settings;                             // as asked for, less what the kernel refused
  std::vector<std::string> not_recorded;              // a sentence each
  std::map<std::uint32_t, std::string> drop_reasons;  // KernelTypes
  std::map<std::string, std::vector<char>> logs;
  std::string log;
  std::chrono::microseconds open_time{}, load_time{};
  RingSizes rings;

 private:
  void leave_out_for_older();
  void begin_cleaning();
  void open();
  void configure(const KernelTypes& types);
  void choose_programs(const KernelTypes& types);
  int load(const KernelTypes& types);
  void load_what_can_be(const KernelTypes& types);

  std::vector<std::unique_ptr<bpf_link, LinkClose>> cleaning_;
};

}  // namespace tailcap::capture

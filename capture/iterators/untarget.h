// Targets that are taken away while it records (bpf/net/untarget.bpf.c).
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "capture/iterators/sockets.h"

struct bpf_map;
struct bpf_program;

namespace tailcap::capture::iterators {

class Untarget {
 public:
  // tasks: the program; cgroup: a variable of the kernel programs. All must outlive this. Not called: no target can be
  // taken away.
  void use(bpf_map* pids, const bpf_program* tasks, unsigned long long& cgroup, Sockets& sockets) {
    pids_ = pids, tasks_ = tasks, cgroup_ = &cgroup, sockets_ = &sockets;
  }
  bool possible() { return pids_ && sockets_->may_untarget(); }

  // These processes, and what is below them and not below a chosen one, end to be targets. What only they have ends to
  // be recorded. Returns the processes that were targets. Throws std::system_error.
  std::set<std::uint32_t> remove(const std::vector<std::uint32_t>& pids);
  // Connections that waited to be accepted have their listener's state, and are found when they are accepted: call it
  // for each keyframe.
  void sweep();
  // The process is chosen again.
  void forget(std::uint32_t pid) { removed_.erase(pid); }
  // The chosen cgroup is no target from now on.
  void forget_cgroup();

 private:
  bpf_map* pids_ = nullptr;
  const bpf_program* tasks_ = nullptr;
  unsigned long long* cgroup_ = nullptr;
  Sockets* sockets_ = nullptr;
  std::set<std::uint32_t> removed_;
  int sweeps_left_ = 0;
};

}  // namespace tailcap::capture::iterators

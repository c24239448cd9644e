#include "capture/probes/program_choice.h"

namespace tailcap::capture {

using formats::HookTier;

bool wanted(std::string_view name, const ProbeSettings& settings, HookTier tier) {
  const auto has = [&](Group g) { return settings.has(g); };
  const auto& selection = settings.selection;
  for (const auto& prefix : settings.left_out) {
    if (name.starts_with(prefix)) return false;
  }
  if (name.starts_with("io_")) return tier == HookTier::a && has(Group::io);
  if (name.starts_with("call_done")) return tier == HookTier::c && has(Group::io);
  if (name.starts_with("arrival")) return has(Group::arrivals);
  if (name == "switch_task" || name == "list_waits" || name == "wake_up" || name.starts_with("stop_") ||
      name == "read_cpu_clocks")
    return has(Group::offcpu);
  if (name.starts_with("node_")) return settings.node;
  if (name.starts_with("file_")) return has(Group::files);
  const bool memory =
      name.starts_with("stall_reclaim") || name.starts_with("stall_memcg") || name.starts_with("stall_compaction");
  if (name.starts_with("stall_")) return has(Group::stalls) && (memory || !settings.node);
  if (name == "retransmit" || name == "reset_sent" || name == "reset_received" || name == "packet_dropped")
    return has(Group::net);
  if (name == "task_exec") return has(Group::tasks) || has(Group::tls) || has(Group::go) || !selection.comms.empty();
  if (name == "runtime_event") return has(Group::go);
  if (name == "channel_event") return has(Group::go) && settings.deep;
  if (name == "allocation") return has(Group::allocations) && has(Group::go);
  if (name == "malloc_call") return has(Group::allocations);
  if (name == "task_renamed") return has(Group::tasks) || !selection.comms.empty();
  if (name == "task_exit") return has(Group::tasks) || has(Group::stacks);
  if (name == "oom_kill") return has(Group::tasks);
  if (name == "tls_secret" || name == "go_secret") return has(Group::tls) && settings.tls_keys;
  if (name.starts_with("tls_") || name.starts_with("go_")) return has(Group::tls);
  if (name.starts_with("interrupt_")) return has(Group::interrupts);
  if (name == "list_waiting") return has(Group::stacks) && has(Group::offcpu);
  if (name == "wait_stack") return has(Group::stacks) && has(Group::offcpu) && !settings.all_waits;
  if (name == "sample") return settings.sample_rate && has(Group::samples);
  if (name == "list_sockets") return !settings.lists_by_address;
  if (name == "list_by_address" || name.starts_with("adopt_")) return settings.lists_by_address;
  if (name.starts_with("untarget_") || name == "keep_sockets") {
    if (selection.all || !selection.processes()) return false;
    return name == "untarget_tasks" || (name == "untarget_by_address") == settings.lists_by_address;
  }
  if (name == "task_moved") return !selection.cgroup.empty();
  return true;
}

}  // namespace tailcap::capture

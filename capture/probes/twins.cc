#include "capture/probes/twins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "bpf/event.h"
#include "bpf/tailcap.skel.h"

namespace tailcap::capture::twins {
namespace {

struct Twin {
  const bpf_program *of, *program;
  bpf::twin number;
  // Holds the program that the twin goes on with; null: the twin does the work itself.
  const bpf_map* skipped = nullptr;
};

std::array<Twin, TWINS> all(const tailcap_bpf& loaded) {
  const auto& p = loaded.progs;
  return {{{p.arrival, p.arrival_nested, bpf::TWIN_ARRIVAL},
           {p.state_change, p.state_change_nested, bpf::TWIN_STATE_CHANGE},
           {p.io_send, p.io_send_nested, bpf::TWIN_SEND, loaded.maps.skipped_send},
           {p.io_receive, p.io_receive_nested, bpf::TWIN_RECEIVE, loaded.maps.skipped_receive},
           {p.call_done, p.call_done_nested, bpf::TWIN_CALL, loaded.maps.skipped_call}}};
}

}  // namespace

bool is_for_preempted(const tailcap_bpf& loaded, const bpf_program* program) {
  const auto twins = all(loaded);
  return std::any_of(twins.begin(), twins.end(), [&](const Twin& t) { return t.skipped && t.program == program; });
}

void lead(const tailcap_bpf& loaded) {
  for (const Twin& twin : all(loaded)) {
    if (!twin.skipped || !bpf_program__autoload(twin.program)) continue;
    const std::uint32_t first = 0;
    const int fd = bpf_program__fd(twin.of);
    bpf_map_update_elem(bpf_map__fd(twin.skipped), &first, &fd, BPF_ANY);
  }
}

std::uint64_t missed(const tailcap_bpf& loaded, const bpf_program* program, std::uint64_t skipped) {
  for (const Twin& twin : all(loaded)) {
    if (program == twin.program) return 0;
    if (program != twin.of) continue;
    auto& told = loaded.bss->told_by_twin[twin.number];
    const std::uint64_t left = skipped - std::min<std::uint64_t>(skipped, std::atomic_ref(told).load());
    const bool rests = !bpf_program__autoload(twin.program) || (twin.skipped && loaded.rodata->sampling_limit) ||
                       std::atomic_ref(loaded.bss->notes_are_missing).load();
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    if (rests || bpf_obj_get_info_by_fd(bpf_program__fd(twin.program), &info, &size) != 0) return left;
    return std::min<std::uint64_t>(left, info.recursion_misses);
  }
  return skipped;
}

}  // namespace tailcap::capture::twins

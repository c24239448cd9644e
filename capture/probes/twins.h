// Programs whose work another one does where the kernel skipped them: bpf/core/nested.bpf.h.
#pragma once

#include <cstdint>

struct bpf_program;
struct tailcap_bpf;

namespace tailcap::capture::twins {

// A twin that works only where threads may be preempted in programs.
bool is_for_preempted(const tailcap_bpf& loaded, const bpf_program* program);
// After the programs are loaded: what each of those twins goes on with.
void lead(const tailcap_bpf& loaded);
// Runs that the kernel skipped without a twin that made up for them: at most as many as it skipped of the twin, which
// otherwise has seen the event, and knows whether it is one that is recorded. Those of a twin count for its program.
std::uint64_t missed(const tailcap_bpf& loaded, const bpf_program* program, std::uint64_t skipped);

}  // namespace tailcap::capture::twins

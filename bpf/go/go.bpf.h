/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Probes at functions of the runtime of Go programs.
 *
 * All registers are Go's: R14 is the running goroutine, or g0, the thread's own; arguments are in AX, BX, CX.
 */
#ifndef TAILCAP_BPF_GO_GO_H
#define TAILCAP_BPF_GO_GO_H

#include "bpf/core/goroutine.bpf.h"

/* A process that hits such a probe runs Go: so this is known from its first instruction on. */
static __always_inline void meet_process(struct task_struct *task, struct go_thread_state *go, u32 file)
{
	struct go_process process = {.started = POINTER_IN(struct task_struct, task, group_leader)->start_time,
				     .file = file};
	u32 tgid = task->tgid;
	struct go_process *known;

	if (go->file)
		return;
	known = bpf_map_lookup_elem(&go_processes, &tgid);
	if (known && known->started == process.started)
		return;
	if (!bpf_map_update_elem(&go_processes, &tgid, &process, BPF_ANY))
		__sync_fetch_and_add(&go_epoch, 1);
}

#endif

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Soft interrupts that run while a target thread is on the CPU.
 */
#include "bpf/sched/stall.bpf.h"
#include "bpf/core/program.bpf.h"
#include "bpf/core/target.bpf.h"

/* When this CPU began to handle an interrupt; they do not nest. 0: none, or no target was interrupted. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} interrupts SEC(".maps");

SEC("tp_btf/softirq_entry")
int BPF_PROG(interrupt_begins, unsigned int vector)
{
	u32 zero = 0;
	u64 *since = bpf_map_lookup_elem(&interrupts, &zero);

	if (since)
		*since = task_state(bpf_get_current_task_btf()) ? bpf_ktime_get_ns() : 0;
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(interrupt_ends, unsigned int vector)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	u32 zero = 0;
	u64 *since = bpf_map_lookup_elem(&interrupts, &zero);

	if (!since || !*since)
		return 0;
	state = task_state(task);
	if (state)
		emit_stall(task, STALL_INTERRUPT, *since, bpf_ktime_get_ns(), 0, vector);
	*since = 0;
	return 0;
}

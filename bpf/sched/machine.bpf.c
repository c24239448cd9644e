// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What is known of the CPUs between two switches.
 */
#include "bpf/sched/machine.bpf.h"

struct cpu_tables cpu_tables SEC(".maps");
__u64 long_waits;
const volatile __s64 preempt_count_at = 0;
const volatile __u8 counts_disabled_interrupts = false;

STEP long read_cpu_clock(u32 cpu, void *unused)
{
	struct cpu_table *table = bpf_map_lookup_elem(&cpu_tables, &cpu);
	struct rq *queue;

	if (!table)
		return 1;
	of_this_epoch(table);
	queue = (struct rq *)table->queue;
	if (queue)
		table->clock = BPF_CORE_READ(queue, clock_task);
	return 0;
}

LOOPED(read_cpu_clock)

/* Run by user space. The clock of a CPU that is busy is at most a tick old. */
#ifdef OLDER_KERNEL
SEC("raw_tp")
int read_cpu_clocks(void *unused)
{
	LOOP(CPU_TABLES_MAX, CPU_TABLES_MAX, read_cpu_clock, 0);
	return 0;
}
#else
SEC("syscall")
int read_cpu_clocks(void *unused)
{
	bpf_loop(CPU_TABLES_MAX, read_cpu_clock, NULL, 0);
	return 0;
}
#endif

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Where threads are that wait as the recording ends: user space reads this, and walks their stacks itself, because no
 * program can read the memory of a thread that does not run without waiting for it.
 */
#include "bpf/core/record.bpf.h"
#include "bpf/sched/long_wait.bpf.h"

#define WAITING_LEAST 1000000 /* ns, where no other length is asked for */

/* One reader at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct waiting_thread);
} waitings SEC(".maps");

SEC("iter/task")
int list_waiting(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct task_state *state;
	struct waiting_thread *waiting;
	struct pt_regs *regs;
	u64 now = bpf_ktime_get_ns(), least = long_wait ? long_wait : WAITING_LEAST;
	u32 zero = 0;
	long got;

	if (!task || !take_stacks || !user_thread(task))
		return 0;
	state = task_state(task);
	if (!state || !state->off_cpu.left || state->off_cpu.runnable || state->off_cpu.epoch != waits_epoch ||
	    now - state->off_cpu.left < least)
		return 0;
	waiting = bpf_map_lookup_elem(&waitings, &zero);
	if (!waiting)
		return 0;
	__builtin_memset(waiting, 0, sizeof(*waiting));
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	fill_head(&waiting->record.h, task, RECORD_SAMPLE, now);
	waiting->record.value = state->off_cpu.left;
	waiting->record.goroutine = state->off_cpu.goroutine;
	waiting->record.what = SAMPLE_OFF_CPU;
	waiting->record.weight = 1;
	waiting->ip = FIELD(regs, PROGRAM_COUNTER);
	waiting->sp = FIELD(regs, STACK_POINTER);
	waiting->bp = FIELD(regs, FRAME_POINTER);
	got = bpf_get_task_stack(task, waiting->kernel, sizeof(waiting->kernel), 0);
	if (got > 0)
		waiting->record.kernel = (u32)got / sizeof(u64);
	bpf_seq_write(ctx->meta->seq, waiting, sizeof(*waiting));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * On-CPU samples of targets: both stacks of the running thread, at each tick of a CPU's clock.
 *
 * How user stacks are walked: bpf/sched/unwind.bpf.c.
 */
#include "bpf/core/goroutine.bpf.h"
#include "bpf/sched/python.bpf.h"
#include "bpf/sched/unwind.bpf.h"

struct sample_scratch {
	struct record_sample record;
	u64 frames[2 * STACK_MAX + PYTHON_FRAMES];
	u64 beyond[STACK_MAX]; /* for the verifier's arithmetic */
};

/* Only the clock's interrupt writes here, and it does not interrupt itself. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct sample_scratch);
} samples SEC(".maps");

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = task_state(task);
	struct sample_scratch *scratch;
	struct record_sample *record;
	u32 zero = 0, user, kernel = 0, python, end;
	u16 python_end;
	long got;

	if (!state)
		return 0;
	scratch = bpf_map_lookup_elem(&samples, &zero);
	if (!scratch)
		return 0;
	user = user_stack(ctx, task, scratch->frames, &end);
	barrier_var(user);
	if (user > STACK_MAX)
		user = STACK_MAX;
	got = bpf_get_stack(ctx, &scratch->frames[user], STACK_MAX * sizeof(u64), 0);
	if (got > 0)
		kernel = (u32)got / sizeof(u64);
	if (kernel > STACK_MAX)
		kernel = STACK_MAX;
	python = python_stack(task, &scratch->frames[user + kernel], &python_end);
	barrier_var(python);
	if (python > PYTHON_FRAMES)
		python = PYTHON_FRAMES;
	record = &scratch->record;
	fill_head(&record->h, task, RECORD_SAMPLE, bpf_ktime_get_ns());
	record->goroutine = goroutine_of(task, state);
	record->user = user;
	record->kernel = kernel;
	record->value = 0;
	record->weight = 1;
	record->what = SAMPLE_ON_CPU;
	record->end = end;
	record->python = python;
	record->python_end = python_end;
	if (output(scratch, sizeof(*record) + (user + kernel + python) * sizeof(u64), wake_flag(record->h.time)))
		count_loss(LOSS_RING_FULL, RECORD_SAMPLE);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * On-CPU samples of targets: both stacks of the running thread, at each tick of a CPU's clock. Stacks of waits that
 * turned out long: in the interrupt that follows the switch to the thread.
 *
 * How user stacks are walked: bpf/sched/unwind.bpf.c.
 */
#include "bpf/core/goroutine.bpf.h"
#include "bpf/sched/long_wait.bpf.h"
#include "bpf/sched/script.bpf.h"
#include "bpf/sched/unwind.bpf.h"

struct sample_scratch {
	struct record_sample record;
	u64 frames[2 * STACK_MAX + SCRIPT_WORDS];
	u64 beyond[STACK_MAX]; /* for the verifier's arithmetic */
};

/* Only hard interrupts write here, and they do not interrupt each other. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct sample_scratch);
} samples SEC(".maps");

/* The stacks of the running thread. */
static __always_inline void emit_stacks(void *ctx, struct task_struct *task, u64 goroutine, u32 what, u64 value,
					u32 weight)
{
	struct sample_scratch *scratch;
	struct record_sample *record;
	u32 zero = 0, user, kernel = 0, script, end;
	long got;

	scratch = bpf_map_lookup_elem(&samples, &zero);
	if (!scratch)
		return;
	user = user_stack(ctx, task, scratch->frames, &end);
	barrier_var(user);
	if (user > STACK_MAX)
		user = STACK_MAX;
	got = bpf_get_stack(ctx, &scratch->frames[user], STACK_MAX * sizeof(u64), 0);
	if (got > 0)
		kernel = (u32)got / sizeof(u64);
	if (kernel > STACK_MAX)
		kernel = STACK_MAX;
	script = script_stack(task, &scratch->frames[user + kernel], &scratch->record);
	barrier_var(script);
	if (script > SCRIPT_WORDS)
		script = SCRIPT_WORDS;
	record = &scratch->record;
	fill_head(&record->h, task, RECORD_SAMPLE, bpf_ktime_get_ns());
	record->goroutine = goroutine;
	record->user = user;
	record->kernel = kernel;
	record->value = value;
	record->weight = weight;
	record->what = what;
	record->end = end;
	if (output(scratch, sizeof(*record) + (user + kernel + script) * sizeof(u64), wake_flag(record->h.time)))
		count_loss(LOSS_RING_FULL, RECORD_SAMPLE);
}

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = task_state(task);

	if (!state)
		return 0;
	emit_stacks(ctx, task, goroutine_of(task, state), SAMPLE_ON_CPU, 0, 1);
	return 0;
}

/* The interrupt of owe_stack, or another one of its kind. */
SEC("tp_btf/irq_work_entry")
int wait_stack(u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct owed_stack *owed;
	u32 zero = 0, weight;
	u64 began;

	owed = bpf_map_lookup_elem(&owed_stacks, &zero);
	if (!owed || !owed->tid)
		return 0;
	if (!still_owed(owed, task)) {
		owed->tid = 0;
		owed->left_out++;
		return 0;
	}
	owed->tid = 0;
	weight = owed->left_out < 0xffffffff ? owed->left_out + 1 : 0xffffffff;
	owed->left_out = 0;
	began = bpf_ktime_get_ns();
	emit_stacks(ctx, task, owed->goroutine, SAMPLE_OFF_CPU, owed->left, weight);
	owed->next += (bpf_ktime_get_ns() - began) * WALK_PART;
	return 0;
}

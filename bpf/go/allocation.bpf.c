// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Allocations of Go programs. All are counted by size. Some are recorded with their stack: every allocation of
 * ALLOCATION_LARGE and more, and of the smaller ones one in about ALLOCATION_EVERY bytes. Its weight is the number of
 * allocations that it represents.
 */
#include "bpf/go/go.bpf.h"
#include "bpf/memory/allocated.bpf.h"
#include "bpf/core/stack_rate.bpf.h"
#include "bpf/core/thread_stack.bpf.h"

#define ALLOCATION_LARGE (32 << 10)
#define ALLOCATION_EVERY (512 << 10)
#define LARGE_EVERY                                                                                                    \
	100000           /* ns between two large ones on a CPU on average; the next one's weight counts those left out \
			  */
#define LARGE_BURST 2000 /* large ones in one burst */

struct allocated_by_process go_allocated SEC(".maps");
struct nothing_allocated go_nothing_allocated SEC(".maps");

static __always_inline struct allocated *allocated_by(u32 tgid)
{
	struct allocated *allocated = bpf_map_lookup_elem(&go_allocated, &tgid);

	return allocated ? allocated : begin_allocated(&go_allocated, &go_nothing_allocated, tgid);
}

/* The number of allocations that it represents; 0: it is not sampled. */
static __always_inline u32 sampled(struct allocated *allocated, u64 size, u64 now)
{
	u64 random;

	if (size >= ALLOCATION_LARGE) {
		u64 before;

		if (!due(&allocated->next_large, now, LARGE_EVERY, LARGE_BURST)) {
			__sync_fetch_and_add(&allocated->left_out, 1);
			return 0;
		}
		before = allocated->left_out;
		if (before)
			__sync_fetch_and_add(&allocated->left_out, -before);
		return before < 0xffffffff ? before + 1 : 0xffffffff;
	}
	/* a random distance, up to twice the average, avoids locking on to a program's allocation rhythm */
	random = now * 6364136223846793005ull;
	allocated->to_next = random >> 44;
	return (ALLOCATION_EVERY + size / 2) / size;
}

struct allocation_record {
	struct record_sample sample;
	u64 frames[STACK_MAX];
};

SEC("uprobe")
int allocation(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 cookie = bpf_get_attach_cookie(ctx), size, now, g, number, top;
	u32 file = GO_COOKIE_FILE(cookie), weight;
	struct allocation_record *record;
	struct allocated *allocated;
	struct go_layout *layout;
	struct task_state *state;
	long got;

	KEEP_THREAD_STACK(ctx, after_probe);
	state = task_state(task);
	if (!state)
		return 0;
	if (grows_stack(ctx, cookie & GO_SKIP_BELOW_OR_EQUAL))
		return 0;
	meet_process(task, &state->go, file);
	allocated = allocated_by(task->tgid);
	if (!allocated) {
		count_loss(LOSS_TASK_TABLE, RECORD_GO_ALLOCATIONS);
		return 0;
	}
	size = REGISTER(ctx, GO_0);
	count_allocation(allocated, size);
	if (!size)
		return 0;
	if (size < ALLOCATION_LARGE) {
		allocated->to_next -= size;
		if (allocated->to_next > 0)
			return 0;
	}
	now = bpf_ktime_get_ns();
	weight = sampled(allocated, size, now);
	layout = bpf_map_lookup_elem(&go_files, &file);
	if (!weight || !layout)
		return 0;
	g = REGISTER(ctx, GO_GOROUTINE);
	number = number_of(layout, g);
	if (!number)
		number = served_by(layout, g);
	top = CALLER(ctx, GO_COOKIE_NUMBER(cookie));
	record = reserve(sizeof(*record), RECORD_SAMPLE, NULL);
	if (!record)
		return 0;
	fill_head(&record->sample.h, task, RECORD_SAMPLE, now);
	record->sample.goroutine = number;
	record->sample.value = size;
	record->sample.kernel = 0;
	record->sample.weight = weight;
	record->sample.what = SAMPLE_ALLOCATION;
	record->sample.end = STACK_END_UNKNOWN;
	record->sample.script = 0;
	record->sample.script_end = SCRIPT_END_NONE;
	record->sample.script_language = 0;
	/* At a function's beginning the frame pointer is still its caller's: the return address is on the stack. */
	got = bpf_get_stack(ctx, &record->frames[1], (STACK_MAX - 1) * sizeof(u64), BPF_F_USER_STACK);
	record->frames[0] = REGISTER(ctx, PROGRAM_COUNTER);
	record->frames[1] = top;
	record->sample.user = got > 0 ? (u32)got / sizeof(u64) + 1 : 2;
	bpf_ringbuf_submit(record, wake_flag(now));
	return 0;
}

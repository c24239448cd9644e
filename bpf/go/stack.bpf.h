/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The stack of a preempted goroutine: it is not running, so it is walked from the registers that the runtime saved
 * (runtime.gobuf), by frame pointers, which all Go functions have.
 */
#ifndef TAILCAP_BPF_GO_STACK_H
#define TAILCAP_BPF_GO_STACK_H

#include "bpf/core/goroutine.bpf.h"

#define PREEMPTED_FRAMES 64

struct preempted_record {
	struct record_sample sample;
	u64 frames[PREEMPTED_FRAMES];
};

/*
 * frames[0] is where it will continue, frames[1] the word on top of its stack. That word is the caller of frames[0] if
 * frames[0] is at the check of its stack, before it has a frame; it is meaningless if a signal made the goroutine call
 * runtime.asyncPreempt2. The function names distinguish the two.
 */
static __always_inline u32 walk_goroutine(u64 *frames, u64 pc, u64 top, u64 frame)
{
	u32 count = 2;
	u64 pair[2];

	frames[0] = pc;
	frames[1] = top;
	for (u32 i = 2; i < PREEMPTED_FRAMES; i++) {
		if (!frame || bpf_probe_read_user(pair, sizeof(pair), (void *)frame) || !pair[1])
			break;
		frames[i] = pair[1];
		count = i + 1;
		if (pair[0] <= frame)
			break;
		frame = pair[0];
	}
	return count;
}

static __always_inline void goroutine_preempted(struct task_struct *task, const struct go_layout *layout, u64 g,
						u64 number)
{
	struct preempted_record *record;
	u64 saved[2], frame;

	if (bpf_probe_read_user(saved, sizeof(saved), (void *)(g + layout->saved)))
		return;
	frame = user_word(g + layout->saved_frame);
	record = reserve(sizeof(*record), RECORD_SAMPLE, NULL);
	if (!record)
		return;
	fill_head(&record->sample.h, task, RECORD_SAMPLE, bpf_ktime_get_ns());
	record->sample.goroutine = number;
	record->sample.value = 0;
	record->sample.kernel = 0;
	record->sample.weight = 1;
	record->sample.what = SAMPLE_PREEMPTED;
	record->sample.end = STACK_END_UNKNOWN;
	record->sample.script = 0;
	record->sample.script_end = SCRIPT_END_NONE;
	record->sample.script_language = 0;
	record->sample.user = walk_goroutine(record->frames, saved[1], user_word(saved[0]), frame);
	bpf_ringbuf_submit(record, wake_flag(record->sample.h.time));
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which goroutine a thread runs, read where the thread is, without standing in the program.
 *
 * A Go thread keeps a pointer to its goroutine (runtime.g) in its thread-local memory; g has its number. User space finds
 * out for each program file where (struct go_layout), and says which processes run it; so does whatever Go function a
 * process comes by (bpf/go.h). The answer is kept with the thread until something new is known.
 */
#ifndef TAILCAP_BPF_GOROUTINE_H
#define TAILCAP_BPF_GOROUTINE_H

#include "bpf/maps.h"

/* Counts what user space or bpf/go.h have learnt. 0: nothing yet. */
__u32 go_epoch = 0;

/* Of each file: goroutines made, handlers entered, whoever runs it. User space reads them in place. */
__u64 go_hits[GO_FILES_MAX * GO_COUNTED] = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GO_FILES_MAX);
	__type(key, u32);
	__type(value, struct go_layout);
} go_files SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32); /* process */
	__type(value, struct go_process);
} go_processes SEC(".maps");

static __always_inline u64 user_word(u64 address)
{
	u64 word;

	return bpf_probe_read_user(&word, sizeof(word), (void *)address) ? 0 : word;
}

static __always_inline u64 number_of(const struct go_layout *layout, u64 g)
{
	return g && layout->number ? user_word(g + layout->number) : 0;
}

/* The goroutine on whose behalf a thread runs, that is on its own stack (g0) now. */
static __always_inline u64 served_by(const struct go_layout *layout, u64 g)
{
	u64 m = user_word(g + layout->thread);

	return m ? number_of(layout, user_word(m + layout->current)) : 0;
}

/* g is what runtime.g is: it has a stack, and its thread runs it, or is it. */
static __always_inline bool is_goroutine(const struct go_layout *layout, u64 g)
{
	u64 stack[2], m;

	if (bpf_probe_read_user(stack, sizeof(stack), (void *)g) || stack[0] >= stack[1])
		return false;
	m = user_word(g + layout->thread);
	return m && (user_word(m) == g || user_word(m + layout->current) == g);
}

/* Looks up whether the process is Go's, once for each thread and epoch. */
static __always_inline void learn_go(struct task_struct *task, struct task_state *state, u32 epoch)
{
	u32 tgid = task->tgid, file;
	struct go_process *process = bpf_map_lookup_elem(&go_processes, &tgid);
	struct go_layout *layout;
	u64 started, g;

	state->go_file = 0;
	if (!process)
		goto known;
	started = task->group_leader->start_time;
	if (!process->started) {
		process->started = started;
	} else if (process->started != started) { /* another process had this number */
		bpf_map_delete_elem(&go_processes, &tgid);
		goto known;
	}
	file = process->file;
	layout = bpf_map_lookup_elem(&go_files, &file);
	if (!layout || !layout->number)
		goto known;
	g = user_word(task->thread.fsbase + layout->slot);
	if (!g || !is_goroutine(layout, g))
		return; /* while a signal is handled, say: look again next time */
	state->go_file = file;
	state->go_slot = layout->slot;
	state->go_number = layout->number;
	state->go_c_code = layout->c_code;
known:
	state->go_epoch = epoch;
}

/* Of the running task; 0: none, or not known. */
static __always_inline u64 running_goroutine(struct task_struct *task, struct task_state *state)
{
	u32 epoch = go_epoch, file;
	struct go_layout *layout;
	u64 g, number;

	if (!epoch || !state)
		return 0;
	if (state->go_epoch != epoch)
		learn_go(task, state, epoch);
	if (!state->go_file)
		return 0;
	g = user_word(task->thread.fsbase + state->go_slot);
	if (!g)
		return 0;
	number = user_word(g + state->go_number);
	if (number || !state->go_c_code)
		return number;
	file = state->go_file;
	layout = bpf_map_lookup_elem(&go_files, &file);
	return layout ? served_by(layout, g) : 0;
}

/* The task runs another program from now on. */
static __always_inline void forget_go(struct task_struct *task, struct task_state *state)
{
	u32 tgid = task->tgid;

	if (!go_epoch)
		return;
	bpf_map_delete_elem(&go_processes, &tgid);
	state->go_epoch = 0;
	state->go_file = 0;
}

#endif

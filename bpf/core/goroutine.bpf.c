// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/core/goroutine.bpf.h"

struct go_files go_files SEC(".maps");
struct go_processes go_processes SEC(".maps");
struct go_met go_met SEC(".maps");
struct go_moves go_moves SEC(".maps");

__u32 go_epoch = 0;

static __always_inline u64 met_goroutine(struct task_struct *task, struct task_state *state)
{
	u64 g = 0, number = goroutine_at(task, state, &g);

	if (number && (u32)number != state->go.met)
		meet_goroutine(task, &state->go, g, number);
	return number;
}

__noinline u64 find_goroutine(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = bpf_task_storage_get(&tasks, task, 0, 0);

	return state ? met_goroutine(task, state) : 0;
}

/* What its processor, or the last one in a system call, makes next: the numbers left in that batch. None: not known. */
static __always_inline void read_batch(const struct go_layout *layout, u64 thread, u64 *batch)
{
	u64 processor = user_word(thread + layout->former);

	batch[0] = batch[1] = 0;
	if (!processor)
		processor = user_word(thread + layout->processor);
	if (!processor || bpf_probe_read_user(batch, 2 * sizeof(u64), (void *)(processor + layout->batch)) ||
	    batch[1] - batch[0] > GO_BATCH)
		batch[0] = batch[1] = 0;
}

/* Reads of the program's memory are most of the cost, so that what a goroutine makes between a write and its next read
 * is not known to be made since. A request is read before anything is made for it. */
static __always_inline void note_move(const struct task_struct *task, const struct go_thread_state *go, u64 goroutine,
				      bool reads)
{
	struct go_key key = {.goroutine = goroutine, .pid = FIELD(task, tgid)};
	struct go_moved fresh = {.generation = ~0ull};
	volatile struct go_moved *moved;
	struct go_layout *layout;
	u32 file = go->file;
	u64 batch[2];

	layout = bpf_map_lookup_elem(&go_files, &file);
	if (!layout)
		return;
	moved = bpf_map_lookup_elem(&go_moves, &key);
	if (!layout->generation || !reads) {
		/* that it moved bytes is known, and nothing of what it makes */
		if (!moved) {
			bpf_map_update_elem(&go_moves, &key, &fresh, BPF_ANY);
		} else {
			moved->end = 0;
			moved->generation = ~0ull;
		}
		return;
	}
	fresh.generation = user_word(layout->generation);
	if (!fresh.generation)
		fresh.generation = ~0ull;
	read_batch(layout, go->thread, batch);
	fresh.next = batch[0];
	fresh.end = batch[1];
	if (!moved) {
		bpf_map_update_elem(&go_moves, &key, &fresh, BPF_ANY);
		return;
	}
	/* In place: replacing an element of such a table costs 100 ns. Meanwhile the batch is none. */
	moved->end = 0;
	moved->next = fresh.next;
	moved->generation = fresh.generation;
	moved->end = fresh.end;
}

__noinline u64 find_mover(int reads)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = bpf_task_storage_get(&tasks, task, 0, 0);
	u64 number;

	if (!state)
		return 0;
	number = met_goroutine(task, state);
	if (number && state->go.file)
		note_move(task, &state->go, number, reads);
	return number;
}

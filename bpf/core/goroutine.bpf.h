/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads which goroutine a thread runs, in the thread's context and without a probe in the program.
 *
 * A Go thread keeps a pointer to its goroutine (runtime.g) in its thread-local memory; g has its number. User space
 * finds the offsets for each program file (struct go_layout), and sets which processes run it; so do the probes at Go
 * functions (bpf/go/go.bpf.h). The answer is kept with the thread until something new is known.
 */
#ifndef TAILCAP_BPF_CORE_GOROUTINE_H
#define TAILCAP_BPF_CORE_GOROUTINE_H

#include "bpf/core/target.bpf.h"
#include "bpf/core/user.bpf.h"
#include <bpf/bpf_tracing.h>

#define GO_MET_MAX 65536 /* goroutines; the oldest are forgotten, and met again */

struct go_files {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GO_FILES_MAX);
	__type(key, u32);
	__type(value, struct go_layout);
};

struct go_processes {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32); /* process */
	__type(value, struct go_process);
};

struct go_met {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GO_MET_MAX);
	__type(key, struct go_key);
	__type(value, u32);
};

struct go_moves {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GO_MET_MAX);
	__type(key, struct go_key);
	__type(value, struct go_moved);
};

extern struct go_met go_met SEC(".maps");
extern struct go_moves go_moves SEC(".maps");
extern struct go_files go_files SEC(".maps");
extern struct go_processes go_processes SEC(".maps");

/* Counts changes made by user space or bpf/go/go.bpf.h. 0: none yet. */
extern __u32 go_epoch;

static __always_inline u64 number_of(const struct go_layout *layout, u64 g)
{
	return g && layout->number ? user_word(g + layout->number) : 0;
}

/* The goroutine that a thread works for while it runs on its own stack (g0). */
static __always_inline u64 served_by(const struct go_layout *layout, u64 g)
{
	u64 m = user_word(g + layout->thread);

	return m ? number_of(layout, user_word(m + layout->current)) : 0;
}

/* Checks that g is a runtime.g: it has a stack, and its thread either runs it or is its own g0. Returns the thread; 0:
 * it is not. */
static __always_inline u64 thread_of_goroutine(const struct go_layout *layout, u64 g)
{
	u64 stack[2], m;

	if (bpf_probe_read_user(stack, sizeof(stack), (void *)g) || stack[0] >= stack[1])
		return 0;
	m = user_word(g + layout->thread);
	return m && (user_word(m) == g || user_word(m + layout->current) == g) ? m : 0;
}

#define GO_NEAR 16 /* words that are read at once */

static __always_inline u8 words_to_number(const struct go_layout *layout)
{
	u32 bytes = layout->number - layout->thread;

	return bytes < GO_NEAR * sizeof(u64) && !(bytes & 7) ? bytes / sizeof(u64) : 0;
}

/* Go's code keeps its goroutine in a register (R14, X28) and leaves it there in system calls. Other code may have
 * anything there; but only the goroutine that the thread runs, and the thread's own (g0, gsignal), have its m. One read
 * instead of two, and none where the thread's own runs, as in most switches of a server with little to do. */
static __always_inline bool number_by_register(struct task_struct *task, struct go_thread_state *go, u64 *number,
					       u64 *at_g)
{
	const struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	u32 at = go->words;
	u64 words[GO_NEAR], g = FIELD(regs, GO_GOROUTINE);

	if (!at || at >= GO_NEAR || !g)
		return false;
	if (g == go->own) {
		*number = 0;
		return true;
	}
	/* m precedes the number in all versions of Go */
	if (bpf_probe_read_user(words, sizeof(words), (void *)(g + go->number - at * sizeof(u64))) ||
	    words[0] != go->thread)
		return false;
	*number = words[at];
	if (*number)
		*at_g = g;
	else
		go->own = g;
	return true;
}

/* The thread's own word for it; 0: none. On arm64 there is none without C code: the register has it wherever Go runs,
 * and the caller checks what is there. */
static __always_inline u64 goroutine_of_thread(struct task_struct *task, s16 slot)
{
#if defined(__TARGET_ARCH_arm64)
	return FIELD((struct pt_regs *)bpf_task_pt_regs(task), GO_GOROUTINE);
#else
	return user_word(THREAD_POINTER(task) + slot);
#endif
}

/* Looks up whether the process is a Go program, once per thread and epoch. */
static __always_inline void learn_go(struct task_struct *task, struct go_thread_state *go, u32 epoch)
{
	u32 tgid = FIELD(task, tgid), file;
	struct go_process *process = bpf_map_lookup_elem(&go_processes, &tgid);
	struct go_layout *layout;
	u64 started, g, thread;

	go->file = 0;
	if (!process)
		goto known;
	started = FIELD(POINTER_IN(struct task_struct, task, group_leader), start_time);
	if (!process->started) {
		process->started = started;
	} else if (process->started != started) { /* another process had this number before */
		bpf_map_delete_elem(&go_processes, &tgid);
		goto known;
	}
	file = process->file;
	layout = bpf_map_lookup_elem(&go_files, &file);
	if (!layout || !layout->number)
		goto known;
	g = goroutine_of_thread(task, layout->slot);
	thread = g ? thread_of_goroutine(layout, g) : 0;
	if (!thread)
		return; /* for example while a signal is handled: try again next time */
	go->file = file;
	go->slot = layout->slot;
	go->number = layout->number;
	go->c_code = layout->c_code;
	/* threads that C created borrow another m for each call of Go */
	go->words = layout->c_code ? 0 : words_to_number(layout);
	go->thread = thread;
	go->own = 0;
known:
	go->epoch = epoch;
}

/* What goroutine_of_thread gave is not just what other code left in the register. */
static __always_inline bool is_goroutine(const struct go_thread_state *go, u64 g)
{
#if defined(__TARGET_ARCH_arm64)
	u32 file = go->file;
	struct go_layout *layout;

	if (!go->c_code)
		return false; /* number_by_register would have known it */
	layout = bpf_map_lookup_elem(&go_files, &file);
	return layout && thread_of_goroutine(layout, g);
#else
	return true;
#endif
}

/* The goroutine of the running task; state is that task's. 0: none, or not known. at_g: where it is; untouched where
 * the thread's own runs for it. */
static __always_inline u64 goroutine_at(struct task_struct *task, struct task_state *state, u64 *at_g)
{
	u32 epoch = go_epoch, file;
	struct go_layout *layout;
	struct go_thread_state *go;
	u64 g, number;

	if (!epoch || !state)
		return 0;
	go = &state->go;
	if (go->epoch != epoch)
		learn_go(task, go, epoch);
	if (!go->file)
		return 0;
	if (number_by_register(task, go, &number, at_g))
		return number;
	g = goroutine_of_thread(task, go->slot);
	if (!g || !is_goroutine(go, g))
		return 0;
	number = user_word(g + go->number);
	if (number)
		*at_g = g;
	if (number || !go->c_code)
		return number;
	file = go->file;
	layout = bpf_map_lookup_elem(&go_files, &file);
	return layout ? served_by(layout, g) : 0;
}

static __always_inline u64 goroutine_of(struct task_struct *task, struct task_state *state)
{
	u64 g = 0;

	return goroutine_at(task, state, &g);
}

/* Whether the goroutine was made after its creator's last read or write: no number like it had been given away by then.
 * The numbers of a batch are given in order, and by the processor that has the batch. */
static __always_inline bool made_since_moved(u32 pid, u64 creator, u64 number)
{
	struct go_key key = {.goroutine = creator, .pid = pid};
	struct go_moved *moved = bpf_map_lookup_elem(&go_moves, &key);

	return moved && (number > moved->generation || (number >= moved->next && number < moved->end));
}

/* A goroutine is seen in the kernel, perhaps for the first time: its creation is emitted now, if no probe showed it and
 * its creator has neither read nor written since. What it works on is then what it worked on when it made this one.
 * Returns bits of GO_MET_*. */
static __always_inline u32 meet_goroutine(struct task_struct *task, struct go_thread_state *go, u64 g, u64 number)
{
	struct go_key key = {.goroutine = number, .pid = FIELD(task, tgid)};
	u32 fresh = GO_MET_SEEN, file = go->file, *known = bpf_map_lookup_elem(&go_met, &key);
	u64 words[4];                 /* g.parentGoid, gopc, ancestors, startpc */
	u64 now = bpf_ktime_get_ns(); /* not after what its creator does next */
	struct record_go_made *record;
	struct go_layout *layout;

	go->met = number;
	if (known && *known & GO_MET_SEEN)
		return *known;
	layout = bpf_map_lookup_elem(&go_files, &file);
	if (!g || !layout || !layout->generation || !layout->parent)
		return 0;
	if (bpf_probe_read_user(words, sizeof(words), (void *)(g + layout->number + 8ul * layout->parent)))
		return 0;
	if (known)
		fresh |= *known;
	if (made_since_moved(FIELD(task, tgid), words[0], number))
		fresh |= GO_MET_PROVEN;
	if (!(fresh & GO_MET_MADE) && fresh & GO_MET_PROVEN) {
		record = reserve(sizeof(*record), RECORD_GO_CREATE, NULL);
		if (record) {
			fill_head(&record->go.h, task, RECORD_GO_CREATE, now);
			record->go.goroutine = words[0];
			record->go.subject = number;
			record->go.place = 0;
			record->go.number = 0;
			record->go.file = file;
			record->go.act = GO_MADE;
			record->go.reason = 0;
			record->go.unused = 0;
			record->function = words[3];
			record->from = words[1];
			bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
			fresh |= GO_MET_MADE;
		}
	}
	bpf_map_update_elem(&go_met, &key, &fresh, BPF_ANY);
	return fresh;
}

/* A separate function for the verifier: it checks this one once, not once per call. */
__noinline u64 find_goroutine(void);

/* The goroutine of the running task; usually there is none. */
static __always_inline u64 running_goroutine(void)
{
	return go_epoch ? find_goroutine() : 0;
}

__noinline u64 find_mover(int reads);

/* The running goroutine, which has read or written bytes of a socket. */
static __always_inline u64 moving_goroutine(bool reads)
{
	return go_epoch ? find_mover(reads) : 0;
}

/* The task is about to run another program. */
static __always_inline void forget_go(struct task_struct *task, struct go_thread_state *go)
{
	u32 tgid = FIELD(task, tgid);

	if (!go_epoch)
		return;
	bpf_map_delete_elem(&go_processes, &tgid);
	go->epoch = 0;
	go->file = 0;
}

#endif

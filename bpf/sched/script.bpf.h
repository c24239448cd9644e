/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The frames of scripts that the running thread executes, and what all languages share.
 *
 * The process may be changing each of these structures, and it may be hostile: addresses are only read, types are
 * compared, and one structure that is not what it has to be makes the whole stack unknown. A number stands for a
 * function in the record. It is made from what the function's structure says, because another one may be at the same
 * address later.
 */
#ifndef TAILCAP_BPF_SCHED_SCRIPT_H
#define TAILCAP_BPF_SCHED_SCRIPT_H

#include "bpf/core/record.bpf.h"
#include "bpf/core/target.bpf.h"
#include "bpf/core/user.bpf.h"

#define SCRIPT_TEXT_MOST (1 << 24) /* characters that a name may have */

/* A function that user space knows. */
struct script_known {
	u32 tgid;
	u32 unused;
	u64 code;
};

/* All that walks of any language need: the stacks of the programs that call it have no room. */
struct script_walk {
	struct script_process process;
	struct script_known known;
	u64 hash;
	u64 at; /* the next frame */
	u32 count;
	u32 end; /* enum script_end */
	struct record_script_code record;
	u64 frames[SCRIPT_WORDS];
};

/* Used with interrupts off, as walks of bpf/sched/unwind.bpf.h. */
struct script_walks {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct script_walk);
};

/* By process; user space makes them, and a process that runs another program loses them. */
struct script_processes {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct script_process);
};

extern struct script_walks script_walks SEC(".maps");
extern struct script_processes script_processes SEC(".maps");

static __always_inline struct script_walk *this_walk(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&script_walks, &zero);
}

/* Functions of their own for the verifier. A language's fills count, end and frames of script_walks. */
__noinline int walk_scripts(u32 tgid);
__noinline int walk_python(void);
__noinline int walk_php(void);
__noinline int walk_v8(void);
__noinline int walk_ruby(void);
__noinline int walk_hotspot(void);
/* Whether user space knows what the number in script_walks stands for. */
__noinline int knows_script_code(void);
/* Tells user space what the number in script_walks stands for, once. */
__noinline int tell_script_code(void);

static __always_inline u64 add_word(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

static __always_inline void add_to_number(struct script_walk *walk, u64 word)
{
	walk->hash = add_word(walk->hash, word);
}

static __always_inline void begin_script_code(struct script_walk *walk)
{
	walk->hash = walk->process.number;
	walk->record.first_line = 0;
	walk->record.lines_size = 0;
	walk->record.name.size = walk->record.file.size = walk->record.scope.size = 0;
	walk->record.name.characters = walk->record.file.characters = walk->record.scope.characters = 0;
}

/* Whether a walk may keep one more frame, as its count-th; otherwise it has ended. */
static __always_inline bool has_room(struct script_walk *walk, u32 *count)
{
	*count = walk->count;
	if (*count < SCRIPT_FRAMES)
		return true;
	walk->end = SCRIPT_END_CUT;
	return false;
}

/* The same for walks from frame to frame, by walk->at. */
static __always_inline bool frame_follows(struct script_walk *walk, u32 *count)
{
	if (walk->at)
		return has_room(walk, count);
	walk->end = SCRIPT_END_WHOLE;
	return false;
}

/* Reads the characters of a string, and adds them to the number. ends: its last bytes are kept rather than its first
 * ones. */
static __always_inline bool read_script_text(struct script_walk *walk, struct script_text *text, u64 data,
					     u64 characters, u32 width, bool ends)
{
	u64 size = characters * width, kept = size, hash = walk->hash;

	if (characters > SCRIPT_TEXT_MOST)
		return false;
	if (kept > SCRIPT_TEXT)
		kept = SCRIPT_TEXT;
	if (ends)
		data += size - kept;
	__builtin_memset(text, 0, sizeof(*text));
	text->characters = characters;
	text->size = kept;
	text->width = width;
	barrier_var(kept);
	if (kept > SCRIPT_TEXT || bpf_probe_read_user(text->words, kept, (void *)data))
		return false;
	hash = add_word(hash, characters);
	for (int i = 0; i < SCRIPT_TEXT / 8; i++) {
		hash = add_word(hash, text->words[i]);
		barrier_var(hash); /* else all words are read first, and take room on the stack */
	}
	walk->hash = hash;
	return true;
}

/* Words about frames, from the innermost on: at most SCRIPT_WORDS. The task is the running one. */
static __always_inline u32 script_stack(struct task_struct *task, u64 *frames, struct record_sample *record)
{
	u32 tgid = FIELD(task, tgid), count;
	struct script_walk *walk;

	record->script = 0;
	record->script_end = SCRIPT_END_NONE;
	record->script_language = 0;
	if (IS_OLDER || !bpf_map_lookup_elem(&script_processes, &tgid))
		return 0;
	walk_scripts(tgid);
	walk = this_walk();
	if (!walk || walk->end == SCRIPT_END_NONE)
		return 0;
	count = walk->process.language == SCRIPT_PYTHON ? 2 * walk->count : walk->count;
	barrier_var(count);
	if (count > SCRIPT_WORDS)
		count = SCRIPT_WORDS;
	if (count)
		bpf_probe_read_kernel(frames, count * sizeof(u64), walk->frames);
	record->script = count;
	record->script_end = walk->end;
	record->script_language = walk->process.language;
	return count;
}

static __always_inline void forget_scripts(struct task_struct *task)
{
	u32 tgid = FIELD(task, tgid);

	bpf_map_delete_elem(&script_processes, &tgid);
}

#endif

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Walks CPython's own frames: from the state of the running thread to its frames, and from each of them to its code.
 *
 * The process may be changing each of these, and it may be hostile: addresses are only read, types are compared, and
 * one structure that is not what it has to be makes the whole stack unknown. A number stands for a code object in the
 * record. It is made from what the object says, because another one may be at the same address later.
 */
#include "bpf/sched/python.bpf.h"
#include "bpf/core/record.bpf.h"
#include "bpf/core/user.bpf.h"

struct python_walks python_walks SEC(".maps");
struct python_processes python_processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PYTHON_CODES);
	__type(key, struct python_known);
	__type(value, u8);
} python_codes SEC(".maps");

#define FRAME_WORD(walk, field) ((walk)->frame[((walk)->process.layout.field >> 3) & (PYTHON_FRAME_WORDS - 1)])
#define CODE_WORD(walk, field) ((walk)->code[((walk)->process.layout.field >> 3) & (PYTHON_CODE_WORDS - 1)])

#define CODE_TYPE 1 /* word of an object */

/* Bits of a string's state: characters of `kind` bytes follow the head at once (compact), in ASCII or not. */
#define TEXT_KIND(state) ((state) >> 2 & 7)
#define TEXT_COMPACT(state) ((state) >> 5 & 1)
#define TEXT_ASCII(state) ((state) >> 6 & 1)
#define TEXT_MOST (1 << 24) /* characters that a name may have */

static __always_inline u64 add_word(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

/* Reads a string, and adds it to the hash. ends: its last bytes are kept rather than its first ones. */
static __always_inline bool read_text(struct python_walk *walk, u64 at, struct python_text *text, bool ends, u64 *hash)
{
	u64 *head = walk->head;
	u64 size, kept, data;
	u32 width;

	if (bpf_probe_read_user(head, sizeof(walk->head), (void *)(at + 8)) || head[0] != walk->process.text_type)
		return false;
	width = TEXT_KIND(head[3]);
	if (!TEXT_COMPACT(head[3]) || (width != 1 && width != 2 && width != 4) || head[1] > TEXT_MOST)
		return false;
	data = at + (TEXT_ASCII(head[3]) ? walk->process.layout.text_ascii : walk->process.layout.text_other);
	size = head[1] * width;
	kept = size;
	if (kept > PYTHON_TEXT)
		kept = PYTHON_TEXT;
	if (ends)
		data += size - kept;
	__builtin_memset(text, 0, sizeof(*text));
	text->characters = head[1];
	text->size = kept;
	text->width = width;
	barrier_var(kept);
	if (kept > PYTHON_TEXT || bpf_probe_read_user(text->words, kept, (void *)data))
		return false;
	*hash = add_word(*hash, head[1]);
	*hash = add_word(*hash, head[2]);
	for (int i = 0; i < PYTHON_TEXT / 8; i++) {
		*hash = add_word(*hash, text->words[i]);
		barrier_var(*hash); /* else all words are read first, and take room on the stack */
	}
	return true;
}

/* Tells user space what the number stands for, once. */
static __always_inline void tell_code(struct python_walk *walk, u32 tgid)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u8 told = 1;

	walk->known.tgid = tgid;
	walk->known.unused = 0;
	walk->known.code = walk->record.code;
	if (bpf_map_lookup_elem(&python_codes, &walk->known))
		return;
	fill_head(&walk->record.h, task, RECORD_PYTHON_CODE, bpf_ktime_get_ns());
	if (output(&walk->record, sizeof(walk->record), wake_flag(walk->record.h.time)))
		count_loss(LOSS_RING_FULL, RECORD_PYTHON_CODE);
	else
		bpf_map_update_elem(&python_codes, &walk->known, &told, BPF_ANY);
}

/* The number of a code object; 0: it is none. */
static __always_inline u64 number_of_code(struct python_walk *walk, u64 at, u32 tgid)
{
	u64 hash = walk->process.number;
	u32 line;

	if (bpf_probe_read_user(walk->code, 18 * sizeof(u64), (void *)at) ||
	    walk->code[CODE_TYPE] != walk->process.code_type)
		return 0;
	line = walk->process.layout.code_first_line;
	walk->record.first_line = CODE_WORD(walk, code_first_line) >> 8 * (line & 4);
	hash = add_word(hash, walk->record.first_line);
	hash = add_word(hash, CODE_WORD(walk, code_constants));
	hash = add_word(hash, CODE_WORD(walk, code_names));
	hash = add_word(hash, CODE_WORD(walk, code_lines));
	if (!read_text(walk, CODE_WORD(walk, code_name), &walk->record.name, false, &hash) ||
	    !read_text(walk, CODE_WORD(walk, code_file), &walk->record.file, true, &hash))
		return 0;
	walk->record.code = hash & ~PYTHON_ENTRY;
	tell_code(walk, tgid);
	return walk->record.code;
}

static long walk_frame(u32 round, void *unused)
{
	struct python_walk *walk;
	u32 zero = 0, count, ways, owner;
	u64 number;

	walk = bpf_map_lookup_elem(&python_walks, &zero);
	if (!walk)
		return 1;
	if (!walk->frame_at) {
		walk->end = PYTHON_END_WHOLE;
		return 1;
	}
	count = walk->count;
	if (count >= PYTHON_FRAMES) {
		walk->end = PYTHON_END_CUT;
		return 1;
	}
	if (bpf_probe_read_user(walk->frame, 10 * sizeof(u64), (void *)walk->frame_at))
		return 1;
	ways = walk->process.layout.ways;
	owner = FRAME_WORD(walk, frame_entry) >> 8 * (walk->process.layout.frame_entry & 7) & 0xff;
	if (ways & PYTHON_ENTRY_BELOW && owner == PYTHON_OWNER_FUNCTION) {
		if (count)
			walk->frames[(count - 1) & (PYTHON_FRAMES - 1)] |= PYTHON_ENTRY;
		walk->frame_at = FRAME_WORD(walk, frame_previous);
		return 0;
	}
	number = number_of_code(walk, FRAME_WORD(walk, frame_code), bpf_get_current_task_btf()->tgid);
	if (!number)
		return 1;
	if (ways & PYTHON_ENTRY_ALWAYS || (!(ways & PYTHON_ENTRY_BELOW) && owner))
		number |= PYTHON_ENTRY;
	walk->frames[count] = number;
	walk->count = count + 1;
	walk->frame_at = FRAME_WORD(walk, frame_previous);
	return 0;
}

/* A thread's state has the thread pointer as its number. */
static long look_for_thread(u32 round, void *unused)
{
	struct python_walk *walk;
	u32 zero = 0;

	walk = bpf_map_lookup_elem(&python_walks, &zero);
	if (!walk)
		return 1;
	if (walk->thread) {
		if (user_word(walk->thread + walk->process.layout.thread_id) == walk->thread_pointer)
			return 1;
		walk->thread = user_word(walk->thread + walk->process.layout.thread_next);
		return 0;
	}
	if (!walk->interpreter)
		return 1;
	walk->thread = user_word(walk->interpreter + walk->process.layout.interpreter_threads);
	walk->interpreter = user_word(walk->interpreter + walk->process.layout.interpreter_next);
	return 0;
}

__noinline int walk_python(u32 tgid)
{
	struct python_process *process = bpf_map_lookup_elem(&python_processes, &tgid);
	u32 zero = 0;
	struct python_walk *walk = bpf_map_lookup_elem(&python_walks, &zero);

	if (!walk)
		return 0;
	walk->count = 0;
	walk->end = PYTHON_END_NONE;
	if (!process)
		return 0;
	walk->process = *process;
	walk->thread_pointer = bpf_get_current_task_btf()->thread.fsbase;
	if (!walk->thread_pointer)
		return 0;
	/* Mostly it is the one that holds the lock. */
	walk->interpreter = walk->process.runtime;
	if (walk->process.layout.ways & PYTHON_HOLDER_IN_INTERPRETER)
		walk->interpreter = user_word(walk->interpreter + walk->process.layout.runtime_interpreters);
	walk->thread = user_word(walk->interpreter + walk->process.layout.holder);
	if (!walk->thread || user_word(walk->thread + walk->process.layout.thread_id) != walk->thread_pointer) {
		walk->thread = 0;
		walk->interpreter = user_word(walk->process.runtime + walk->process.layout.runtime_interpreters);
		bpf_loop(PYTHON_THREADS, look_for_thread, NULL, 0);
		if (!walk->thread || user_word(walk->thread + walk->process.layout.thread_id) != walk->thread_pointer)
			return 0;
	}
	walk->frame_at = user_word(walk->thread + walk->process.layout.thread_frames);
	if (!walk->frame_at)
		return 0;
	if (!(walk->process.layout.ways & PYTHON_FRAME_IN_THREAD))
		walk->frame_at = user_word(walk->frame_at + walk->process.layout.current_frame);
	/* An interpreter's function may have a frame below each. */
	bpf_loop(2 * PYTHON_FRAMES + 2, walk_frame, NULL, 0);
	return 0;
}

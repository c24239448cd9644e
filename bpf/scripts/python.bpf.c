// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Walks CPython's own frames: from the state of the running thread to its frames, and from each of them to its code.
 */
#include "bpf/sched/script.bpf.h"

#define FRAME_WORDS 16 /* a power of two; ten are read */
#define CODE_WORDS 32  /* likewise; 18 are read */

struct python_walk {
	u64 head[4]; /* of a string: type, length, hash, state */
	u64 thread_pointer;
	u64 interpreter; /* the next one */
	u64 thread;      /* its state, or what may be */
	u64 frame[FRAME_WORDS];
	u64 code[CODE_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct python_walk);
} python_walks SEC(".maps");

#define LAYOUT(walk) ((walk)->process.python.layout)
#define FRAME_WORD(own, walk, field) ((own)->frame[(LAYOUT(walk).field >> 3) & (FRAME_WORDS - 1)])
#define CODE_WORD(own, walk, field) ((own)->code[(LAYOUT(walk).field >> 3) & (CODE_WORDS - 1)])

#define CODE_TYPE 1 /* word of an object */

/* Bits of a string's state: characters of `kind` bytes follow the head at once (compact), in ASCII or not. */
#define TEXT_KIND(state) ((state) >> 2 & 7)
#define TEXT_COMPACT(state) ((state) >> 5 & 1)
#define TEXT_ASCII(state) ((state) >> 6 & 1)

static __always_inline struct python_walk *own_walk(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&python_walks, &zero);
}

static __always_inline bool read_text(struct python_walk *own, struct script_walk *walk, u64 at,
				      struct script_text *text, bool ends)
{
	u64 *head = own->head;
	u32 width;

	if (bpf_probe_read_user(head, sizeof(own->head), (void *)(at + 8)) || head[0] != walk->process.python.text_type)
		return false;
	width = TEXT_KIND(head[3]);
	if (!TEXT_COMPACT(head[3]) || (width != 1 && width != 2 && width != 4))
		return false;
	add_to_number(walk, head[2]);
	return read_script_text(walk, text,
				at + (TEXT_ASCII(head[3]) ? LAYOUT(walk).text_ascii : LAYOUT(walk).text_other), head[1],
				width, ends);
}

#define BYTES_SIZE 16 /* of a string of bytes, in bytes; of code, in units of two bytes */
#define BYTES_DATA 32
#define LONGEST_CODE (1 << 24)

/* Which line each instruction is of, if all of it fits. */
static __always_inline void read_lines(struct python_walk *own, struct script_walk *walk, u64 code)
{
	u64 table = CODE_WORD(own, walk, code_lines), size = user_word(table + BYTES_SIZE), bytes;
	u32 length;

	if (LAYOUT(walk).ways & PYTHON_CODE_APART)
		bytes = user_word(user_word(code + LAYOUT(walk).code_begin) + BYTES_SIZE);
	else
		bytes = 2 * user_word(code + BYTES_SIZE);
	if (!LAYOUT(walk).code_begin || bytes > LONGEST_CODE || !size || size > SCRIPT_LINES)
		return;
	/* A value of its own, checked where it is used: Linux 6.1 forgets a check when a register is stored and read
	 * again. */
	length = size;
	barrier_var(length);
	if (length > SCRIPT_LINES || bpf_probe_read_user(walk->record.lines, length, (void *)(table + BYTES_DATA)))
		return;
	walk->record.code_bytes = bytes;
	walk->record.lines_size = size;
	walk->record.lines_form = SCRIPT_LINES_LOCATIONS;
	if (LAYOUT(walk).ways & PYTHON_CODE_APART)
		walk->record.lines_form =
			LAYOUT(walk).ways & PYTHON_CODE_IN_UNITS ? SCRIPT_LINES_RANGES : SCRIPT_LINES_DELTAS;
}

/* At which byte of its code a frame is, plus one; 0: at none. */
static __always_inline u64 place_in_code(struct python_walk *own, struct script_walk *walk, u64 frame)
{
	u64 at;
	s32 number = -1;

	if (!LAYOUT(walk).code_begin)
		return 0;
	if (LAYOUT(walk).ways & PYTHON_CODE_APART) {
		bpf_probe_read_user(&number, sizeof(number), (void *)(frame + LAYOUT(walk).frame_instruction));
		if (number < 0)
			return 0;
		at = (u64)number << (LAYOUT(walk).ways & PYTHON_CODE_IN_UNITS ? 1 : 0);
	} else {
		at = FRAME_WORD(own, walk, frame_instruction) - FRAME_WORD(own, walk, frame_code) -
		     LAYOUT(walk).code_begin;
	}
	return at < LONGEST_CODE ? at + 1 : 0;
}

/* The number of a code object; 0: it is none. */
static __always_inline u64 number_of_code(struct python_walk *own, struct script_walk *walk, u64 at)
{
	u32 line;

	if (bpf_probe_read_user(own->code, 18 * sizeof(u64), (void *)at) ||
	    own->code[CODE_TYPE] != walk->process.python.code_type)
		return 0;
	line = LAYOUT(walk).code_first_line;
	begin_script_code(walk);
	walk->record.first_line = CODE_WORD(own, walk, code_first_line) >> 8 * (line & 4);
	add_to_number(walk, walk->record.first_line);
	add_to_number(walk, CODE_WORD(own, walk, code_constants));
	add_to_number(walk, CODE_WORD(own, walk, code_names));
	add_to_number(walk, CODE_WORD(own, walk, code_lines));
	if (!read_text(own, walk, CODE_WORD(own, walk, code_name), &walk->record.name, false) ||
	    !read_text(own, walk, CODE_WORD(own, walk, code_file), &walk->record.file, true))
		return 0;
	walk->record.code = walk->hash & ~SCRIPT_PLACE;
	if (!knows_script_code()) {
		read_lines(own, walk, at);
		tell_script_code();
	}
	return walk->record.code;
}

static long walk_frame(u32 round, void *unused)
{
	struct script_walk *walk = this_walk();
	struct python_walk *own = own_walk();
	u32 count, ways, owner;
	u64 number;

	if (!walk || !own || !frame_follows(walk, &count))
		return 1;
	if (bpf_probe_read_user(own->frame, 10 * sizeof(u64), (void *)walk->at))
		return 1;
	ways = LAYOUT(walk).ways;
	owner = FRAME_WORD(own, walk, frame_entry) >> 8 * (LAYOUT(walk).frame_entry & 7) & 0xff;
	if (ways & PYTHON_ENTRY_BELOW && owner == PYTHON_OWNER_FUNCTION) {
		if (count)
			walk->frames[2 * (count - 1) & (SCRIPT_WORDS - 2)] |= SCRIPT_ENTRY;
		walk->at = FRAME_WORD(own, walk, frame_previous);
		return 0;
	}
	number = number_of_code(own, walk, FRAME_WORD(own, walk, frame_code));
	if (!number)
		return 1;
	if (ways & PYTHON_ENTRY_ALWAYS || (!(ways & PYTHON_ENTRY_BELOW) && owner))
		number |= SCRIPT_ENTRY;
	walk->frames[2 * count] = number;
	walk->frames[2 * count + 1] = place_in_code(own, walk, walk->at);
	walk->count = count + 1;
	walk->at = FRAME_WORD(own, walk, frame_previous);
	return 0;
}

/* A thread's state has the thread pointer as its number. */
static long look_for_thread(u32 round, void *unused)
{
	struct script_walk *walk = this_walk();
	struct python_walk *own = own_walk();

	if (!walk || !own)
		return 1;
	if (own->thread) {
		if (user_word(own->thread + LAYOUT(walk).thread_id) == own->thread_pointer)
			return 1;
		own->thread = user_word(own->thread + LAYOUT(walk).thread_next);
		return 0;
	}
	if (!own->interpreter)
		return 1;
	own->thread = user_word(own->interpreter + LAYOUT(walk).interpreter_threads);
	own->interpreter = user_word(own->interpreter + LAYOUT(walk).interpreter_next);
	return 0;
}

__noinline int walk_python(void)
{
	struct script_walk *walk = this_walk();
	struct python_walk *own = own_walk();

	if (!walk || !own)
		return 0;
	own->thread_pointer = THREAD_POINTER(bpf_get_current_task_btf());
	if (!own->thread_pointer)
		return 0;
	/* Mostly it is the one that holds the lock. */
	own->interpreter = walk->process.python.runtime;
	if (LAYOUT(walk).ways & PYTHON_HOLDER_IN_INTERPRETER)
		own->interpreter = user_word(own->interpreter + LAYOUT(walk).runtime_interpreters);
	own->thread = user_word(own->interpreter + LAYOUT(walk).holder);
	if (!own->thread || user_word(own->thread + LAYOUT(walk).thread_id) != own->thread_pointer) {
		own->thread = 0;
		own->interpreter = user_word(walk->process.python.runtime + LAYOUT(walk).runtime_interpreters);
		bpf_loop(PYTHON_THREADS, look_for_thread, NULL, 0);
		if (!own->thread || user_word(own->thread + LAYOUT(walk).thread_id) != own->thread_pointer)
			return 0;
	}
	walk->at = user_word(own->thread + LAYOUT(walk).thread_frames);
	if (!walk->at)
		return 0;
	if (!(LAYOUT(walk).ways & PYTHON_FRAME_IN_THREAD))
		walk->at = user_word(walk->at + LAYOUT(walk).current_frame);
	/* An interpreter's function may have a frame below each. */
	bpf_loop(2 * SCRIPT_FRAMES + 2, walk_frame, NULL, 0);
	return 0;
}

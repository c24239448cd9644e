// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Walks Ruby's own frames (rb_control_frame_t), and from each of them to its function. The thread is found among those
 * of the virtual machine, and its frames are those of the fiber that it executes.
 *
 * Code is believed to be code only if its first instruction leads into the interpreter. Functions that Ruby has in C
 * have frames, too, with an ID for a name; the table of IDs has to say of an entry that it is the one of that ID.
 */
#include "bpf/sched/script.bpf.h"

#define FRAME_WORDS 8 /* five are read */
#define FRAME_PC 0
#define FRAME_CODE 2
#define FRAME_ENVIRONMENT 4

/* What the environment says of its frame. */
#define FRAME_KIND(flags) ((flags)&0x7fff0001)
#define KIND_IN_C 0x55550001
#define KIND_BLOCK_IN_C 0x66660001
#define KIND_NONE 0x79990001 /* below the first frame of a thread */
#define FRAME_IN_C 0x80
#define FRAME_ENTRY 0x20 /* the interpreter's function was called for it */

#define OBJECT_WORDS 5
#define ARRAY_DATA 4
#define OBJECT_TYPE(word) ((word)&0x1f)
#define TYPE_STRING 0x05
#define TYPE_ARRAY 0x07
#define TYPE_INTERNAL 0x1a
#define INTERNAL_TYPE(word) ((word) >> 12 & 0xf)
#define INTERNAL_METHOD 6
#define INTERNAL_CODE 7
#define CODE_BODY 2 /* word */
#define METHOD_DEFINITION 2
#define DEFINITION_NAME 32 /* in bytes */

#define BODY_WORDS 16 /* twelve are read */
#define BODY_SIZE(word) ((word) >> 32)
#define BODY_CODE 1
#define BODY_FILE 8
#define BODY_NAME 10
#define BODY_FIRST_LINE 11

#define STRING_APART (1 << 13) /* the same bit of an array means the opposite */
#define STRING_LENGTH(word) ((word) >> 14 & 0x1f)
#define STRING_WITHIN 24 /* in bytes, where the length is before the characters */
#define ARRAY_WITHIN (1 << 13)
#define ARRAY_LENGTH(word) ((word) >> 15 & 0x7f)
#define SMALL(word) ((u32)((word) >> 1))
#define IS_SMALL(word) ((word)&1)

/* IDs: an entry of the table has the name and the symbol. */
#define LAST_OPERATOR 170 /* their IDs are their places */
#define ID_SHIFT 4
#define ENTRIES_AT_ONCE 512
#define NAMES_COUNT 0
#define NAMES_ENTRIES 16 /* in bytes */
#define SYMBOL_OF(id) ((id) << 8 | 0xc)

struct ruby_walk {
	u64 thread_pointer;
	u64 machine;
	u64 ractor;  /* in the list of all; 0: none is left */
	u64 node;    /* of a thread, in the list of its ractor; 0: of none */
	u64 threads; /* that list */
	u64 context; /* of the running thread */
	u64 end;     /* of its frames */
	u64 frame[FRAME_WORDS];
	u64 object[OBJECT_WORDS];
	u64 body[BODY_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct ruby_walk);
} ruby_walks SEC(".maps");

#define LAYOUT(walk) ((walk)->process.ruby.layout)

static __always_inline struct ruby_walk *own_walk(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&ruby_walks, &zero);
}

static __always_inline bool read_object(struct ruby_walk *own, u64 at, u32 type)
{
	return at && !(at & 7) && !bpf_probe_read_user(own->object, sizeof(own->object), (void *)at) &&
	       OBJECT_TYPE(own->object[0]) == type;
}

static __always_inline bool read_text(struct ruby_walk *own, struct script_walk *walk, u64 at, struct script_text *text,
				      bool ends)
{
	u64 data = at + 16, length;

	if (!read_object(own, at, TYPE_STRING))
		return false;
	length = STRING_LENGTH(own->object[0]);
	if (LAYOUT(walk).ways & RUBY_LENGTH_FIRST) {
		length = own->object[2];
		data = at + STRING_WITHIN;
	}
	if (own->object[0] & STRING_APART) {
		length = own->object[2];
		data = own->object[3];
	}
	if (!read_script_text(walk, text, data, length, 1, ends))
		return false;
	text->utf8 = true;
	return true;
}

/* An array's word; 0: it has none. */
static __always_inline u64 word_of(struct ruby_walk *own, struct script_walk *walk, u64 array, u64 index)
{
	u64 within;

	if (!read_object(own, array, TYPE_ARRAY))
		return 0;
	within = LAYOUT(walk).ways & RUBY_LONG_WITHIN ? ARRAY_LENGTH(own->object[0]) : 3;
	if (own->object[0] & ARRAY_WITHIN)
		return index < within ? user_word(array + 16 + 8 * index) : 0;
	return index < own->object[2] ? user_word(own->object[ARRAY_DATA] + 8 * index) : 0;
}

/* The path is a string, or an array of it and of what it leads to. */
static __always_inline bool read_file(struct ruby_walk *own, struct script_walk *walk, u64 at)
{
	u64 path = word_of(own, walk, at, 0);

	return read_text(own, walk, path ? path : at, &walk->record.file, true);
}

/* The number of code; 0: it is none. */
__noinline int name_ruby_code(u64 at)
{
	struct script_walk *walk = this_walk();
	struct ruby_walk *own = own_walk();
	u64 first;
	bool plain;

	if (!walk || !own)
		return 0;
	if (!read_object(own, at, TYPE_INTERNAL) || INTERNAL_TYPE(own->object[0]) != INTERNAL_CODE)
		return 0;
	if (bpf_probe_read_user(own->body, 12 * sizeof(u64), (void *)own->object[CODE_BODY]))
		return 0;
	if (own->frame[FRAME_PC] - own->body[BODY_CODE] > 8 * BODY_SIZE(own->body[0]))
		return 0;
	first = user_word(own->body[BODY_CODE]);
	if (first - walk->process.ruby.interpreter >= walk->process.ruby.interpreter_bytes)
		return 0;
	plain = LAYOUT(walk).ways & RUBY_PLAIN_LINE;
	if (!plain && !IS_SMALL(own->body[BODY_FIRST_LINE]))
		return 0;
	begin_script_code(walk);
	walk->record.first_line = plain ? own->body[BODY_FIRST_LINE] : SMALL(own->body[BODY_FIRST_LINE]);
	add_to_number(walk, walk->record.first_line);
	if (!read_text(own, walk, own->body[BODY_NAME], &walk->record.name, false) ||
	    !read_file(own, walk, own->body[BODY_FILE]))
		return 0;
	walk->record.code = walk->hash & ~SCRIPT_PLACE;
	tell_script_code();
	return 1;
}

/* What stands for an ID; without a name where its entry is not known. */
static __always_inline bool read_id(struct ruby_walk *own, struct script_walk *walk, u64 id)
{
	u64 names = walk->process.ruby.names, place = id < LAST_OPERATOR ? id : id >> ID_SHIFT, entries;

	if (!names)
		return true;
	entries = word_of(own, walk, user_word(names + NAMES_ENTRIES), place / ENTRIES_AT_ONCE);
	if (!entries)
		return true;
	place = place % ENTRIES_AT_ONCE * 2;
	if (word_of(own, walk, entries, place + 1) != SYMBOL_OF(id))
		return true;
	entries = word_of(own, walk, entries, place);
	return !entries || read_text(own, walk, entries, &walk->record.name, false);
}

/* The number of a method that Ruby has in C; 0: it is none. */
__noinline int name_ruby_method(u64 at)
{
	struct script_walk *walk = this_walk();
	struct ruby_walk *own = own_walk();

	if (!walk || !own)
		return 0;
	if (!read_object(own, at, TYPE_INTERNAL) || INTERNAL_TYPE(own->object[0]) != INTERNAL_METHOD)
		return 0;
	begin_script_code(walk);
	if (!read_id(own, walk, user_word(own->object[METHOD_DEFINITION] + DEFINITION_NAME)))
		return 0;
	walk->record.code = walk->hash & ~SCRIPT_PLACE;
	tell_script_code();
	return 1;
}

static long walk_frame(u32 round, void *unused)
{
	struct script_walk *walk = this_walk();
	struct ruby_walk *own = own_walk();
	u64 flags, kind, place = SCRIPT_IN_C;
	u32 count;

	if (!walk || !own)
		return 1;
	if (walk->at >= own->end) {
		if (walk->at == own->end)
			walk->end = SCRIPT_END_WHOLE;
		return 1;
	}
	if (!has_room(walk, &count))
		return 1;
	if (bpf_probe_read_user(own->frame, 5 * sizeof(u64), (void *)walk->at))
		return 1;
	walk->at += LAYOUT(walk).frame_size;
	flags = user_word(own->frame[FRAME_ENVIRONMENT]);
	kind = FRAME_KIND(flags);
	if (kind == KIND_NONE || kind == KIND_BLOCK_IN_C)
		return 0;
	if (kind == KIND_IN_C) {
		if (!name_ruby_method(user_word(own->frame[FRAME_ENVIRONMENT] - 16)))
			return 1;
	} else {
		if (flags & FRAME_IN_C || !own->frame[FRAME_PC])
			return 0;
		if (!name_ruby_code(own->frame[FRAME_CODE]))
			return 1;
		place = flags & FRAME_ENTRY ? SCRIPT_ENTRY : 0;
	}
	walk->frames[count] = walk->record.code | place;
	walk->count = count + 1;
	return 0;
}

/* A thread has the thread pointer as its number. Lists are rings through their heads. */
static long look_for_thread(u32 round, void *unused)
{
	struct script_walk *walk = this_walk();
	struct ruby_walk *own = own_walk();
	u64 node, thread;

	if (!walk || !own)
		return 1;
	node = own->node;
	if (node && node != own->threads) {
		thread = LAYOUT(walk).thread_native ? user_word(node + LAYOUT(walk).thread_native) : node;
		if (user_word(thread + LAYOUT(walk).thread_id) == own->thread_pointer) {
			own->context = user_word(node + LAYOUT(walk).thread_frames);
			return 1;
		}
		own->node = user_word(node);
		return 0;
	}
	if (!own->ractor || own->ractor == own->machine + LAYOUT(walk).ractors)
		return 1;
	own->threads = own->ractor - LAYOUT(walk).ractor_node + LAYOUT(walk).threads;
	own->node = user_word(own->threads);
	own->ractor = user_word(own->ractor);
	return 0;
}

static __always_inline bool find_context(struct ruby_walk *own, struct script_walk *walk)
{
	own->context = 0;
	own->machine = user_word(walk->process.ruby.machine);
	if (!own->machine)
		return false;
	own->node = own->threads = own->ractor = 0;
	if (LAYOUT(walk).ractors) {
		own->ractor = user_word(own->machine + LAYOUT(walk).ractors);
	} else {
		own->threads = own->machine + LAYOUT(walk).threads;
		own->node = user_word(own->threads);
	}
	bpf_loop(RUBY_THREADS, look_for_thread, NULL, 0);
	/* The context says the same. */
	return own->context && user_word(own->context + LAYOUT(walk).context_thread) == own->node;
}

__noinline int walk_ruby(void)
{
	struct script_walk *walk = this_walk();
	struct ruby_walk *own = own_walk();
	u64 words[3]; /* the context's stack, its size in words, and the innermost frame */

	if (!walk || !own)
		return 0;
	own->thread_pointer = THREAD_POINTER(bpf_get_current_task_btf());
	if (!own->thread_pointer || !find_context(own, walk) ||
	    bpf_probe_read_user(words, sizeof(words), (void *)own->context))
		return 0;
	own->end = words[0] + 8 * words[1];
	walk->at = words[2];
	if (!LAYOUT(walk).frame_size || walk->at < words[0] || walk->at >= own->end ||
	    (own->end - walk->at) % LAYOUT(walk).frame_size)
		return 0;
	bpf_loop(2 * SCRIPT_FRAMES + 2, walk_frame, NULL, 0);
	return 0;
}

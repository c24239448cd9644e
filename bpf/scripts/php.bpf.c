// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Walks PHP's own frames (zend_execute_data), and from each of them to its function. Functions that PHP has in C have
 * frames, too, but no file.
 *
 * A process without opcache compiles its files again in each request, so a function's number is made of its names, not
 * of addresses.
 */
#include "bpf/sched/script.bpf.h"

#define FRAME_WORDS 8  /* of a frame: seven are read */
#define CODE_WORDS 32  /* a power of two; 23 are read */
#define STRING_WORDS 3 /* before its characters: type, hash, length */

/* Words of a frame. */
#define FRAME_FUNCTION 3
#define FRAME_THIS 4
#define FRAME_CALL 5
#define FRAME_PREVIOUS 6

#define CALL_TOP (1 << 17) /* the interpreter's function was called for it */
#define TYPE_OF_VALUE(word) ((word)&0xff)
#define VALUE_OBJECT 8

/* Words of a function. */
#define CODE_TYPE 0 /* a byte */
#define CODE_NAME 1
#define CODE_SCOPE 2
#define CODE_IN_C 1
#define CODE_USER 2
#define CODE_EVAL 4

#define CLASS_NAME 1 /* word */
#define CLASS_IN_C 1
#define CLASS_USER 2

#define STRING_TYPE(word) ((word) >> 32 & 0xf)
#define IS_STRING 6

struct php_walk {
	u64 frame[FRAME_WORDS];
	u64 code[CODE_WORDS];
	u64 head[STRING_WORDS];
	u64 class[2];
	u64 generator; /* whose frame is next, though it is no frame's caller */
	u64 outermost;
	u64 beyond; /* the frame below that */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct php_walk);
} php_walks SEC(".maps");

#define LAYOUT(walk) ((walk)->process.php.layout)
#define CODE_WORD(own, walk, field) ((own)->code[(LAYOUT(walk).field >> 3) & (CODE_WORDS - 1)])

static __always_inline struct php_walk *own_walk(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&php_walks, &zero);
}

static __always_inline bool read_text(struct php_walk *own, struct script_walk *walk, u64 at, struct script_text *text,
				      bool ends)
{
	if (bpf_probe_read_user(own->head, sizeof(own->head), (void *)at) || STRING_TYPE(own->head[0]) != IS_STRING)
		return false;
	if (!read_script_text(walk, text, at + sizeof(own->head), own->head[2], 1, ends))
		return false;
	text->utf8 = true;
	return true;
}

static __always_inline bool read_class(struct php_walk *own, struct script_walk *walk, u64 at)
{
	u32 type;

	if (bpf_probe_read_user(own->class, sizeof(own->class), (void *)at))
		return false;
	type = own->class[0] & 0xff;
	return (type == CLASS_IN_C || type == CLASS_USER) &&
	       read_text(own, walk, own->class[CLASS_NAME], &walk -> record.scope, false);
}

/* The number of a function; 0: it is none. */
static __always_inline u64 number_of_code(struct php_walk *own, struct script_walk *walk, u64 at)
{
	u32 type, line = LAYOUT(walk).code_first_line;

	if (bpf_probe_read_user(own->code, 23 * sizeof(u64), (void *)at))
		return 0;
	type = own->code[CODE_TYPE] & 0xff;
	if (type != CODE_IN_C && type != CODE_USER && type != CODE_EVAL)
		return 0;
	begin_script_code(walk);
	add_to_number(walk, type);
	if (own->code[CODE_NAME] && !read_text(own, walk, own->code[CODE_NAME], &walk->record.name, false))
		return 0;
	if (own->code[CODE_SCOPE] && !read_class(own, walk, own->code[CODE_SCOPE]))
		return 0;
	if (type != CODE_IN_C) {
		walk->record.first_line = CODE_WORD(own, walk, code_first_line) >> 8 * (line & 4);
		if (!read_text(own, walk, CODE_WORD(own, walk, code_file), &walk->record.file, true))
			return 0;
	}
	add_to_number(walk, walk->record.first_line);
	walk->record.code = walk->hash & ~SCRIPT_PLACE;
	tell_script_code();
	return walk->record.code;
}

/* The generator that has called `inner`, and that the outermost one has called, itself or by others. */
static __always_inline u64 caller_of_generator(struct script_walk *walk, u64 outermost, u64 inner)
{
	u64 at = outermost, parent;

	for (int i = 0; i < PHP_DELEGATES; i++) {
		parent = user_word(at + LAYOUT(walk).generator_parent);
		if (!parent)
			return 0;
		/* Without an inner one: the one that executes, which has no parent. */
		if (inner ? parent == inner : !user_word(parent + LAYOUT(walk).generator_parent))
			return at;
		at = parent;
	}
	return 0;
}

/* While `yield from` executes another generator, a frame without a function stands for those that wait for it. */
static __always_inline bool begin_generators(struct php_walk *own, struct script_walk *walk)
{
	if (own->generator || TYPE_OF_VALUE(own->frame[FRAME_CALL]) != VALUE_OBJECT)
		return false;
	own->outermost = own->frame[FRAME_THIS];
	own->beyond = own->frame[FRAME_PREVIOUS];
	own->generator = caller_of_generator(walk, own->outermost, 0);
	walk->at = user_word(own->generator + LAYOUT(walk).generator_frame);
	return own->generator && walk->at;
}

static __always_inline bool next_generator(struct php_walk *own, struct script_walk *walk)
{
	if (own->generator == own->outermost) {
		own->generator = 0;
		walk->at = own->beyond;
		return true;
	}
	own->generator = caller_of_generator(walk, own->outermost, own->generator);
	walk->at = user_word(own->generator + LAYOUT(walk).generator_frame);
	return own->generator && walk->at;
}

/* PHP 7 calls functions from C, such as destructors, behind a copy of the frame that was executing, which has no
 * function. */
static __always_inline bool is_copy(struct php_walk *own)
{
	u64 *copied = own->code;
	u32 type;

	if (own->frame[0] || own->frame[1] ||
	    bpf_probe_read_user(copied, 7 * sizeof(u64), (void *)own->frame[FRAME_PREVIOUS]) ||
	    !copied[FRAME_FUNCTION] || copied[2] != own->frame[2] || copied[FRAME_THIS] != own->frame[FRAME_THIS] ||
	    copied[FRAME_CALL] != own->frame[FRAME_CALL])
		return false;
	type = user_word(copied[FRAME_FUNCTION]) & 0xff;
	return type == CODE_USER || type == CODE_EVAL;
}

static __always_inline bool in_fiber(struct script_walk *walk)
{
	return LAYOUT(walk).fiber && user_word(walk->process.php.globals + LAYOUT(walk).fiber);
}

/* The outermost frame of a fiber says nothing. PHP does not look at its function, which may not even be in memory. */
static __always_inline bool outermost_of_fiber(struct php_walk *own, struct script_walk *walk)
{
	u64 any = own->frame[0] | own->frame[1] | own->frame[2] | own->frame[FRAME_THIS] | own->frame[FRAME_CALL];

	return !any && in_fiber(walk);
}

static long walk_frame(u32 round, void *unused)
{
	struct script_walk *walk = this_walk();
	struct php_walk *own = own_walk();
	u64 number;
	u32 count;

	if (!walk || !own || !frame_follows(walk, &count))
		return 1;
	if (bpf_probe_read_user(own->frame, 7 * sizeof(u64), (void *)walk->at))
		return 1;
	if (!own->frame[FRAME_FUNCTION] && is_copy(own)) {
		walk->at = own->frame[FRAME_PREVIOUS];
		return 0;
	}
	if (!own->frame[FRAME_FUNCTION])
		return !begin_generators(own, walk);
	if (outermost_of_fiber(own, walk)) {
		walk->at = own->frame[FRAME_PREVIOUS];
		return 0;
	}
	number = number_of_code(own, walk, own->frame[FRAME_FUNCTION]);
	if (!number)
		return 1;
	if (own->frame[FRAME_CALL] & CALL_TOP && (own->code[CODE_TYPE] & 0xff) != CODE_IN_C && !own->generator)
		number |= SCRIPT_ENTRY;
	walk->frames[count] = number;
	walk->count = count + 1;
	if (own->generator)
		return !next_generator(own, walk);
	walk->at = own->frame[FRAME_PREVIOUS];
	return 0;
}

__noinline int walk_php(void)
{
	struct script_walk *walk = this_walk();
	struct php_walk *own = own_walk();

	if (!walk || !own)
		return 0;
	own->generator = 0;
	walk->at = user_word(walk->process.php.globals + LAYOUT(walk).current_frame);
	if (walk->at)
		bpf_loop(2 * SCRIPT_FRAMES + 2, walk_frame, NULL, 0);
	if (walk->end == SCRIPT_END_WHOLE && in_fiber(walk))
		walk->end = SCRIPT_END_APART;
	return 0;
}

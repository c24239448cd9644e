// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Functions of JavaScript. V8 executes them on the program's own stack, interpreted or compiled, and each has its
 * function below the frame pointer: so frames that the walk of bpf/sched/unwind.bpf.c has passed by their frame pointer
 * are looked at, and those whose word there is not a function stay as they are.
 *
 * A garbage collector moves objects while no code of their process runs. So a function's number is made of its names
 * and of its place in the source, and the line is counted as it is met first. Names or sources that are being moved
 * just then make the function unknown.
 */
#include "bpf/scripts/in_stack.bpf.h"

#define NO_TYPE 0xffff
#define FUNCTION_TYPES 32 /* constructors of classes and others follow plain functions */
#define AT(object, field) ((object)-1 + (field))
#define IS_OBJECT(word) (((word)&3) == 1)
#define IS_SMALL(word) (((word)&0xffffffff) == 0) /* an integer, in the upper half */
#define SMALL(word) ((u32)((word) >> 32))

/* Types and fields of strings. */
#define STRING_FORM(type) ((type)&7)
#define STRING_SEQUENCE 0
#define STRING_JOINED 1
#define STRING_EXTERNAL 2
#define STRING_THIN 5 /* it is another one */
#define STRING_ONE_BYTE 8
#define STRING_UNCACHED 16 /* its characters are not in the object */
#define STRING_LENGTH 12
#define STRING_CHARACTERS 16
#define STRING_FIRST 16
#define STRING_SECOND 24
#define STRING_EXTERNAL_DATA 24
#define STRING_STEPS 4

/* What a function says of its variables, its name and its place. */
#define SCOPE_FLAGS 8
#define SCOPE_WORDS 3 /* flags, parameters, variables; then names and facts of variables */
#define SCOPE_START 3 /* words, where the place is before the names: first and last character */
#define SCOPE_END 4
#define SCOPE_NAMES 75 /* if there are more, their names are elsewhere */
#define SCOPE_TYPE(flags) ((flags)&15)
#define SCOPE_EVAL 1
#define SCOPE_MODULE 3
#define SCOPE_SCRIPT 4
/* The same, where the place is first: a class has none. */
#define LATER_CLASS 2
#define LATER_MODULE 5
#define SCOPE_RECEIVER(flags) (((flags) >> 7 & 3) == 1 || ((flags) >> 7 & 3) == 2)
#define SCOPE_CLASS_VARIABLE(flags) ((flags) >> 10 & 1)
#define SCOPE_NAME(flags) ((flags) >> 12 & 3)
#define SCOPE_INFERRED_NAME(flags) ((flags) >> 14 & 1)
#define TAIL_WORDS 8 /* five are read: name and its slot, inferred name, first and last character */

struct v8_walk {
	u64 data; /* of a string */
	u32 length;
	u32 width;
	u64 scope[SCOPE_END + 1];
	u64 tail[TAIL_WORDS];
	u64 name;
	u64 start;
	u32 lines;
	u32 index; /* of the program's frames */
	u64 at;    /* in the source */
	u64 end;
	u64 source[V8_SOURCE_AT_ONCE / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct v8_walk);
} v8_walks SEC(".maps");

#define LAYOUT(walk) ((walk)->process.v8)

static __always_inline struct v8_walk *own_walk(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&v8_walks, &zero);
}

static __always_inline u32 type_of(struct script_walk *walk, u64 object)
{
	u64 map;
	u16 type;

	if (!IS_OBJECT(object))
		return NO_TYPE;
	map = user_word(AT(object, 0));
	if (!IS_OBJECT(map) || bpf_probe_read_user(&type, sizeof(type), (void *)AT(map, LAYOUT(walk).map_type)))
		return NO_TYPE;
	return type;
}

/* A collector has written into the object where it is now. */
static __always_inline bool is_moving(struct script_walk *walk, u64 object)
{
	return IS_OBJECT(object) && type_of(walk, object) == NO_TYPE;
}

static __always_inline u32 length_of(u64 string)
{
	u32 length = 0;

	bpf_probe_read_user(&length, sizeof(length), (void *)AT(string, STRING_LENGTH));
	return length;
}

/* Where the characters of a string are. */
__noinline int find_v8_characters(u64 string)
{
	struct script_walk *walk = this_walk();
	struct v8_walk *own = own_walk();
	u32 type, form;

	if (!walk || !own)
		return 0;
	for (int i = 0; i < STRING_STEPS; i++) {
		type = type_of(walk, string);
		if (type >= LAYOUT(walk).type_no_string)
			return 0;
		form = STRING_FORM(type);
		if (form == STRING_JOINED && length_of(user_word(AT(string, STRING_SECOND))))
			return 0;
		if (form != STRING_JOINED && form != STRING_THIN)
			break;
		string = user_word(AT(string, STRING_FIRST));
	}
	own->width = type & STRING_ONE_BYTE ? 1 : 2;
	own->length = length_of(string);
	if (form == STRING_SEQUENCE)
		own->data = AT(string, STRING_CHARACTERS);
	else if (form == STRING_EXTERNAL && !(type & STRING_UNCACHED))
		own->data = user_word(AT(string, STRING_EXTERNAL_DATA));
	else
		return 0;
	return own->data != 0;
}

/* Line ends among eight characters, or among four of two bytes. */
static __always_inline u32 lines_in(u64 word, u32 width)
{
	u64 ones = width == 1 ? 0x0101010101010101ull : 0x0001000100010001ull;
	u64 low = ones * (width == 1 ? 0x7f : 0x7fff), rest = word ^ ones * '\n', zero;

	/* The highest bit of each character that is zero. */
	zero = ~(((rest & low) + low) | rest | low);
	zero >>= width == 1 ? 7 : 15;
	return zero * ones >> (width == 1 ? 56 : 48);
}

static long count_lines(u32 round, void *unused)
{
	struct v8_walk *own = own_walk();
	u64 left, bytes;

	if (!own || own->at >= own->end)
		return 1;
	left = own->end - own->at;
	bytes = left < V8_SOURCE_AT_ONCE ? left : V8_SOURCE_AT_ONCE;
	__builtin_memset(own->source, 0, sizeof(own->source));
	barrier_var(bytes);
	if (bytes > V8_SOURCE_AT_ONCE || bpf_probe_read_user(own->source, bytes, (void *)own->at)) {
		own->end = 0;
		return 1;
	}
	for (int i = 0; i < V8_SOURCE_AT_ONCE / 8; i++)
		own->lines += lines_in(own->source[i], own->width);
	own->at += bytes;
	return 0;
}

/* The line of a place in the script; 0: not known. */
static __always_inline u32 line_of(struct v8_walk *own, struct script_walk *walk, u64 script)
{
	if (!find_v8_characters(user_word(AT(script, LAYOUT(walk).script_source))) || own->start > own->length ||
	    own->start * own->width > V8_SOURCE_BYTES)
		return 0;
	own->lines = 1;
	own->at = own->data;
	own->end = own->data + own->start * own->width;
	bpf_loop(V8_SOURCE_BYTES / V8_SOURCE_AT_ONCE + 1, count_lines, NULL, 0);
	return own->end ? own->lines : 0;
}

/* How many words are before the function's own name; 0: it is no function. */
static __always_inline u32 words_of_variables(struct v8_walk *own, struct script_walk *walk, u64 flags)
{
	u32 how = LAYOUT(walk).scope, type = SCOPE_TYPE(flags), words = SCOPE_WORDS;
	u64 variables = SMALL(own->scope[2]);

	if (!IS_SMALL(own->scope[2]) || variables > V8_LOCALS)
		return 0;
	if (how & V8_PLACE_FIRST) {
		if (type == LATER_CLASS || type > LATER_MODULE)
			return 0;
		words = SCOPE_END + 1 + (type == LATER_MODULE);
	} else {
		if (type < SCOPE_EVAL || type > SCOPE_SCRIPT)
			return 0;
		words += type == SCOPE_MODULE && !(how & V8_NAMES_WITHIN);
	}
	words += how & V8_NAMES_WITHIN || variables < SCOPE_NAMES ? variables : 1;
	words += how & V8_HAS_RECEIVER && SCOPE_RECEIVER(flags);
	return words + variables + SCOPE_CLASS_VARIABLE(flags);
}

/* The function's name, and where it begins. */
static __always_inline bool read_scope(struct v8_walk *own, struct script_walk *walk, u64 scope)
{
	bool place_first = LAYOUT(walk).scope & V8_PLACE_FIRST;
	u64 flags, named = 0, inferred = 0, next = 0, end;
	u32 words;

	if (bpf_probe_read_user(own->scope, sizeof(own->scope), (void *)AT(scope, SCOPE_FLAGS)) ||
	    (!place_first && !IS_SMALL(own->scope[0])))
		return false;
	flags = place_first ? (u32)own->scope[0] : SMALL(own->scope[0]);
	words = words_of_variables(own, walk, flags);
	if (!words || bpf_probe_read_user(own->tail, 5 * sizeof(u64), (void *)AT(scope, SCOPE_FLAGS + 8 * words)))
		return false;
	if (SCOPE_NAME(flags)) {
		named = own->tail[0];
		next = 2;
	}
	if (SCOPE_INFERRED_NAME(flags))
		inferred = own->tail[next++ & (TAIL_WORDS - 1)];
	if (is_moving(walk, named) || is_moving(walk, inferred))
		return false;
	own->start = place_first ? own->scope[SCOPE_START] : own->tail[next & (TAIL_WORDS - 1)];
	end = place_first ? own->scope[SCOPE_END] : own->tail[(next + 1) & (TAIL_WORDS - 1)];
	if (!IS_SMALL(own->start) || !IS_SMALL(end) || end < own->start)
		return false;
	add_to_number(walk, end);
	add_to_number(walk, own->start);
	own->start = SMALL(own->start);
	own->name = type_of(walk, named) < LAYOUT(walk).type_no_string && length_of(named) ? named : inferred;
	return true;
}

/* The number of a function; 0: it is none, or V8's own. */
static __always_inline u64 number_of_function(struct v8_walk *own, struct script_walk *walk, u64 function)
{
	u64 shared, scope, script;
	u32 type = type_of(walk, function);

	if (type < LAYOUT(walk).type_function || type >= LAYOUT(walk).type_function + FUNCTION_TYPES)
		return 0;
	shared = user_word(AT(function, LAYOUT(walk).function_shared));
	if (type_of(walk, shared) != LAYOUT(walk).type_shared)
		return 0;
	scope = user_word(AT(shared, LAYOUT(walk).shared_scope));
	script = user_word(AT(shared, LAYOUT(walk).shared_script));
	if (type_of(walk, scope) != LAYOUT(walk).type_scope || type_of(walk, script) != LAYOUT(walk).type_script)
		return 0;
	begin_script_code(walk);
	if (!read_scope(own, walk, scope))
		return 0;
	if (find_v8_characters(own->name) &&
	    !read_script_text(walk, &walk->record.name, own->data, own->length, own->width, false))
		return 0;
	if (find_v8_characters(user_word(AT(script, LAYOUT(walk).script_name))) &&
	    !read_script_text(walk, &walk->record.file, own->data, own->length, own->width, true))
		return 0;
	walk->record.code = walk->hash & ~SCRIPT_PLACE;
	if (!knows_script_code()) {
		if (is_moving(walk, user_word(AT(script, LAYOUT(walk).script_source))))
			return 0;
		walk->record.first_line = line_of(own, walk, script);
		tell_script_code();
	}
	return walk->record.code;
}

static long walk_frame(u32 round, void *unused)
{
	struct script_walk *walk = this_walk();
	struct v8_walk *own = own_walk();
	struct walk *program = program_walk();
	u64 pair[2], number; /* the function, and what tells frames of functions from others */
	u32 place;

	if (!walk || !own || !program || !next_place(program, &own->index, &place))
		return 1;
	if (!program->bps[place] || bpf_probe_read_user(pair, sizeof(pair), (void *)(program->bps[place] - 16)) ||
	    !IS_OBJECT(pair[1]))
		return 0;
	number = number_of_function(own, walk, pair[0]);
	return number && !keep_function(walk, number, place);
}

__noinline int walk_v8(void)
{
	struct script_walk *walk = this_walk();
	struct v8_walk *own = own_walk();
	struct walk *program = program_walk();

	if (!walk || !own || !program || !of_this_thread(program))
		return 0;
	own->index = 0;
	walk->end = SCRIPT_END_WHOLE;
	bpf_loop(STACK_MAX, walk_frame, NULL, 0);
	return 0;
}

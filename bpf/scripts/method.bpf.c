// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Names of Java's functions, by the methods that steps through their frames have found. Whatever says that it is a
 * method is one only if its names are in its class's table of constants.
 */
#include "bpf/scripts/hotspot.bpf.h"

#define FLAG_LINES 1 /* the method has a table of lines */
#define TAG_TEXT 1
#define LINES_FAR 0xff /* an entry of two numbers follows */
#define NUMBER_LOW 192 /* bytes below it end a number */

static __always_inline bool read_symbol(struct hotspot_walk *own, struct script_walk *walk, u64 symbol,
					struct script_text *text, bool ends)
{
	if (!symbol || !read_script_text(walk, text, symbol + AT(own, HOTSPOT_SYMBOL_TEXT),
					 user_quarter(symbol + AT(own, HOTSPOT_SYMBOL_LENGTH)), 1, ends))
		return false;
	text->utf8 = true;
	return text->characters != 0;
}

/* A name in the table of constants. */
static __always_inline bool read_name(struct hotspot_walk *own, struct script_walk *walk, u64 pool, u32 index,
				      struct script_text *text, bool ends)
{
	u64 tags = user_word(pool + AT(own, HOTSPOT_POOL_TAGS)), symbol;

	if (!index || index >= user_half(pool + AT(own, HOTSPOT_POOL_LENGTH)) ||
	    user_byte(tags + AT(own, HOTSPOT_TAGS_DATA) + index, 0) != TAG_TEXT)
		return false;
	symbol = user_word(pool + own->process.pool_bytes + 8 * index);
	return read_symbol(own, walk, symbol, text, ends);
}

/* A number of HotSpot's tables: in base 64, except for its last byte. */
static __always_inline u32 read_number(struct hotspot_walk *own, u32 *place)
{
	u32 sum = 0, byte, from = own->process.ways & HOTSPOT_LINES_FROM_ONE ? 1 : 0;

	for (int i = 0; i < 5; i++) {
		byte = own->lines[*place & (sizeof(own->lines) - 1)];
		(*place)++;
		sum += (byte - from) << 6 * i;
		if (byte < NUMBER_LOW)
			break;
	}
	return sum;
}

/* The line in which the method's first code is; 0: not known. Lines are behind the code; each entry says by how much
 * place and line are above those of the entry before. */
static __always_inline u32 first_line(struct hotspot_walk *own, u64 fixed)
{
	u32 place = 1, line;

	if (!(user_quarter(fixed + AT(own, HOTSPOT_FIXED_FLAGS)) & FLAG_LINES) ||
	    bpf_probe_read_user(own->lines, sizeof(own->lines),
				(void *)(fixed + own->process.fixed_bytes +
					 user_quarter(fixed + AT(own, HOTSPOT_FIXED_CODE_SIZE)))) ||
	    !own->lines[0])
		return 0;
	if (own->lines[0] != LINES_FAR)
		return own->lines[0] & 7;
	read_number(own, &place);
	line = read_number(own, &place);
	return line & 1 ? 0 : line >> 1;
}

/* The number of a method; 0: it is none. */
static __always_inline u64 number_of_method(struct hotspot_walk *own, struct script_walk *walk, u64 method)
{
	u64 fixed = user_word(method + AT(own, HOTSPOT_METHOD_FIXED)), pool, class;
	u32 file;

	pool = user_word(fixed + AT(own, HOTSPOT_FIXED_POOL));
	class = user_word(pool + AT(own, HOTSPOT_POOL_CLASS));
	if (!fixed || !pool || !class)
		return 0;
	begin_script_code(walk);
	if (!read_name(own, walk, pool, user_quarter(fixed + AT(own, HOTSPOT_FIXED_NAME)), &walk->record.name, false) ||
	    !read_symbol(own, walk, user_word(class + AT(own, HOTSPOT_CLASS_NAME)), &walk->record.scope, false))
		return 0;
	file = user_quarter((own->process.ways & HOTSPOT_FILE_IN_CLASS ? class : pool) + AT(own, HOTSPOT_POOL_FILE));
	if (file && !read_name(own, walk, pool, file, &walk->record.file, true))
		return 0;
	walk->record.first_line = first_line(own, fixed);
	add_to_number(walk, walk->record.first_line);
	walk->record.code = walk->hash & ~SCRIPT_PLACE;
	tell_script_code();
	return walk->record.code;
}

static long walk_frame(u32 round, void *unused)
{
	struct script_walk *walk = this_walk();
	struct hotspot_walk *own = own_walk();
	struct walk *program = program_walk();
	u64 number;
	u32 place;

	if (!walk || !own || !program || !next_place(program, &own->index, &place))
		return 1;
	if (!program->bps[place])
		return 0;
	number = number_of_method(own, walk, program->bps[place]);
	return number && !keep_function(walk, number, place);
}

__noinline int walk_hotspot(void)
{
	struct script_walk *walk = this_walk();
	struct hotspot_walk *own = own_walk();
	struct walk *program = program_walk();

	if (!walk || !own || !program || !program->made || !of_this_thread(program))
		return 0;
	own->index = 0;
	walk->end = SCRIPT_END_WHOLE;
	bpf_loop(STACK_MAX, walk_frame, NULL, 0);
	return 0;
}

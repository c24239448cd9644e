// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Steps through Java's functions. HotSpot executes them on the program's own stack. Compiled code has no frame
 * pointers; HotSpot keeps for each piece of code the size of its frames, and the method. Interpreted code has the
 * method in its frame.
 *
 * A piece of code that is on a stack is neither freed nor used again, and methods do not move. So what is read as the
 * stack is walked is of that moment.
 */
#include "bpf/scripts/hotspot.bpf.h"

struct hotspot_walks hotspot_walks SEC(".maps");

#define HEAPS 4         /* of code */
#define SEGMENT_HOPS 64 /* from an address to the beginning of its piece */
#define SEGMENT_FREE 255
#define FIELD_MOST 4096  /* no field lies behind that */
#define FRAME_MOST 32768 /* words */
/* The first eight bytes of names of pieces of code: "Interpreter", "StubRoutines (1)", "nmethod", "native nmethod". */
#define NAME_OF_STUBS 0x74756f5262757453ull
#define NAME_OF_INTERPRETER 0x6572707265746e49ull
#define NAME_OF_METHOD 0x646f6874656d6eull
#define NAME_OF_NATIVE 0x6e2065766974616eull

/* Words of an interpreted frame, from its last one on. */
#define INTERPRETED_AT 0 /* in the bytecode, or nothing in native methods */
#define INTERPRETED_METHOD 5
#define INTERPRETED_SENDER 7 /* the caller's stack pointer */
#define INTERPRETED_BP 8
#define INTERPRETED_RETURN 9

#define FRAME_UNKNOWN 1 /* byte above the stack pointer: none is there */

/* The table is filled as the program starts. */
static long read_offset(u32 field, void *unused)
{
	struct hotspot_walk *own = own_walk();
	u64 entry;

	if (!own || field >= HOTSPOT_FIELDS)
		return 1;
	entry = own->process.table + own->process.entries[field] * HOTSPOT_ENTRY_BYTES;
	own->offsets[field] = user_word(entry + HOTSPOT_ENTRY_OFFSET);
	if (own->offsets[field] >= FIELD_MOST)
		own->whole = 0;
	return 0;
}

__noinline int begin_hotspot(u32 tgid)
{
	struct script_process *process = bpf_map_lookup_elem(&script_processes, &tgid);
	struct hotspot_walk *own = own_walk();

	if (!process || !own || process->language != SCRIPT_HOTSPOT)
		return 0;
	if (own->number == process->number && own->whole)
		return 1;
	own->number = process->number;
	own->process = process->hotspot;
	own->whole = 1;
	bpf_loop(HOTSPOT_FIELDS, read_offset, NULL, 0);
	/* Before that all of them are zero. */
	if (!AT(own, HOTSPOT_BLOB_FRAME) || !AT(own, HOTSPOT_BLOB_CODE) || !AT(own, HOTSPOT_SYMBOL_TEXT))
		own->whole = 0;
	return own->whole;
}

static long next_hop(u32 round, void *unused)
{
	struct hotspot_walk *own = own_walk();
	u32 back;

	if (!own)
		return 1;
	back = user_byte(own->map + own->segment, SEGMENT_FREE);
	own->hops = back;
	if (back == 0 || back == SEGMENT_FREE || back > own->segment)
		return 1;
	own->segment -= back;
	return 0;
}

__noinline int find_hotspot_code(u64 at)
{
	struct hotspot_walk *own = own_walk();
	u64 list, heaps, heap, low = 0, block;
	u32 shift, count;

	if (!own)
		return 0;
	list = user_word(own->process.heaps);
	count = user_half(list + AT(own, HOTSPOT_LIST_LENGTH));
	heaps = user_word(list + AT(own, HOTSPOT_LIST_DATA));
	heap = 0;
	for (u32 i = 0; i < HEAPS && i < count; i++) {
		u64 each = user_word(heaps + 8 * i), memory = each + AT(own, HOTSPOT_HEAP_MEMORY);

		low = user_word(memory + AT(own, HOTSPOT_SPACE_LOW));
		if (at >= low && at < user_word(memory + AT(own, HOTSPOT_SPACE_HIGH))) {
			heap = each;
			break;
		}
	}
	if (!heap)
		return 0;
	shift = user_half(heap + AT(own, HOTSPOT_HEAP_SHIFT)) & 31;
	own->map = user_word(heap + AT(own, HOTSPOT_HEAP_SEGMENTS) + AT(own, HOTSPOT_SPACE_LOW));
	own->segment = (at - low) >> shift;
	own->hops = 1;
	bpf_loop(SEGMENT_HOPS, next_hop, NULL, 0);
	if (own->hops)
		return 0;
	block = low + (own->segment << shift);
	if (user_byte(block + AT(own, HOTSPOT_BLOCK_USED), 0) != 1)
		return 0;
	own->blob = block + own->process.block_bytes;
	if (own->process.ways & HOTSPOT_CODE_BY_OFFSET) {
		own->code = own->blob + user_half(own->blob + AT(own, HOTSPOT_BLOB_CODE));
		own->code_end = own->blob + user_half(own->blob + AT(own, HOTSPOT_BLOB_END));
		own->complete = (s16)user_quarter(own->blob + AT(own, HOTSPOT_BLOB_COMPLETE));
	} else {
		own->code = user_word(own->blob + AT(own, HOTSPOT_BLOB_CODE));
		own->code_end = user_word(own->blob + AT(own, HOTSPOT_BLOB_END));
		own->complete = user_half(own->blob + AT(own, HOTSPOT_BLOB_COMPLETE));
	}
	own->frame_words = user_half(own->blob + AT(own, HOTSPOT_BLOB_FRAME));
	return at >= own->code && at < own->code_end && own->frame_words < FRAME_MOST;
}

/* The sender's stack pointer is that of before its arguments were moved to where the interpreter wants them. */
static __always_inline u32 step_interpreted(struct hotspot_walk *own, struct walk *walk, u32 last)
{
	u64 fixed, at, size;

	if (walk->bp_unknown || bpf_probe_read_user(own->frame, 10 * sizeof(u64), (void *)(walk->bp - 8 * sizeof(u64))))
		return HOTSPOT_LOST;
	fixed = user_word(own->frame[INTERPRETED_METHOD] + AT(own, HOTSPOT_METHOD_FIXED));
	at = own->frame[INTERPRETED_AT];
	size = user_quarter(fixed + AT(own, HOTSPOT_FIXED_CODE_SIZE));
	if (!fixed || own->frame[INTERPRETED_SENDER] <= walk->bp)
		return HOTSPOT_LOST;
	/* Native methods have no code, and are nowhere in it. */
	if (size ? at - fixed - own->process.fixed_bytes >= size : at)
		return HOTSPOT_LOST;
	walk->bps[last] = own->frame[INTERPRETED_METHOD];
	walk->found_pc = own->frame[INTERPRETED_RETURN];
	walk->found_sp = own->frame[INTERPRETED_SENDER];
	walk->bp = own->frame[INTERPRETED_BP];
	return HOTSPOT_PASSED;
}

/* test %eax,(%r10); ret */
static __always_inline bool is_poll(const u8 *b)
{
	return b[0] == 0x41 && b[1] == 0x85 && b[2] == 0x02 && b[3] == 0xc3;
}

/* How far above the stack pointer the caller's is, where code is interrupted before it has its frame or after; 0: it
 * has its frame. */
static __always_inline u32 without_frame(struct hotspot_walk *own, u64 at, bool before)
{
	u8 *b = own->bytes;

	if (bpf_probe_read_user(own->bytes, sizeof(own->bytes), (void *)at))
		return FRAME_UNKNOWN;
	if (!before) {
		/* lea off(%rip),%r10; mov %r10,off(%r15): behind a return whose poll found something, or elsewhere. */
		if ((b[0] == 0x4c && b[1] == 0x8d && b[2] == 0x15) || (b[0] == 0x4d && b[1] == 0x89 && b[2] == 0x97))
			return FRAME_UNKNOWN;
		if (b[0] == 0x5d) /* pop %rbp */
			return 16;
		if (b[0] == 0xc3) /* ret */
			return 8;
		if (b[0] == 0x49 && b[1] == 0x3b &&
		    (b[2] & 0x3f) == 0x27) /* cmp off(%r15),%rsp: the poll of a return */
			return 8;
		if (b[0] == 0x0f && b[1] == 0x87 && b[6] == 0xc3) /* ja; ret */
			return 8;
		/* mov off(%r15),%r10; test %eax,(%r10); ret: the poll of a return before JDK 16 */
		if (b[0] == 0x4d && b[1] == 0x8b && b[2] == 0x97 && is_poll(b + 7))
			return 8;
		if (is_poll(b))
			return 8;
		return 0;
	}
	if (b[0] == 0x55 || (b[0] == 0x89 && b[1] == 0x84 && b[2] == 0x24)) /* push %rbp; mov %eax,-…(%rsp) */
		return 8;
	if (user_byte(at - 1, 0) == 0x55 && b[0] == 0x48)
		return 16;
	return FRAME_UNKNOWN;
}

static __always_inline u32 step_compiled(struct hotspot_walk *own, struct walk *walk, u64 at)
{
	u64 pair[2], cfa = walk->sp + 8ull * own->frame_words;
	u32 above = 0;

	if (walk->exact) {
		bool before = own->complete >= 0 && at < own->code + own->complete;

		above = without_frame(own, at, before);
		if (above == FRAME_UNKNOWN || own->complete < 0)
			return HOTSPOT_LOST;
	}
	if (above)
		cfa = walk->sp + above;
	if (bpf_probe_read_user(pair, sizeof(pair), (void *)(cfa - sizeof(pair))))
		return HOTSPOT_LOST;
	if (above != 8) {
		walk->bp = pair[0];
		walk->bp_unknown = false;
	}
	walk->found_pc = pair[1];
	walk->found_sp = cfa;
	return HOTSPOT_PASSED;
}

__noinline int step_in_hotspot(void)
{
	struct walk *walk = program_walk();
	struct hotspot_walk *own = own_walk();
	u64 at, name;
	u32 last;

	if (!walk || !own)
		return HOTSPOT_NOT;
	at = walk->exact ? walk->pc : walk->pc - 1;
	last = walk->count - 1;
	if (last >= STACK_MAX)
		return HOTSPOT_LOST;
	name = user_word(user_word(own->blob + AT(own, HOTSPOT_BLOB_NAME)));
	if (own->frame_words) {
		u64 method = user_word(own->blob + AT(own, HOTSPOT_CODE_METHOD));

		/* Others, such as entries of the runtime, have no method. */
		if (name == NAME_OF_METHOD || name == NAME_OF_NATIVE)
			walk->bps[last] = method;
		return step_compiled(own, walk, at);
	}
	if (name == NAME_OF_INTERPRETER)
		return step_interpreted(own, walk, last);
	/* These have frame pointers. Others, such as those that move arguments, have no frames. */
	return name == NAME_OF_STUBS ? HOTSPOT_NOT : HOTSPOT_LOST;
}

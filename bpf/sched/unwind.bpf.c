// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Walks a stack by tables: a row says where the caller's stack pointer is, and the return address is below that.
 *
 * Code in no table (made at run time, Go) is passed by its frame pointer; that holds only if it leads to code. Searches
 * have no branches: with them the verifier would follow every way through each, and all of them after one another.
 */
#include "bpf/sched/unwind.bpf.h"

struct walks walks SEC(".maps");
struct unwind_processes unwind_processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, UNWIND_PARTS);
	__type(key, struct unwind_key);
	__type(value, struct unwind_part);
} unwind_parts SEC(".maps");

/* Fields of struct sigcontext in the frame of a signal, from where rsp is at its return. */
#define SIGNAL_RBP 120
#define SIGNAL_RSP 160
#define SIGNAL_RIP 168

/* One round of a binary search, in which low stays an entry that is not above the wanted one. */
#define HALVE(low, high, middle, entry, wanted)                              \
	do {                                                                 \
		u64 _not_above = ((s64)(entry) - (s64)(wanted)-1) >> 63 & 1; \
		barrier_var(_not_above);                                     \
		(low) += ((middle) - (low)) * _not_above;                    \
		(high) -= ((high) - (middle)) * (1 - _not_above);            \
	} while (0)

/* Addresses of programs are below 2^47, pcs of rows are 32 bits: differences are exact. */
#define ADDRESS(x) ((x)&0x7fffffffffffffffull)

static __always_inline bool find_mapping(struct walk *walk, u64 at)
{
	struct unwind_key key = {.id = walk->list};
	u64 low = 0, high = walk->parts, middle;
	struct unwind_part *part;
	struct unwind_range *range;

	at = ADDRESS(at);
	if (high > 1) {
		for (int i = 0; i < 6; i++) { /* UNWIND_LISTS */
			middle = (low + high) / 2;
			key.part = middle;
			part = bpf_map_lookup_elem(&unwind_parts, &key);
			if (!part)
				return false;
			HALVE(low, high, middle, ADDRESS(part->ranges[0].start), at);
		}
	}
	key.part = low;
	part = bpf_map_lookup_elem(&unwind_parts, &key);
	if (!part)
		return false;
	low = 0;
	high = UNWIND_RANGES;
	for (int i = 0; i < 6; i++) {
		middle = (low + high) / 2;
		barrier_var(middle);
		if (middle >= UNWIND_RANGES)
			return false;
		HALVE(low, high, middle, ADDRESS(part->ranges[middle].start), at);
	}
	barrier_var(low);
	if (low >= UNWIND_RANGES)
		return false;
	range = &part->ranges[low];
	if (at < range->start || at >= range->end)
		return false;
	walk->start = range->start;
	walk->stop = range->end;
	walk->bias = range->bias;
	walk->table = range->table;
	return true;
}

static __always_inline struct unwind_row *find_row(u32 table, u32 pc)
{
	struct unwind_key key = {.id = table};
	u64 low = 0, high = UNWIND_INDEX, middle;
	struct unwind_part *part;

	part = bpf_map_lookup_elem(&unwind_parts, &key);
	if (!part)
		return NULL;
	for (int i = 0; i < 9; i++) {
		middle = (low + high) / 2;
		barrier_var(middle);
		if (middle >= UNWIND_INDEX)
			return NULL;
		HALVE(low, high, middle, part->index[middle], pc);
	}
	key.part = low + 1;
	part = bpf_map_lookup_elem(&unwind_parts, &key);
	if (!part)
		return NULL;
	low = 0;
	high = UNWIND_ROWS;
	for (int i = 0; i < 8; i++) {
		middle = (low + high) / 2;
		barrier_var(middle);
		if (middle >= UNWIND_ROWS)
			return NULL;
		HALVE(low, high, middle, part->rows[middle].pc, pc);
	}
	barrier_var(low);
	if (low >= UNWIND_ROWS || part->rows[low].pc > pc)
		return NULL;
	return &part->rows[low];
}

static __always_inline long ends(struct walk *walk, u32 how)
{
	walk->end = how;
	return 1;
}

/* The caller is known. */
static __always_inline long add_caller(struct walk *walk, u64 pc, u64 sp)
{
	u32 count = walk->count;

	if (count >= STACK_MAX)
		return ends(walk, STACK_END_CUT);
	/* Names are looked up one byte before a return address. */
	walk->frames[count] = pc + walk->exact;
	walk->bps[count] = 0;
	walk->count = count + 1;
	walk->pc = pc;
	walk->sp = sp;
	return 0;
}

static __always_inline long step_by_frame(struct walk *walk)
{
	u32 last = walk->count - 1;
	u64 pair[2];

	if (walk->bp_unknown)
		return ends(walk, STACK_END_NO_RULE);
	if (!walk->bp)
		return ends(walk, STACK_END_ZERO);
	if (bpf_probe_read_user(pair, sizeof(pair), (void *)walk->bp))
		return ends(walk, STACK_END_UNREADABLE);
	barrier_var(last);
	if (last < STACK_MAX && !walk->made)
		walk->bps[last] = walk->bp;
	if (!pair[1])
		return ends(walk, STACK_END_ZERO);
	if (!find_mapping(walk, pair[1] - 1))
		return ends(walk, STACK_END_NO_RULE);
	walk->exact = false;
	if (add_caller(walk, pair[1], walk->bp + sizeof(pair)))
		return 1;
	walk->bp = pair[0];
	return 0;
}

static __always_inline long step_by_signal(struct walk *walk)
{
	u64 sp, pc, bp;

	if (bpf_probe_read_user(&bp, sizeof(bp), (void *)(walk->sp + SIGNAL_RBP)) ||
	    bpf_probe_read_user(&sp, sizeof(sp), (void *)(walk->sp + SIGNAL_RSP)) ||
	    bpf_probe_read_user(&pc, sizeof(pc), (void *)(walk->sp + SIGNAL_RIP)))
		return ends(walk, STACK_END_UNREADABLE);
	walk->exact = true;
	walk->bp = bp;
	walk->bp_unknown = false;
	return add_caller(walk, pc, sp);
}

/* Code in no table. */
static __always_inline long step_without_rule(struct walk *walk)
{
	int step = HOTSPOT_NOT;

	if (walk->made && find_hotspot_code(walk->exact ? walk->pc : walk->pc - 1))
		step = step_in_hotspot();
	if (step == HOTSPOT_NOT)
		return step_by_frame(walk);
	if (step == HOTSPOT_LOST || walk->found_sp <= walk->sp || !find_mapping(walk, walk->found_pc - 1))
		return ends(walk, STACK_END_NO_RULE);
	walk->exact = false;
	return add_caller(walk, walk->found_pc, walk->found_sp);
}

static long walk_on(u32 round, void *unused)
{
	u64 at, cfa, words[2]; /* the saved rbp, where it is usual, and the return address */
	struct unwind_row *row = NULL;
	u32 zero = 0, how, rbp;
	struct walk *walk;
	s64 offset;

	walk = bpf_map_lookup_elem(&walks, &zero);
	if (!walk)
		return 1;
	at = walk->exact ? walk->pc : walk->pc - 1;
	if ((at < walk->start || at >= walk->stop) && !find_mapping(walk, at)) {
		walk->start = walk->stop = 0;
		return step_without_rule(walk);
	}
	if (walk->table)
		row = find_row(walk->table, at - walk->bias);
	if (!row)
		return step_without_rule(walk);
	how = row->how;
	rbp = row->rbp;
	offset = row->cfa;
	switch (how) {
	case UNWIND_FRAME:
		return step_by_frame(walk);
	case UNWIND_START:
		return ends(walk, STACK_END_START);
	case UNWIND_SIGNAL:
		return step_by_signal(walk);
	case UNWIND_RSP:
		cfa = walk->sp + 8 * offset;
		break;
	case UNWIND_PLT:
		cfa = walk->sp + ((at & 15) >= (u64)offset ? 16 : 8);
		break;
	case UNWIND_RBP:
		if (walk->bp_unknown)
			return ends(walk, STACK_END_NO_RULE);
		cfa = walk->bp + 8 * offset;
		break;
	case UNWIND_AT_RBP:
		if (walk->bp_unknown)
			return ends(walk, STACK_END_NO_RULE);
		if (bpf_probe_read_user(&cfa, sizeof(cfa), (void *)(walk->bp + offset)))
			return ends(walk, STACK_END_UNREADABLE);
		break;
	default:
		return ends(walk, STACK_END_NO_RULE);
	}
	if (cfa <= walk->sp)
		return ends(walk, STACK_END_NO_RULE);
	if (bpf_probe_read_user(words, sizeof(words), (void *)(cfa - sizeof(words))))
		return ends(walk, STACK_END_UNREADABLE);
	if (rbp == 2) {
		walk->bp = words[0];
		walk->bp_unknown = false;
	} else if (rbp == UNWIND_RBP_UNKNOWN) {
		walk->bp_unknown = true;
	} else if (rbp == UNWIND_RBP_AT_RBP) {
		if (bpf_probe_read_user(&walk->bp, sizeof(u64), (void *)walk->bp))
			return ends(walk, STACK_END_UNREADABLE);
	} else if (rbp != UNWIND_RBP_SAME) {
		if (bpf_probe_read_user(&walk->bp, sizeof(u64), (void *)(cfa - 8 * rbp)))
			return ends(walk, STACK_END_UNREADABLE);
		walk->bp_unknown = false;
	}
	if (!words[1])
		return ends(walk, STACK_END_START);
	walk->exact = false;
	return add_caller(walk, words[1], cfa);
}

__noinline int walk_by_tables(u32 list, u32 parts)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	u32 zero = 0;
	struct walk *walk = bpf_map_lookup_elem(&walks, &zero);

	if (!walk)
		return 0;
	walk->pc = regs->PROGRAM_COUNTER;
	walk->sp = regs->STACK_POINTER;
	walk->bp = regs->FRAME_POINTER;
	walk->start = 0;
	walk->stop = 0;
	walk->list = list;
	walk->parts = parts;
	walk->tid = bpf_get_current_task_btf()->pid;
	walk->frames[0] = regs->PROGRAM_COUNTER;
	walk->bps[0] = 0;
	walk->count = 1;
	walk->end = STACK_END_CUT;
	walk->exact = true;
	walk->bp_unknown = false;
	walk->made = begin_hotspot(bpf_get_current_task_btf()->tgid);
	bpf_loop(STACK_MAX, walk_on, NULL, 0);
	return 0;
}

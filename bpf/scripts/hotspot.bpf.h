/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What walks through Java's functions share: where HotSpot's fields lie, and the piece of code that was found last.
 */
#ifndef TAILCAP_BPF_SCRIPTS_HOTSPOT_H
#define TAILCAP_BPF_SCRIPTS_HOTSPOT_H

#include "bpf/scripts/in_stack.bpf.h"

#define INTERPRETED_WORDS 16 /* ten are read */

struct hotspot_walk {
	u64 number; /* of the process whose offsets are here */
	struct hotspot_process process;
	u64 offsets[HOTSPOT_FIELDS];
	u32 whole;
	u32 frame_words;
	u64 blob; /* a piece of code */
	u64 code;
	u64 code_end;
	s32 complete;
	u32 hops;
	u64 segment;
	u64 map;
	u64 frame[INTERPRETED_WORDS];
	u32 index; /* of the program's frames */
	u32 unused;
	u8 bytes[16];
	u8 lines[16];
};

struct hotspot_walks {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct hotspot_walk);
};

extern struct hotspot_walks hotspot_walks SEC(".maps");

/* Where a field lies. */
#define AT(own, field) ((own)->offsets[field])

static __always_inline struct hotspot_walk *own_walk(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&hotspot_walks, &zero);
}

static __always_inline u32 user_half(u64 at)
{
	u32 value = 0;

	bpf_probe_read_user(&value, sizeof(value), (void *)at);
	return value;
}

static __always_inline u32 user_quarter(u64 at)
{
	u16 value = 0;

	bpf_probe_read_user(&value, sizeof(value), (void *)at);
	return value;
}

static __always_inline u32 user_byte(u64 at, u32 otherwise)
{
	u8 value;

	return bpf_probe_read_user(&value, sizeof(value), (void *)at) ? otherwise : value;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Skips bulk bytes: on a connection with known framing, frame heads and relevant contents are kept, but not the payload
 * of DATA frames (HTTP/2), of bodies (AMQP) and of application data records (TLS). One I/O may become several records;
 * each covers the bytes up to the next stretch that is kept.
 *
 * This affects only what is kept: the analyser reads all lengths again from the kept bytes. If frames cannot be
 * followed (bytes that could not be read or were not seen), it is therefore enough to try again at the next I/O that
 * begins like a frame; until then the start of every I/O is kept.
 */
#ifndef TAILCAP_BPF_NET_FRAMES_H
#define TAILCAP_BPF_NET_FRAMES_H

#include "bpf/net/framing.bpf.h"

#define WHOLE_MAX 4096 /* an I/O of HTTP/2 or AMQP up to this length is kept whole, as a head of HTTP/1 would be */
#define TLS_WHOLE 64

/* The steps of bpf/net/frames.bpf.c, on scratch->walk. */
__noinline int walk_sniff(u32 way);
__noinline int walk_all(u32 way);

/* Emits length bytes moved from position as one record or several. scratch->record must be filled except for position,
 * length and head; its part after struct record_io, lead bytes, is in scratch->data. False: the connection has no
 * frames, or they cannot be followed; only that was noted. */
static __always_inline bool walk_frames(struct io_scratch *scratch, struct socket_state *state, u32 way, u64 position,
					u32 length, const struct source *from, u32 lead)
{
	struct direction_state *direction = &state->direction[way & 1];
	struct frame_state *frames = &direction->frames;
	struct walk *walk = &scratch->walk;
	bool told;

	find_place(frames, position);
	walk->frames = *frames;
	walk->position = position;
	walk->base = from->base;
	walk->size = from->size;
	walk->segments = from->segments;
	walk->length = length;
	walk->at = 0;
	walk->start = 0;
	walk->filled = 0;
	walk->kept = 0;
	walk->lead = lead;
	walk->parts = 0;
	walk->spilled = 0;
	walk->dropped = 0;
	walk->framing = state->framing;
	walk->wide = state->family == AF_UNIX;
	if (!direction->begun) {
		direction->begun = true;
		walk_sniff(way);
		state->framing = walk->framing;
	}
	if (!has_frames(walk->framing))
		return false;
	walk->whole = length <= payload_limit && length <= (walk->framing == FRAMING_TLS ? TLS_WHOLE : WHOLE_MAX);
	told = walk_all(way);
	*frames = walk->frames;
	frames->synced = told && walk->frames.synced;
	frames->next = (u32)position + length;
	if (walk->dropped)
		__sync_fetch_and_add(&state->missed, walk->dropped);
	return told;
}

#endif

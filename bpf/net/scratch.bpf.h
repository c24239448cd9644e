/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Memory in which the record of an I/O is assembled.
 */
#ifndef TAILCAP_BPF_NET_SCRATCH_H
#define TAILCAP_BPF_NET_SCRATCH_H

#include "bpf/core/record.bpf.h"
#include "bpf/net/socket_state.bpf.h"

/* An I/O that bpf/net/frames.bpf.h is processing. Offsets count from its first byte. */
struct walk {
	struct frame_state frames;
	u64 position;
	u64 base; /* of the piece, if there is only one */
	u64 size;
	u32 segments;
	u32 length;
	u32 at;     /* parsed up to here */
	u32 start;  /* emitted up to here; data holds bytes from here on */
	u32 filled; /* bytes in data */
	u32 kept;   /* bytes in data that will be emitted */
	u32 lead;   /* bytes of the record behind struct record_io */
	u32 parts;
	u32 dropped;
	u8 framing;
	u8 wide;     /* positions have 64 bits */
	u8 whole;    /* all bytes are wanted */
	u8 complete; /* the pieces are all there are */
	u8 spilled;  /* a part is in the spill */
	u32 budget;  /* bpf/net/payload.bpf.h: as of struct direction_state */
};

/* Pieces that bpf/net/payload.bpf.c is copying. */
struct gathering {
	u32 segments;
	u32 piece; /* the next one */
	u32 skip;  /* bytes of it that are not wanted */
	u32 to;    /* where its bytes go in data */
	u32 left;  /* bytes wanted of all pieces */
	u32 failed;
};

/* An I/O record is assembled here, then copied to the ring in its exact size. There is one per direction, so that a
 * program has its own on each CPU. Behind them are those for programs that must reserve one (bpf/tls/session.bpf.h):
 * even numbers for sending, odd ones for receiving. The second HEAD_MAX leaves room for the verifier's arithmetic.
 */
#define LEAD_MAX 64
#define SEGMENTS_MAX 260 /* gRPC writes up to this many at once */
struct io_scratch {
	struct record_io record;
	u8 data[2 * HEAD_MAX + LEAD_MAX]; /* further fields of longer record kinds, then payload */
	struct user_iovec iov[SEGMENTS_MAX];
	struct walk walk;
	struct gathering gather;
	u32 taken;
};

#define SCRATCHES_SHARED 3 /* per direction */

struct scratches {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 + 2 * SCRATCHES_SHARED);
	__type(key, u32);
	__type(value, struct io_scratch);
};

extern struct scratches scratches SEC(".maps");

#endif

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is remembered of a connection that is followed, and the maps.
 */
#ifndef TAILCAP_BPF_INJECT_STATE_H
#define TAILCAP_BPF_INJECT_STATE_H

#include <linux/bpf.h>
#include <stdbool.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#include <bpf/bpf_helpers.h>
#include "bpf/inject/shared.h"

enum phase {
	/* between messages, too */
	AT_BORDER,   /* the next byte begins a request */
	IN_BODY,     /* `left` bytes of a body with a length */
	IN_CHUNK,    /* `left` bytes of a chunk */
	AT_CHUNK_CR, /* behind a chunk */
	AT_CHUNK_LF,
	AT_SIZE, /* the first digit of a chunk's size */
	IN_SIZE,
	IN_EXTENSION,
	AT_SIZE_LF,
	AT_TRAILER, /* a line behind the last chunk begins */
	IN_TRAILER,
	AT_TRAILER_LF,
	AT_LAST_LF,    /* of the empty line that ends the trailers */
	BETWEEN_SENDS, /* the phases above may be where a send ends */
	/* in a head */
	IN_METHOD = BETWEEN_SENDS,
	IN_TARGET,
	IN_VERSION,
	AT_LINE_LF, /* of the request line, or of a field */
	AT_FIELD,
	IN_NAME,
	IN_VALUE,
	AT_HEAD_LF, /* of the empty line that ends the head */
};

/* Where a connection's stream has got to. */
struct place {
	u64 left;   /* bytes; in a chunk's size: its value so far */
	u32 number; /* requests that have begun */
	u32 line;   /* bytes of a chunk's size and extension, or of trailers, so far */
	u8 phase;   /* enum phase */
};

#define HEAD_MOST 4096  /* bytes of a head */
#define LINES_MOST 64   /* fields of a head */
#define STEPS_MOST 8192 /* of a walk through one send: a byte of a head or of a chunk's border, or a body */
#define CUTS_MOST 6     /* requests of one send that get ids */

/* The walk through one send. */
struct scan {
	u32 size;       /* bytes of the send */
	u32 position;   /* of the next byte in it */
	u32 window;     /* of the byte at the message's `data` */
	u32 first_end;  /* bytes in the first piece of the kernel's memory */
	u32 plain_from; /* behind the last byte that was looked at: the rest was body */
	u32 reason;     /* why the connection is left alone; 0: it is not */
	/* the head under way */
	u32 head; /* of its first byte */
	u32 end;  /* of the line end behind its last field */
	u32 lines;
	u32 word_length;
	u64 word[3]; /* method, version, name or value: lower case, but for the method and the version; the first byte
			is lowest */
	u64 length;
	u8 value; /* enum value: which is read */
	u8 has_length, chunked, has_id, upgrade, connect, preface, old;
	/* requests of this send that get ids: the places in the send, and the numbers on the connection */
	u32 cuts, last_cut;
	u32 cut[CUTS_MOST];
	u32 number[CUTS_MOST];
	u32 counted[COUNT_KINDS]; /* by this send, for one that the kernel does not take */
};

/* Bytes are counted by TCP's own sequence numbers: only they say what the kernel took of a send. All of this is read
 * and written under the socket's lock. */
struct followed {
	u64 cookie;
	u32 process;
	u8 established;
	u8 alone;          /* left alone from now on */
	u32 next;          /* sequence number of its first byte; after a send: of the byte behind it */
	u32 begun;         /* that of the last send's first byte */
	u32 plain_from;    /* behind the last border or head of the last send: from here on it was body */
	struct place then; /* at `begun` */
	struct place now;  /* at `next` */
	struct scan scan;
};

struct followed_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct followed);
};

/* User space sets the number of entries. */
struct sockets_map {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 1);
	__type(key, u64); /* cookie */
	__type(value, u64);
};

struct counts_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNT_KINDS);
	__type(key, u32);
	__type(value, u64);
};

/* Cookies of connections that are left alone: user space takes them out of `sockets`. */
struct alone_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
};

extern struct followed_map followed SEC(".maps");
extern struct sockets_map sockets SEC(".maps");
extern struct counts_map counts SEC(".maps");
extern struct alone_map alone SEC(".maps");

static __always_inline void count(u32 kind, s64 by)
{
	u64 *n = bpf_map_lookup_elem(&counts, &kind);

	if (n)
		__sync_fetch_and_add(n, by);
}

static __always_inline void leave_alone(struct followed *connection, u32 reason)
{
	u64 cookie = connection->cookie;

	connection->alone = 1;
	count(reason, 1);
	bpf_ringbuf_output(&alone, &cookie, sizeof(cookie), 0);
}

#endif

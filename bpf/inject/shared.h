/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the programs of tailcap-inject share with user space.
 */
#ifndef TAILCAP_BPF_INJECT_SHARED_H
#define TAILCAP_BPF_INJECT_SHARED_H

/* What is added to a request: two header lines. */
#define ADDED_TRACE "traceparent: 00-"
#define ADDED_REQUEST "X-Request-Id: "
#define ADDED_BYTES 118

#define INJECT_COMM 16    /* bytes of a process name, as the kernel keeps it */
#define INJECT_TARGETS 64 /* processes, names and ports that can be given */

/* Numbers that are counted. */
enum inject_count {
	/* connections */
	COUNT_FOLLOWED, /* from their first byte */
	/* requests */
	COUNT_GIVEN,  /* got ids */
	COUNT_HAD,    /* had an id, or a trace, of their own */
	COUNT_ROOM,   /* not certain that the send buffer takes the head at once */
	COUNT_PIECES, /* the kernel has the end of the head in a later piece of the send, or too many pieces */
	COUNT_BEHIND, /* behind several other requests in one send */
	/* connections left alone, by reason */
	LEFT_FIRST,
	LEFT_TLS = LEFT_FIRST, /* begins with a TLS record */
	LEFT_HTTP2,            /* HTTP/2's preface */
	LEFT_OTHER,            /* no request of HTTP/1.x where one should begin */
	LEFT_SPLIT,            /* a head in several sends */
	LEFT_LONG,             /* a head of more bytes or lines than the bound */
	LEFT_UPGRADE,          /* Upgrade */
	LEFT_CONNECT,          /* CONNECT */
	LEFT_FRAMING,          /* a length, coding or chunk that is not certain */
	LEFT_PROCESS,          /* another process sends on it */
	LEFT_UNSEEN,           /* bytes were sent that the program did not see */
	LEFT_PARTLY,           /* the kernel may take, or took, a part of a head or of a chunk's border */
	LEFT_NAGLE,            /* a send that is too large to be put into one piece, without TCP_NODELAY */
	LEFT_WORK,             /* a send needs more steps than the bound */
	LEFT_TAKEN,            /* kernel TLS, MPTCP or zero-copy sends */
	LEFT_REFUSED,          /* the kernel refused to add bytes, or another program has the socket */
	LEFT_TABLE,            /* more connections than --max-connections */
	COUNT_KINDS
};

#endif

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads the header of a frame of HTTP/2 or AMQP, or of a TLS record: how many bytes follow, and how many of them are
 * worth keeping. Bytes that break the rules are not a header: the walk lost its position, or never had it. Also decides
 * what follows from the length of an I/O alone.
 */
#ifndef TAILCAP_BPF_NET_FRAMING_H
#define TAILCAP_BPF_NET_FRAMING_H

#include "bpf/net/payload.bpf.h"

#define HTTP2_HEADER 9
#define HTTP2_PREFACE_SIZE 24
#define HTTP2_FRAME_MAX 16384 /* unless the receiver allows more */
#define HTTP2_DATA_KEPT 64    /* of a DATA frame: message prefixes of gRPC, small messages */
#define HTTP2_DATA_WHOLE 256  /* a DATA frame up to this length is kept */

enum http2_type {
	HTTP2_DATA,
	HTTP2_HEADERS,
	HTTP2_PRIORITY,
	HTTP2_RST_STREAM,
	HTTP2_SETTINGS,
	HTTP2_PUSH_PROMISE,
	HTTP2_PING,
	HTTP2_GOAWAY,
	HTTP2_WINDOW_UPDATE,
	HTTP2_CONTINUATION,
	HTTP2_TYPES,
};

#define AMQP_HEADER 7
#define AMQP_PREFACE_SIZE 8
#define AMQP_FRAME_END 1
#define AMQP_FRAME_MAX (16 << 20) /* RabbitMQ proposes 128 KiB */

enum amqp_type { AMQP_METHOD = 1, AMQP_CONTENT, AMQP_BODY, AMQP_HEARTBEAT = 8 };

#define TLS_CHANGE_CIPHER_SPEC 0x14
#define TLS_ALERT 0x15
#define TLS_APPLICATION_DATA 0x17
#define TLS_HEARTBEAT 0x18
#define TLS_HEAD_KEPT 4096 /* of a record that is decrypted and of which not all is needed */
#define TLS_TAIL_KEPT 64   /* its last bytes: the end of a chunk, padding, the type of its content, the tag */

static __always_inline u32 least_of(u32 a, u32 b)
{
	return a < b ? a : b;
}

static __always_inline u32 header_size(u8 framing)
{
	return framing == FRAMING_TLS ? TLS_HEADER : framing == FRAMING_AMQP ? AMQP_HEADER : HTTP2_HEADER;
}

/* strict: frame boundaries are not known. */
static __always_inline bool enter_http2(struct frame_state *frames, bool strict)
{
	const u8 *h = frames->header;
	u32 length = h[0] << 16 | h[1] << 8 | h[2], stream = h[5] | h[6] | h[7] | h[8];
	u8 type = h[3], flags = h[4], known = 0;

	if (h[5] & 0x80 || (type >= HTTP2_TYPES && (strict || length > HTTP2_FRAME_MAX)))
		return false;
	switch (type) {
	case HTTP2_DATA:
		known = 0x9;
		if (!stream)
			return false;
		break;
	case HTTP2_HEADERS:
		known = 0x2d;
		if (!stream)
			return false;
		break;
	case HTTP2_CONTINUATION:
		known = 0x4;
		if (!stream)
			return false;
		break;
	case HTTP2_PUSH_PROMISE:
		known = 0xc;
		if (!stream || length < 4)
			return false;
		break;
	case HTTP2_PRIORITY:
		if (!stream || length != 5)
			return false;
		break;
	case HTTP2_RST_STREAM:
		if (!stream || length != 4)
			return false;
		break;
	case HTTP2_WINDOW_UPDATE:
		if (length != 4)
			return false;
		break;
	case HTTP2_SETTINGS:
		known = 0x1;
		if (stream || length % 6)
			return false;
		break;
	case HTTP2_PING:
		known = 0x1;
		if (stream || length != 8)
			return false;
		break;
	case HTTP2_GOAWAY:
		if (stream || length < 8)
			return false;
		break;
	}
	if (strict && (flags & ~known || (type != HTTP2_DATA && length > HTTP2_FRAME_MAX)))
		return false;
	frames->left = length;
	if (type == HTTP2_DATA && length > HTTP2_DATA_WHOLE)
		frames->keep = least_of(HTTP2_DATA_KEPT, payload_limit);
	else
		frames->keep = least_of(length, payload_limit);
	return true;
}

/* A byte follows each frame. strict: frame boundaries are not known. */
static __always_inline bool enter_amqp(struct frame_state *frames, bool strict)
{
	const u8 *h = frames->header;
	u32 length = (u32)h[3] << 24 | h[4] << 16 | h[5] << 8 | h[6];

	if (length > AMQP_FRAME_MAX || (strict && (h[0] != AMQP_METHOD || length < 4)))
		return false;
	if (!h[0] || (h[0] > AMQP_BODY && h[0] != AMQP_HEARTBEAT))
		return false;
	frames->left = length + AMQP_FRAME_END;
	frames->keep = h[0] == AMQP_BODY ? 0 : least_of(frames->left, payload_limit);
	return true;
}

/* Connections of which the beginning and the end of long records suffice, by cookie: user space says so. */
struct tls_heads {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, u8);
};

extern struct tls_heads tls_heads SEC(".maps");

/* What is kept of an application record that user space decrypts. */
static __always_inline void keep_record(struct frame_state *frames, u64 socket)
{
	frames->keep = frames->left;
	if (frames->left <= TLS_HEAD_KEPT + TLS_TAIL_KEPT || !bpf_map_lookup_elem(&tls_heads, &socket))
		return;
	frames->keep = TLS_HEAD_KEPT;
	frames->left -= TLS_TAIL_KEPT;
	frames->tail = TLS_TAIL_KEPT;
}

/* These bytes are exactly one record. */
static __always_inline bool one_record(const u8 *data, u32 length)
{
	return data[0] >= TLS_CHANGE_CIPHER_SPEC && data[0] <= TLS_HEARTBEAT && data[1] == 3 && data[2] <= 4 &&
	       (u32)(data[3] << 8 | data[4]) + TLS_HEADER == length;
}

static __always_inline bool enter_tls(struct frame_state *frames, u64 socket)
{
	const u8 *h = frames->header;
	u32 length = h[3] << 8 | h[4];

	if (h[0] < TLS_CHANGE_CIPHER_SPEC || h[0] > TLS_HEARTBEAT || h[1] != 3 || h[2] > 4 || length > TLS_RECORD_MAX)
		return false;
	frames->left = length;
	frames->keep = h[0] == TLS_APPLICATION_DATA ? 0 : least_of(length, payload_limit);
	frames->tail = 0;
	if (tls_by_keys && payload_limit)
		keep_record(frames, socket);
	return true;
}

/* Skips the unseen bytes before an I/O at position. Frames are no longer followed if those may contain a header. */
static __always_inline void find_place(struct frame_state *frames, u64 position)
{
	u32 jump = (u32)position - frames->next;

	if (!frames->synced || !jump)
		return;
	/* unseen bytes were moved: harmless if all of them belong to one frame */
	if (frames->have || jump > frames->left) {
		frames->synced = 0;
		return;
	}
	frames->left -= jump;
	frames->keep -= least_of(frames->keep, jump);
}

/* The frame goes on with its last bytes, which are wanted. */
static __always_inline bool enter_tail(struct frame_state *frames)
{
	if (frames->left || !frames->tail)
		return false;
	frames->left = frames->keep = frames->tail;
	frames->tail = 0;
	return true;
}

/* length bytes were moved that cannot, or need not, be examined. */
static __always_inline void step_over(struct socket_state *state, u32 way, u64 position, u32 length)
{
	struct frame_state *frames = &state->direction[way & 1].frames;

	find_place(frames, position);
	if (frames->have || length > frames->left)
		frames->synced = 0;
	frames->left -= length;
	frames->keep -= least_of(frames->keep, length);
	frames->next = (u32)position + length;
}

/* The I/O lies entirely within bytes that are not kept. */
static __always_inline bool all_bulk(struct socket_state *state, u32 way, u64 position, u32 length)
{
	struct frame_state *frames = &state->direction[way & 1].frames;

	return frames->synced && !frames->have && !frames->keep && frames->next == (u32)position &&
	       frames->left >= length;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The walk through a send: where requests begin, where their heads end, and what they say of themselves. It is stricter
 * than any server: what it does not know for certain ends the walk, and the connection is left alone.
 */
#ifndef TAILCAP_BPF_INJECT_WALK_H
#define TAILCAP_BPF_INJECT_WALK_H

#include "bpf/inject/chunk.bpf.h"

enum value { VALUE_ANY, LENGTH_BEGIN, LENGTH_DIGITS, LENGTH_END, CODING_BEGIN, CODING_WORD, CODING_END };

struct walk {
	struct sk_msg_md *msg;
	struct followed *connection;
};

#define TLS_HANDSHAKE 0x16

/* Eight characters as a little-endian number; NUL: none. */
#define TEXT8(a, b, c, d, e, f, g, h)                                                                   \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 | (u64)(f) << 40 | \
	 (u64)(g) << 48 | (u64)(h) << 56)
#define TEXT_CHUNKED TEXT8('c', 'h', 'u', 'n', 'k', 'e', 'd', 0)
#define TEXT_CONNECT TEXT8('C', 'O', 'N', 'N', 'E', 'C', 'T', 0)
#define TEXT_PRI TEXT8('P', 'R', 'I', 0, 0, 0, 0, 0)
#define TEXT_HTTP_1_0 TEXT8('H', 'T', 'T', 'P', '/', '1', '.', '0')
#define TEXT_HTTP_1_1 TEXT8('H', 'T', 'T', 'P', '/', '1', '.', '1')

static __always_inline void clear_word(struct scan *s)
{
	s->word[0] = s->word[1] = s->word[2] = 0;
	s->word_length = 0;
}

static __always_inline void add_to_word(struct scan *s, u8 c)
{
	u32 n = s->word_length++;
	u64 shifted = (u64)c << (n % 8 * 8);

	if (n < 8)
		s->word[0] |= shifted;
	else if (n < 16)
		s->word[1] |= shifted;
	else if (n < 24)
		s->word[2] |= shifted;
}

static __always_inline bool word_is(const struct scan *s, u64 a, u64 b, u64 c)
{
	return s->word[0] == a && s->word[1] == b && s->word[2] == c && s->word_length <= 24;
}

/* Fields that name a request or a trace. */
static __always_inline bool names_request(const struct scan *s)
{
	return word_is(s, TEXT8('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r'), TEXT8('e', 'n', 't', 0, 0, 0, 0, 0), 0) ||
	       word_is(s, TEXT8('x', '-', 'r', 'e', 'q', 'u', 'e', 's'), TEXT8('t', '-', 'i', 'd', 0, 0, 0, 0), 0) ||
	       word_is(s, TEXT8('r', 'e', 'q', 'u', 'e', 's', 't', '-'), TEXT8('i', 'd', 0, 0, 0, 0, 0, 0), 0) ||
	       word_is(s, TEXT8('x', '-', 'c', 'o', 'r', 'r', 'e', 'l'), TEXT8('a', 't', 'i', 'o', 'n', '-', 'i', 'd'),
		       0) ||
	       word_is(s, TEXT8('x', '-', 'b', '3', '-', 't', 'r', 'a'), TEXT8('c', 'e', 'i', 'd', 0, 0, 0, 0), 0) ||
	       word_is(s, TEXT8('b', '3', 0, 0, 0, 0, 0, 0), 0, 0) ||
	       word_is(s, TEXT8('u', 'b', 'e', 'r', '-', 't', 'r', 'a'), TEXT8('c', 'e', '-', 'i', 'd', 0, 0, 0), 0) ||
	       word_is(s, TEXT8('s', 'w', '8', 0, 0, 0, 0, 0), 0, 0) ||
	       word_is(s, TEXT8('x', '-', 'a', 'm', 'z', 'n', '-', 't'), TEXT8('r', 'a', 'c', 'e', '-', 'i', 'd', 0),
		       0) ||
	       word_is(s, TEXT8('g', 'r', 'p', 'c', '-', 't', 'r', 'a'), TEXT8('c', 'e', '-', 'b', 'i', 'n', 0, 0),
		       0) ||
	       word_is(s, TEXT8('t', 'r', 'a', 'c', 'e', '-', 'i', 'd'), 0, 0) ||
	       word_is(s, TEXT8('x', '-', 'c', 'l', 'o', 'u', 'd', '-'), TEXT8('t', 'r', 'a', 'c', 'e', '-', 'c', 'o'),
		       TEXT8('n', 't', 'e', 'x', 't', 0, 0, 0));
}

/* A field's name is whole. Returns why the connection is left alone; 0: it is not. */
static __always_inline u32 end_name(struct scan *s)
{
	s->value = VALUE_ANY;
	if (word_is(s, TEXT8('c', 'o', 'n', 't', 'e', 'n', 't', '-'), TEXT8('l', 'e', 'n', 'g', 't', 'h', 0, 0), 0)) {
		if (s->has_length)
			return LEFT_FRAMING;
		s->has_length = 1;
		s->value = LENGTH_BEGIN;
	} else if (word_is(s, TEXT8('t', 'r', 'a', 'n', 's', 'f', 'e', 'r'),
			   TEXT8('-', 'e', 'n', 'c', 'o', 'd', 'i', 'n'), TEXT8('g', 0, 0, 0, 0, 0, 0, 0))) {
		if (s->chunked)
			return LEFT_FRAMING;
		s->chunked = 1;
		s->value = CODING_BEGIN;
	} else if (word_is(s, TEXT8('u', 'p', 'g', 'r', 'a', 'd', 'e', 0), 0, 0)) {
		s->upgrade = 1;
	} else if (names_request(s)) {
		s->has_id = 1;
	}
	clear_word(s);
	return 0;
}

static __always_inline u32 in_value(struct scan *s, u8 c)
{
	bool blank = c == ' ' || c == '\t';

	switch (s->value) {
	case LENGTH_BEGIN:
	case LENGTH_DIGITS:
		if (c >= '0' && c <= '9') {
			s->length = s->length * 10 + (c - '0');
			s->value = LENGTH_DIGITS;
			return s->length > 1ULL << 48 ? LEFT_FRAMING : 0;
		}
		if (!blank)
			return LEFT_FRAMING;
		if (s->value == LENGTH_DIGITS)
			s->value = LENGTH_END;
		return 0;
	case CODING_BEGIN:
	case CODING_WORD:
		if (blank) {
			if (s->value == CODING_WORD)
				s->value = CODING_END;
			return 0;
		}
		s->value = CODING_WORD;
		add_to_word(s, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
		return s->word_length > 7 ? LEFT_FRAMING : 0;
	case LENGTH_END:
	case CODING_END:
		return blank ? 0 : LEFT_FRAMING;
	}
	return 0;
}

static __always_inline u32 end_value(struct scan *s)
{
	if (s->value == LENGTH_BEGIN || s->value == CODING_BEGIN)
		return LEFT_FRAMING;
	if ((s->value == CODING_WORD || s->value == CODING_END) && s->word[0] != TEXT_CHUNKED)
		return LEFT_FRAMING;
	return 0;
}

static __always_inline void count_request(struct scan *s, u32 kind)
{
	s->counted[kind]++;
	count(kind, 1);
}

/* A head is whole: its ids, and its body. */
static __always_inline u32 end_head(struct scan *s, struct place *at)
{
	u32 n = s->cuts;

	if (s->upgrade)
		return LEFT_UPGRADE;
	if (s->connect)
		return LEFT_CONNECT;
	if (s->chunked && (s->has_length || s->old))
		return LEFT_FRAMING;
	at->number++;
	if (s->has_id) {
		count_request(s, COUNT_HAD);
	} else if (s->end >= s->first_end) {
		count_request(s, COUNT_PIECES);
	} else if (n >= CUTS_MOST) {
		count_request(s, COUNT_BEHIND);
	} else {
		s->cut[n] = s->end;
		s->number[n] = at->number;
		s->cuts = n + 1;
		s->last_cut = s->end;
	}
	at->left = s->chunked ? 0 : s->length;
	at->line = 0;
	at->phase = s->chunked ? AT_SIZE : s->length ? IN_BODY : AT_BORDER;
	return 0;
}

static __always_inline void begin_head(struct scan *s)
{
	s->head = s->position;
	s->lines = 0;
	s->length = 0;
	s->has_length = s->chunked = s->has_id = s->upgrade = s->connect = s->preface = s->old = 0;
	clear_word(s);
}

/* A byte of a head. */
static __always_inline u32 head_byte(struct scan *s, struct place *at, u8 c)
{
	switch (at->phase) {
	case AT_BORDER:
		if (c == TLS_HANDSHAKE)
			return LEFT_TLS;
		if (c < 'A' || c > 'Z')
			return LEFT_OTHER;
		begin_head(s);
		at->phase = IN_METHOD;
		add_to_word(s, c);
		return 0;
	case IN_METHOD:
		if (c == ' ' && s->word_length <= 16) {
			s->connect = s->word[0] == TEXT_CONNECT && !s->word[1];
			s->preface = s->word[0] == TEXT_PRI;
			clear_word(s);
			at->phase = IN_TARGET;
			return 0;
		}
		if ((c < 'A' || c > 'Z') && c != '-')
			return LEFT_OTHER;
		add_to_word(s, c);
		return 0;
	case IN_TARGET:
		if (c == ' ' && s->word_length) {
			clear_word(s);
			at->phase = IN_VERSION;
			return 0;
		}
		s->word_length = 1;
		return c <= ' ' || c == 0x7f ? LEFT_OTHER : 0;
	case IN_VERSION:
		if (c == CR && s->word_length == 8) {
			if (s->word[0] != TEXT_HTTP_1_1 && s->word[0] != TEXT_HTTP_1_0)
				return s->preface ? LEFT_HTTP2 : LEFT_OTHER;
			s->old = s->word[0] == TEXT_HTTP_1_0;
			at->phase = AT_LINE_LF;
			return 0;
		}
		add_to_word(s, c);
		return s->word_length > 8 ? LEFT_OTHER : 0;
	case AT_LINE_LF:
		at->phase = AT_FIELD;
		clear_word(s);
		return c == LF ? 0 : LEFT_OTHER;
	case AT_FIELD:
		if (c == CR) {
			s->end = s->position;
			at->phase = AT_HEAD_LF;
			return 0;
		}
		if (++s->lines > LINES_MOST)
			return LEFT_LONG;
		at->phase = IN_NAME;
		/* fall through */
	case IN_NAME:
		if (c == ':' && s->word_length) {
			at->phase = IN_VALUE;
			return end_name(s);
		}
		add_to_word(s, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
		return is_token(c) ? 0 : LEFT_OTHER;
	case IN_VALUE:
		if (c == CR) {
			at->phase = AT_LINE_LF;
			return end_value(s);
		}
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return LEFT_OTHER;
		return in_value(s, c);
	case AT_HEAD_LF:
		return c == LF ? end_head(s, at) : LEFT_OTHER;
	}
	return LEFT_OTHER;
}

/* A piece of the kernel's memory is visible at a time; one byte never lies in two, so no piece is ever copied. */
static __always_inline bool byte_at(struct sk_msg_md *msg, struct scan *s, u8 *out)
{
	u32 offset = s->position - s->window;
	u8 *data = msg->data, *end = msg->data_end;

	if (offset < 0x8000 && data + offset + 1 <= end) {
		*out = data[offset];
		return true;
	}
	if (bpf_msg_pull_data(msg, s->position, s->position + 1, 0))
		return false;
	s->window = s->position;
	data = msg->data;
	end = msg->data_end;
	if (data + 1 > end)
		return false;
	*out = *data;
	return true;
}

static long walk_step(u32 i, void *context)
{
	struct walk *walk = context;
	struct followed *connection = walk->connection;
	struct scan *s = &connection->scan;
	struct place *at = &connection->now;
	u32 reason;
	u8 c;

	if (s->position >= s->size)
		return 1;
	if (at->phase == IN_BODY || at->phase == IN_CHUNK) {
		u64 rest = s->size - s->position;

		if (at->left > rest) {
			at->left -= rest;
			s->position = s->size;
			return 1;
		}
		s->position += at->left;
		at->left = 0;
		at->phase = at->phase == IN_BODY ? AT_BORDER : AT_CHUNK_CR;
		return 0;
	}
	if (!byte_at(walk->msg, s, &c)) {
		s->reason = LEFT_REFUSED;
		return 1;
	}
	if (at->phase == AT_BORDER || at->phase >= BETWEEN_SENDS) {
		reason = head_byte(s, at, c);
		if (!reason && at->phase >= BETWEEN_SENDS && s->position - s->head >= HEAD_MOST)
			reason = LEFT_LONG;
	} else {
		reason = chunk_byte(at, c);
	}
	if (reason) {
		s->reason = reason;
		return 1;
	}
	s->position++;
	s->plain_from = s->position;
	return 0;
}

#endif

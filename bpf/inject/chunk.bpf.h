/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What stands between the chunks of a body, and behind the last.
 */
#ifndef TAILCAP_BPF_INJECT_CHUNK_H
#define TAILCAP_BPF_INJECT_CHUNK_H

#include "bpf/inject/state.bpf.h"

#define CR '\r'
#define LF '\n'

/* Characters of tokens (RFC 9110), a bit each. */
#define TOKENS_LOW 0x03ff6cfa00000000ULL
#define TOKENS_HIGH 0x57ffffffc7fffffeULL

static __always_inline bool is_token(u8 c)
{
	return c < 128 && (c < 64 ? TOKENS_LOW >> c : TOKENS_HIGH >> (c & 63)) & 1;
}

static __always_inline u32 hex_digit(u8 c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* A byte between chunks, or of trailers. */
static __always_inline u32 chunk_byte(struct place *at, u8 c)
{
	u32 digit;

	if (++at->line > HEAD_MOST)
		return LEFT_FRAMING;
	switch (at->phase) {
	case AT_CHUNK_CR:
		at->phase = AT_CHUNK_LF;
		return c == CR ? 0 : LEFT_FRAMING;
	case AT_CHUNK_LF:
		at->phase = AT_SIZE;
		at->line = 0;
		at->left = 0;
		return c == LF ? 0 : LEFT_FRAMING;
	case AT_SIZE:
	case IN_SIZE:
		digit = hex_digit(c);
		if (digit < 16) {
			at->left = at->left << 4 | digit;
			at->phase = IN_SIZE;
			return at->left > 1ULL << 48 ? LEFT_FRAMING : 0;
		}
		if (at->phase == AT_SIZE)
			return LEFT_FRAMING;
		at->phase = c == CR ? AT_SIZE_LF : IN_EXTENSION;
		return c == CR || c == ';' ? 0 : LEFT_FRAMING;
	case IN_EXTENSION:
		if (c == CR)
			at->phase = AT_SIZE_LF;
		return c == CR || c >= ' ' || c == '\t' ? 0 : LEFT_FRAMING;
	case AT_SIZE_LF:
		at->phase = at->left ? IN_CHUNK : AT_TRAILER;
		at->line = 0;
		return c == LF ? 0 : LEFT_FRAMING;
	case AT_TRAILER:
		at->phase = c == CR ? AT_LAST_LF : IN_TRAILER;
		return c == CR || is_token(c) ? 0 : LEFT_FRAMING;
	case IN_TRAILER:
		if (c == CR)
			at->phase = AT_TRAILER_LF;
		return c == CR || c >= ' ' || c == '\t' ? 0 : LEFT_FRAMING;
	case AT_TRAILER_LF:
		at->phase = AT_TRAILER;
		return c == LF ? 0 : LEFT_FRAMING;
	case AT_LAST_LF:
		at->phase = AT_BORDER;
		return c == LF ? 0 : LEFT_FRAMING;
	}
	return LEFT_FRAMING;
}

#endif

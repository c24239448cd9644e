/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Enums whose numbers are distinct, which the compiler checks: a list N(name, number) defines both the enum and the
 * check, so that no name is left out.
 */
#ifndef TAILCAP_BPF_EVENT_ENUM_H
#define TAILCAP_BPF_EVENT_ENUM_H

#ifdef __cplusplus
#define TAILCAP_ASSERT static_assert
#else
#define TAILCAP_ASSERT _Static_assert
#endif

#define TAILCAP_ENUMERATOR(name, number) name = (number),
#define TAILCAP_PLUS_BIT(name, number) +(1ull << (number))
#define TAILCAP_OR_BIT(name, number) | (1ull << (number))

/* The sum of different powers of two is their union. Numbers are less than 64. */
#define TAILCAP_ENUM(tag, list)                                                      \
	enum tag { list(TAILCAP_ENUMERATOR) };                                       \
	TAILCAP_ASSERT((0ull list(TAILCAP_PLUS_BIT)) == (0ull list(TAILCAP_OR_BIT)), \
		       "a number of enum " #tag " is used twice")

#endif

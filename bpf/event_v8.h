/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where V8 keeps what it knows of a function: a part of bpf/event_script.h.
 */
#ifndef TAILCAP_BPF_EVENT_V8_H
#define TAILCAP_BPF_EVENT_V8_H

#define V8_LOCALS 4096              /* variables of a function that others use, at most */
#define V8_SOURCE_AT_ONCE 512       /* bytes of a source in which lines are counted */
#define V8_SOURCE_BYTES (128 << 10) /* in all; functions behind them have no line */

/* How a function's own record (ScopeInfo) is arranged. */
#define V8_NAMES_WITHIN 1 /* it has the names of all its variables itself, and a module's count behind them */
#define V8_PLACE_FIRST 2  /* its flags are a plain number, and its place is before its names */
#define V8_HAS_RECEIVER 4 /* it says where `this` is, too */

/* Where the fields lie in the objects of one version of V8, and the types of objects. */
struct v8_process {
	__u16 map_type;
	__u16 function_shared;
	__u16 shared_scope;
	__u16 shared_script;
	__u16 script_name;
	__u16 script_source;
	__u16 type_function; /* the first of functions' types */
	__u16 type_shared;
	__u16 type_scope;
	__u16 type_script;
	__u16 type_no_string; /* strings are below it */
	__u16 scope;          /* V8_NAMES_WITHIN and others */
};

#ifdef __cplusplus
static_assert(sizeof(v8_process) == 24);
#endif

#endif

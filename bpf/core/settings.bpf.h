/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Settings that user space writes before it loads the programs, for those that several units read. The verifier removes
 * code that they disable.
 */
#ifndef TAILCAP_BPF_CORE_SETTINGS_H
#define TAILCAP_BPF_CORE_SETTINGS_H

#include "bpf/event.h"
#include "bpf/core/kernel.bpf.h"

/* __u8, not bool: the skeleton is also C++. */
extern const volatile __u32 self_tgid;    /* the recorder, which never records itself */
extern const volatile __u32 own_tgids[3]; /* its processes that make children for it; 0: none */
extern const volatile __u8 tell_stalls;
extern const volatile __u32 payload_limit; /* bytes kept after a message start; 0: no payload */
extern const volatile __u64 ring_wake;     /* wake the reader at this many bytes pending in one ring */
extern const volatile __u32 ring_mask;     /* the number of rings, a power of two, less one */
extern const volatile __u8 ring_spills;    /* there is a spill */
extern const volatile __u8 target_all;
extern const volatile __u8 target_comms_used;
extern __u64 target_cgroup; /* id in the unified hierarchy; 0: none. A reload may take it away. */
extern const volatile __u32 port_count;
extern const volatile __u16 ports[PORTS_MAX];
extern const volatile __u64 slow_file;    /* calls on files that take at least this long are recorded; 0: none */
extern const volatile __u8 stacks_chosen; /* stacks of threads that are switched out are recorded */
extern const volatile __u8 tls_by_keys;   /* user space decrypts TLS records: they are kept */
/* The kernel may take the CPU from a thread in the middle of a program (bpf/core/program.bpf.h). */
extern const volatile __u8 may_be_preempted;

#endif

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The settings that several units read, and the license, which the linked object has once.
 */
#include "bpf/core/settings.bpf.h"
#include <bpf/bpf_helpers.h>

const volatile __u32 self_tgid = 0;
const volatile __u32 own_tgids[3] = {};
const volatile __u32 payload_limit = 0;
const volatile __u64 ring_wake = 0;
const volatile __u32 ring_mask = 0;
const volatile __u8 ring_spills = 0;
const volatile __u8 target_all = false;
const volatile __u8 target_comms_used = false;
__u64 target_cgroup = 0;
const volatile __u32 port_count = 0;
const volatile __u16 ports[PORTS_MAX] = {};
const volatile __u64 slow_file = 0;
const volatile __u8 stacks_chosen = false;
const volatile __u8 tls_by_keys = false;
const volatile __u8 may_be_preempted = false;

char LICENSE[] SEC("license") = "Dual BSD/GPL";

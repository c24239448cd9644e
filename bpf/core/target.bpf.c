// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/core/target.bpf.h"

#ifdef OLDER_KERNEL
struct blanks blanks SEC(".maps");
struct own_numbers own_numbers SEC(".maps");
#endif

struct tasks tasks SEC(".maps");
struct target_pids target_pids SEC(".maps");
struct target_comms target_comms SEC(".maps");

__u64 others_hits[OTHERS_FILES_MAX] = {};
__u16 waits_epoch = 0;

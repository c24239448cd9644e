// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/sched/long_wait.bpf.h"

struct owed_stacks owed_stacks SEC(".maps");
struct nudges nudges SEC(".maps");

const volatile __u64 long_wait = 0;

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/sched/left_stack.bpf.h"

struct left_stacks left_stacks SEC(".maps");
struct no_stack no_stack SEC(".maps");
struct stack_rates stack_rates SEC(".maps");

__u8 take_stacks = false;

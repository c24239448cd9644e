// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/core/record.bpf.h"

struct ring ring SEC(".maps");
struct ring spill SEC(".maps");
struct rings rings SEC(".maps") = {.values = {&ring}};

__u64 losses[LOSS_COUNTERS] = {};

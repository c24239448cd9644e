// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/core/nested.bpf.h"

struct event_notes event_notes SEC(".maps");

__u64 told_by_twin[TWINS] = {};

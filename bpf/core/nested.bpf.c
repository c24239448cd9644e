// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/core/nested.bpf.h"

struct event_notes event_notes SEC(".maps");
struct thread_notes thread_notes SEC(".maps");

__u8 notes_are_missing = false;
__u64 told_by_twin[TWINS] = {};

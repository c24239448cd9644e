// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/core/thread_stack.bpf.h"

struct after_probe after_probe SEC(".maps");

const volatile __u8 goes_on = false;

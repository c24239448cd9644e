// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * All kernel programs, as one object: a program per tracepoint, grouped by file. User space chooses which are loaded.
 */
#include "bpf/call.h"
#include "bpf/file.h"
#include "bpf/go.h"
#include "bpf/go_allocation.h"
#include "bpf/go_channel.h"
#include "bpf/interrupt.h"
#include "bpf/io.h"
#include "bpf/iterate.h"
#include "bpf/net.h"
#include "bpf/node.h"
#include "bpf/sample.h"
#include "bpf/sched.h"
#include "bpf/stall.h"
#include "bpf/task.h"
#include "bpf/tls.h"
#include "bpf/tls_go.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

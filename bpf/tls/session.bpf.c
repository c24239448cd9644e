// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/tls/session.bpf.h"

const volatile __u32 sessions_kept = 0;

struct tls_sessions tls_sessions SEC(".maps");

__u64 tls_session_count = 0;
__u64 tls_sessions_ended = 0;

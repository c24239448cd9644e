// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/net/socket.bpf.h"

struct sockets sockets SEC(".maps");

__u64 own_cookies = 0;

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/core/goroutine.bpf.h"

struct go_files go_files SEC(".maps");
struct go_processes go_processes SEC(".maps");

__u32 go_epoch = 0;

__noinline u64 find_goroutine(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return goroutine_of(task, bpf_task_storage_get(&tasks, task, 0, 0));
}

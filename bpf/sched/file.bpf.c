// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Files: every open, and the paths of those that threads wait for (bpf/sched/file.bpf.h).
 *
 * Opens are seen at the tracepoints of their system calls. While these are in use, every system call of the machine
 * takes the kernel's slower path, so nothing else uses them.
 */
#include "bpf/core/goroutine.bpf.h"
#include "bpf/sched/file.bpf.h"

#define NAMES_MAX 24 /* directories of a path, and mounts, that are examined */

struct slow_files slow_files SEC(".maps");

/* The initial value of an entry: too large for the stack. */
static const struct slow_file_path no_path = {};

/* Names from the innermost on, over the borders of mounts. The thread is inside a call on the file, which holds it.
 * If the table is full, the call is recorded with its path marked as not known. */
__noinline int name_file(u64 object, u32 thread)
{
	struct slow_file_path *entry;
	struct dentry *at, *parent;
	struct vfsmount *mount;
	u32 size = 0;

	if (bpf_map_update_elem(&slow_files, &thread, &no_path, BPF_ANY))
		return 0;
	entry = bpf_map_lookup_elem(&slow_files, &thread);
	if (!entry)
		return 0;
	at = MEMBER(struct file, object, f_path.dentry);
	mount = MEMBER(struct file, object, f_path.mnt);
	entry->how = PATH_NAMES | PATH_CUT;
	for (int i = 0; i < NAMES_MAX && at && mount; i++) {
		struct dentry *root = MEMBER(struct vfsmount, mount, mnt_root);
		long length;

		parent = MEMBER(struct dentry, at, d_parent);
		if (at == root || at == parent) {
			struct mount *whole = (void *)mount - bpf_core_field_offset(struct mount, mnt);
			struct mount *above = MEMBER(struct mount, whole, mnt_parent);

			if (at != root) /* outside what is mounted there */
				break;
			if (above == whole) {
				entry->how = PATH_NAMES;
				break;
			}
			at = MEMBER(struct mount, whole, mnt_mountpoint);
			mount = (void *)above + bpf_core_field_offset(struct mount, mnt);
			continue;
		}
		size &= FILE_PATH_SIZE - 1;
		length = bpf_probe_read_kernel_str(entry->path + size, FILE_PATH_SIZE,
						   MEMBER(struct dentry, at, d_name.name));
		if (length <= 1 || size + length > FILE_PATH_SIZE - 1)
			break;
		size += length;
		at = parent;
	}
	entry->size = size;
	return size != 0;
}

static __always_inline int open_begins(void)
{
	struct task_state *state = task_state(bpf_get_current_task_btf());

	if (state)
		state->file.open_began = bpf_ktime_get_ns();
	return 0;
}

/* The kernel has read the path by now, so it can be read here. */
static __always_inline int open_ends(const u64 *ctx, bool first_argument)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = task_state(task);
	const struct pt_regs *regs;
	struct record_file *record;
	s64 result = ctx[2];
	u64 began;
	u8 last;
	long size;

	if (!state || !state->file.open_began)
		return 0;
	began = state->file.open_began;
	state->file.open_began = 0;
	record = begin_file(task, began, bpf_ktime_get_ns(), running_goroutine());
	if (!record)
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	record->act = FILE_ACT_OPEN;
	record->result = result;
	record->descriptor = result >= 0 ? result : -1;
	size = bpf_probe_read_user_str(record->path, sizeof(record->path),
				       (void *)(first_argument ? CALL_0(regs) : CALL_1(regs)));
	if (size > 0)
		record->size = size - 1;
	/* is there more where the buffer ended? */
	if (size == FILE_PATH_SIZE &&
	    (bpf_probe_read_user(&last, 1,
				 (void *)((first_argument ? CALL_0(regs) : CALL_1(regs)) + FILE_PATH_SIZE - 1)) ||
	     last))
		record->how = PATH_TEXT | PATH_CUT;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_open")
int file_open_in(u64 *ctx)
{
	return open_begins();
}

SEC("tracepoint/syscalls/sys_exit_open")
int file_open_out(u64 *ctx)
{
	return open_ends(ctx, true);
}

SEC("tracepoint/syscalls/sys_enter_creat")
int file_creat_in(u64 *ctx)
{
	return open_begins();
}

SEC("tracepoint/syscalls/sys_exit_creat")
int file_creat_out(u64 *ctx)
{
	return open_ends(ctx, true);
}

SEC("tracepoint/syscalls/sys_enter_openat")
int file_openat_in(u64 *ctx)
{
	return open_begins();
}

SEC("tracepoint/syscalls/sys_exit_openat")
int file_openat_out(u64 *ctx)
{
	return open_ends(ctx, false);
}

SEC("tracepoint/syscalls/sys_enter_openat2")
int file_openat2_in(u64 *ctx)
{
	return open_begins();
}

SEC("tracepoint/syscalls/sys_exit_openat2")
int file_openat2_out(u64 *ctx)
{
	return open_ends(ctx, false);
}

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Files: every open, and calls on regular files with long off-CPU intervals.
 *
 * Opens are seen at the tracepoints of their system calls. While these are in use, every system call of the machine
 * takes the kernel's slower path, so nothing else uses them: long waits in read, write or fsync are seen by the context
 * switches, which are followed anyway. Such a call lasts from its thread's first switch-out in it to the last
 * switch-in; it is emitted when the thread is next switched out elsewhere.
 */
#ifndef TAILCAP_BPF_FILE_H
#define TAILCAP_BPF_FILE_H

#include "bpf/goroutine.h"
#include "bpf/target.h"
#include <bpf/bpf_tracing.h>

#define NAMES_MAX 24 /* directories of a path, and mounts, that are examined */

/* The path of the file that a thread waits for, until it is emitted. */
struct slow_file_path {
	u16 size;
	u8 how;
	u8 unused[5];
	u8 path[2 * FILE_PATH_SIZE]; /* the second half leaves room for the last name */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32); /* thread */
	__type(value, struct slow_file_path);
} slow_files SEC(".maps");

/* The initial value of an entry: too large for the stack. */
static const struct slow_file_path no_path = {};

static __always_inline int file_act_of(u64 nr)
{
	switch (nr) {
	case NR_read:
	case NR_pread64:
	case NR_readv:
	case NR_preadv:
	case NR_preadv2:
		return FILE_ACT_READ;
	case NR_write:
	case NR_pwrite64:
	case NR_writev:
	case NR_pwritev:
	case NR_pwritev2:
		return FILE_ACT_WRITE;
	case NR_fsync:
	case NR_fdatasync:
	case NR_sync_file_range:
		return FILE_ACT_SYNC;
	}
	return -1;
}

/* Completed reads and writes, of any descriptor; 0 if the kernel does not count them. */
static __always_inline u64 calls_done(struct task_struct *task)
{
	return bpf_core_field_exists(task->ioac.syscr) ? task->ioac.syscr + task->ioac.syscw : 0;
}

static __always_inline u64 bytes_done(struct task_struct *task, int act)
{
	if (!bpf_core_field_exists(task->ioac.rchar))
		return 0;
	return act == FILE_ACT_READ ? task->ioac.rchar : task->ioac.wchar;
}

/* The thread is switched out in a call on this regular file. */
static __always_inline void file_waits(struct task_state *state, struct task_struct *task, struct file *file)
{
	int act = file_act_of((u64)(u16)state->syscall);

	if (act < 0)
		return;
	state->file_began = state->left;
	state->file_until = 0;
	state->file_object = (u64)file;
	state->file_calls = calls_done(task);
	state->file_bytes = bytes_done(task, act);
	state->file_goroutine = state->goroutine;
	state->file_descriptor = state->argument0;
	state->file_call = state->syscall;
	state->file_named = 0;
}

/* It is switched out again, in the same call. */
static __always_inline bool same_file_call(struct task_state *state, struct task_struct *task,
					   const struct pt_regs *regs)
{
	return regs->orig_ax == (u64)(u16)state->file_call && (s32)regs->di == state->file_descriptor &&
	       calls_done(task) == state->file_calls;
}

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

/* It is switched in again, in its call. */
static __always_inline void file_goes_on(struct task_state *state, struct task_struct *task, u64 now)
{
	state->file_until = now;
	if (now - state->file_began < slow_file || state->file_named)
		return;
	state->file_named = name_file(state->file_object, task->pid) ? 1 : 2;
}

static __always_inline struct record_file *begin_file(struct task_struct *task, u64 began, u64 until, u64 goroutine)
{
	struct record_file *record = reserve(sizeof(*record), RECORD_FILE_CALL, NULL);

	if (!record)
		return NULL;
	fill_head(&record->h, task, RECORD_FILE_CALL, bpf_ktime_get_ns());
	record->goroutine = goroutine;
	record->began = began;
	record->until = until;
	record->how = PATH_TEXT;
	record->size = 0;
	return record;
}

/* The call's result: known if it moved bytes and nothing was read or written since. */
static __always_inline s64 file_result(const struct task_state *state, struct task_struct *task, int act)
{
	u64 bytes;

	if (act == FILE_ACT_SYNC || calls_done(task) != state->file_calls + 1)
		return FILE_RESULT_UNKNOWN;
	bytes = bytes_done(task, act) - state->file_bytes;
	return bytes ? (s64)bytes : FILE_RESULT_UNKNOWN;
}

static __always_inline void file_done(struct task_state *state, struct task_struct *task)
{
	u64 began = state->file_began, until = state->file_until;
	int act = file_act_of((u64)(u16)state->file_call);
	struct slow_file_path *entry;
	struct record_file *record;
	u32 thread = task->pid;

	state->file_began = 0;
	if (!state->file_named)
		return;
	entry = state->file_named == 1 ? bpf_map_lookup_elem(&slow_files, &thread) : NULL;
	record = begin_file(task, began, until, state->file_goroutine);
	if (record) {
		record->act = act;
		record->descriptor = state->file_descriptor;
		record->result = file_result(state, task, act);
		if (entry) {
			record->how = entry->how;
			record->size = entry->size;
			bpf_probe_read_kernel(record->path, sizeof(record->path), entry->path);
		}
		bpf_ringbuf_submit(record, wake_flag(record->h.time));
	}
	if (entry)
		bpf_map_delete_elem(&slow_files, &thread);
}

static __always_inline int open_begins(void)
{
	struct task_state *state = task_state(bpf_get_current_task_btf());

	if (state)
		state->open_began = bpf_ktime_get_ns();
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

	if (!state || !state->open_began)
		return 0;
	began = state->open_began;
	state->open_began = 0;
	record = begin_file(task, began, bpf_ktime_get_ns(), running_goroutine());
	if (!record)
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	record->act = FILE_ACT_OPEN;
	record->result = result;
	record->descriptor = result >= 0 ? result : -1;
	size = bpf_probe_read_user_str(record->path, sizeof(record->path),
				       (void *)(first_argument ? regs->di : regs->si));
	if (size > 0)
		record->size = size - 1;
	/* is there more where the buffer ended? */
	if (size == FILE_PATH_SIZE &&
	    (bpf_probe_read_user(&last, 1, (void *)((first_argument ? regs->di : regs->si) + FILE_PATH_SIZE - 1)) ||
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

#endif

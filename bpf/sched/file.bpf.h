/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Calls on regular files with long off-CPU intervals. They are seen by the context switches, which are followed anyway.
 * Such a call lasts from its thread's first switch-out in it to the last switch-in; it is emitted when the thread is
 * next switched out elsewhere.
 */
#ifndef TAILCAP_BPF_SCHED_FILE_H
#define TAILCAP_BPF_SCHED_FILE_H

#include "bpf/core/target.bpf.h"

/* The path of the file that a thread waits for, until it is emitted. */
struct slow_file_path {
	u16 size;
	u8 how;
	u8 unused[5];
	u8 path[2 * FILE_PATH_SIZE]; /* the second half leaves room for the last name */
};

struct slow_files {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32); /* thread */
	__type(value, struct slow_file_path);
};

extern struct slow_files slow_files SEC(".maps");

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
	return bpf_core_field_exists(task->ioac.syscr) ? FIELD(task, ioac.syscr) + FIELD(task, ioac.syscw) : 0;
}

static __always_inline u64 bytes_done(struct task_struct *task, int act)
{
	if (!bpf_core_field_exists(task->ioac.rchar))
		return 0;
	return act == FILE_ACT_READ ? FIELD(task, ioac.rchar) : FIELD(task, ioac.wchar);
}

/* The thread is switched out in a call on this regular file. */
static __always_inline void file_waits(struct task_state *state, struct task_struct *task, struct file *file)
{
	int act = file_act_of((u64)(u16)state->off_cpu.syscall);

	if (act < 0)
		return;
	state->file.began = state->off_cpu.left;
	state->file.until = 0;
	state->file.object = (u64)file;
	state->file.calls = calls_done(task);
	state->file.bytes = bytes_done(task, act);
	state->file.goroutine = state->off_cpu.goroutine;
	state->file.descriptor = state->off_cpu.argument0;
	state->file.syscall = state->off_cpu.syscall;
	state->file.named = 0;
}

/* It is switched out again, in the same call. */
static __always_inline bool same_file_call(struct file_state *call, struct task_struct *task,
					   const struct pt_regs *regs)
{
	return CALL_NUMBER(regs) == (u64)(u16)call->syscall && (s32)CALL_0(regs) == call->descriptor &&
	       calls_done(task) == call->calls;
}

/* Stores the path of a file in slow_files; 0: it is not known. */
__noinline int name_file(u64 object, u32 thread);

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

/* It is switched in again, in its call. */
static __always_inline void file_goes_on(struct file_state *call, struct task_struct *task, u64 now)
{
	call->until = now;
	if (now - call->began < slow_file || call->named)
		return;
	call->named = name_file(call->object, FIELD(task, pid)) ? 1 : 2;
}

/* The call's result: known if it moved bytes and nothing was read or written since. */
static __always_inline s64 file_result(const struct file_state *call, struct task_struct *task, int act)
{
	u64 bytes;

	if (act == FILE_ACT_SYNC || calls_done(task) != call->calls + 1)
		return FILE_RESULT_UNKNOWN;
	bytes = bytes_done(task, act) - call->bytes;
	return bytes ? (s64)bytes : FILE_RESULT_UNKNOWN;
}

static __always_inline void file_done(struct file_state *call, struct task_struct *task)
{
	u64 began = call->began, until = call->until;
	int act = file_act_of((u64)(u16)call->syscall);
	struct slow_file_path *entry;
	struct record_file *record;
	u32 thread = FIELD(task, pid);

	call->began = 0;
	if (!call->named)
		return;
	entry = call->named == 1 ? bpf_map_lookup_elem(&slow_files, &thread) : NULL;
	record = begin_file(task, began, until, call->goroutine);
	if (record) {
		record->act = act;
		record->descriptor = call->descriptor;
		record->result = file_result(call, task, act);
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

#endif

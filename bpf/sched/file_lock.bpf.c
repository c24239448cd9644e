// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A lock on a file that a thread was refused, or has to wait for, and which process has it. Linux 6.9 or later.
 */
#include "bpf/core/program.bpf.h"
#include "bpf/core/target.bpf.h"

#define FILE_LOCK_DEFERRED 1 /* it waits */
#define F_WRLCK 1
#define LOCKS_MAX 64 /* of a file, that are compared */
/* A thread that tries all the time is reported this often. */
#define REFUSALS_EVERY 1000000

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
};

struct file_lock_core {
	struct list_head flc_list;
	void *flc_owner;
	unsigned char flc_type;
	int flc_pid;
};

struct file_lock {
	struct file_lock_core c;
	s64 fl_start;
	s64 fl_end;
};

struct file_lock_context {
	struct list_head flc_flock;
	struct list_head flc_posix;
};

struct inode___locks {
	struct file_lock_context *i_flctx;
};

#pragma clang attribute pop

static __always_inline bool in_the_way(struct file_lock *theirs, struct file_lock *own)
{
	return BPF_CORE_READ(theirs, c.flc_owner) != BPF_CORE_READ(own, c.flc_owner) &&
	       (BPF_CORE_READ(theirs, c.flc_type) == F_WRLCK || BPF_CORE_READ(own, c.flc_type) == F_WRLCK) &&
	       BPF_CORE_READ(theirs, fl_start) <= BPF_CORE_READ(own, fl_end) &&
	       BPF_CORE_READ(own, fl_start) <= BPF_CORE_READ(theirs, fl_end);
}

/* The process that has a lock in this list which is in the way; 0: none was found. */
static __always_inline u32 holder_in(struct list_head *list, struct file_lock *own)
{
	const u64 place =
		bpf_core_field_offset(struct file_lock, c) + bpf_core_field_offset(struct file_lock_core, flc_list);
	struct list_head *at = BPF_CORE_READ(list, next);

	for (int i = 0; i < LOCKS_MAX && at && at != list; i++) {
		struct file_lock *theirs = (void *)at - place;

		if (in_the_way(theirs, own)) {
			const s32 pid = BPF_CORE_READ(theirs, c.flc_pid);

			return pid > 0 ? pid : 0;
		}
		at = BPF_CORE_READ(at, next);
	}
	return 0;
}

static __always_inline int refused(struct inode *inode, struct file_lock *own, int error, bool posix)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct file_lock_context *locks;
	struct record_stall *record;
	u64 now;
	u32 holder;

	if (!inode || !own) /* the verifier's wish */
		return 0;
	if ((error != -EAGAIN && error != FILE_LOCK_DEFERRED) || !bpf_core_field_exists(own->c))
		return 0;
	state = task_state(task);
	now = bpf_ktime_get_ns();
	if (!state || now - state->stall.refused < REFUSALS_EVERY)
		return 0;
	locks = BPF_CORE_READ((struct inode___locks *)inode, i_flctx);
	if (!locks)
		return 0;
	holder = holder_in(posix ? &locks->flc_posix : &locks->flc_flock, own);
	if (!holder)
		return 0;
	state->stall.refused = now;
	record = reserve(sizeof(*record), RECORD_STALL, NULL);
	if (!record)
		return 0;
	fill_head(&record->h, task, RECORD_STALL, now);
	record->began = now;
	record->where = holder;
	record->detail = 0;
	record->what = STALL_FILE_LOCK;
	bpf_ringbuf_submit(record, wake_flag(now));
	return 0;
}

SEC("tp_btf/posix_lock_inode")
int BPF_PROG(stall_posix_lock, struct inode *inode, struct file_lock *lock, int error)
{
	return refused(inode, lock, error, true);
}

SEC("tp_btf/flock_lock_inode")
int BPF_PROG(stall_flock, struct inode *inode, struct file_lock *lock, int error)
{
	return refused(inode, lock, error, false);
}

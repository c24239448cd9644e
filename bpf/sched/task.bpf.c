// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Threads and processes: start, exec, exit. Children of a target are targets.
 */
#include "bpf/core/goroutine.bpf.h"
#include "bpf/sched/left_stack.bpf.h"
#include "bpf/core/program.bpf.h"
#include "bpf/core/target.bpf.h"

/* The first switch-in emits it as an off-CPU interval. */
static __always_inline void waits_for_first_cpu(struct off_cpu_state *off, u64 now)
{
	off->left = now;
	off->runnable = now;
	off->state = STATE_NEW;
	off->syscall = -1;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(task_start, struct task_struct *parent, struct task_struct *child)
{
	struct task_state *inherited, *state;
	struct record_task *record;
	u64 now;

	if (recorders_own(parent))
		return 0; /* the recorder's own threads; the command it starts is marked by its pid */
	inherited = task_state(parent);
	if (!inherited && !(target_all && !kernel_thread(child)) && !in_target_cgroup(child))
		return 0;
	state = make_target(child, inherited && inherited->touched);
	if (!state)
		return 0;
	state->existed = inherited && inherited->existed && child->tgid == parent->tgid;
	now = bpf_ktime_get_ns();
	waits_for_first_cpu(&state->off_cpu, now);
	record = reserve(sizeof(*record), RECORD_TASK_START, NULL);
	if (!record)
		return 0;
	__builtin_memset(record, 0, sizeof(*record));
	fill_head(&record->h, child, RECORD_TASK_START, now);
	record->parent_pid = parent->tgid;
	record->parent_tid = parent->pid;
	bpf_probe_read_kernel_str(record->comm, sizeof(record->comm), child->comm);
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(task_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct task_state *state = task_state(task);
	struct record_exec *record;

	if (!state) {
		if (FIELD(task, tgid) == self_tgid || !named(task))
			return 0;
		state = make_target(task, false);
		if (!state)
			return 0;
	}
	state->existed = false;
	forget_go(task, &state->go);
	forget_tables(task);
	forget_scripts(task);
	record = reserve(sizeof(*record), RECORD_TASK_EXEC, NULL);
	if (!record)
		return 0;
	__builtin_memset(record, 0, sizeof(*record));
	fill_head(&record->h, task, RECORD_TASK_EXEC, bpf_ktime_get_ns());
	bpf_probe_read_kernel_str(record->comm, sizeof(record->comm), task->comm);
	bpf_probe_read_kernel_str(record->filename, sizeof(record->filename), program->filename);
	/* the recorder checks at once whether the program uses TLS */
	bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
	return 0;
}

/* It loads a program: task_exec will say its name. */
static __always_inline bool loads_program(struct task_struct *task)
{
	struct pt_regs *regs;

	if (task != bpf_get_current_task_btf())
		return false;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	return CALL_NUMBER(regs) == NR_execve || CALL_NUMBER(regs) == NR_execveat;
}

/* A process takes another name. */
SEC("tp_btf/task_rename")
int BPF_PROG(task_renamed, struct task_struct *task, const char *name)
{
	struct record_task *record;
	char comm[COMM_SIZE] = {};
	bool joins = false;

	if (FIELD(task, pid) != FIELD(task, tgid) || kernel_thread(task) || recorders_own(task) || loads_program(task))
		return 0;
	bpf_probe_read_kernel_str(comm, sizeof(comm), name);
	if (!task_state(task)) {
		/* its other threads, and those below it, are found when user space marks targets again */
		if (!target_comms_used || !bpf_map_lookup_elem(&target_comms, comm) || !make_late_target(task, false))
			return 0;
		joins = true;
	}
	record = reserve(sizeof(*record), RECORD_TASK, NULL);
	if (!record)
		return 0;
	fill_task(record, task);
	__builtin_memcpy(record->comm, comm, sizeof(comm));
	record->code = joins ? TASK_JOINED : TASK_RENAMED;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_exit, struct task_struct *task)
{
	struct record_task *record;

	if (!task_state(task))
		return 0;
	forget_stack(task);
	if (FIELD(task, pid) == FIELD(task, tgid)) {
		forget_tables(task);
		forget_scripts(task);
	}
	record = reserve(sizeof(*record), RECORD_TASK_EXIT, NULL);
	if (!record)
		return 0;
	__builtin_memset(record, 0, sizeof(*record));
	fill_head(&record->h, task, RECORD_TASK_EXIT, bpf_ktime_get_ns());
	record->code = FIELD(task, exit_code);
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
	return 0;
}

/* Before Linux 6.8 the tracepoint passes only a number, and every victim is recorded, target or not. */
const volatile __u8 oom_tells_task = 0;

SEC("tp_btf/mark_victim")
int oom_kill(u64 *ctx)
{
	struct record_header *record;
	u32 victim;

	if (oom_tells_task) {
		struct task_struct *task = (struct task_struct *)ctx[0];

		if (!task_state(task))
			return 0;
		victim = FIELD(task, tgid);
	} else {
		victim = (u32)ctx[0];
	}
	record = reserve(sizeof(*record), RECORD_OOM_KILL, NULL);
	if (!record)
		return 0;
	fill_head_by(record, victim, victim, RECORD_OOM_KILL, bpf_ktime_get_ns());
	bpf_ringbuf_submit(record, wake_flag(record->time));
	return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(task_moved, struct cgroup *group, const char *path, struct task_struct *task)
{
	if (!target_cgroup || FIELD(task, tgid) == self_tgid || kernel_thread(task))
		return 0;
	/* as the rest of the process follows, one event each; the unified hierarchy is what the task itself shows */
	if (!under_target(group) || task_state(task))
		return 0;
	discovered(task, false);
	return 0;
}

#ifdef OLDER_KERNEL
SEC("tp_btf/sched_process_free")
int BPF_PROG(task_freed, struct task_struct *task)
{
	u64 address = (u64)task;

	bpf_map_delete_elem(&tasks, &address);
	return 0;
}
#endif

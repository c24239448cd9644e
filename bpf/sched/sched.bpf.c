// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Off-CPU intervals: one record each, collected in the task's storage from the switch-out to the switch-in.
 */
#include "bpf/core/descriptor.bpf.h"
#include "bpf/sched/block.bpf.h"
#include "bpf/sched/file.bpf.h"
#include "bpf/core/goroutine.bpf.h"
#include "bpf/sched/left_stack.bpf.h"
#include "bpf/sched/long_wait.bpf.h"
#include "bpf/sched/machine.bpf.h"
#include "bpf/sched/sending.bpf.h"
#include "bpf/sched/signal.bpf.h"
#include "bpf/sched/stall.bpf.h"
#include "bpf/sched/sleep.bpf.h"
#include "bpf/sched/unseen.bpf.h"
#include "bpf/sched/waker.bpf.h"
#include "bpf/core/program.bpf.h"
#include "bpf/core/target.bpf.h"

const volatile __u8 tell_stalls = false;
const volatile __u8 switch_tells_state = false; /* sched_switch has its fourth argument: since 5.18 */

#define NR_futex 202

/* The longest time, in ns, from the tracepoint to the sleep that it announces. */
#define ANNOUNCED 200000

/* The states that ps shows, and the freezer of cgroup v1 and of suspending (since 6.1); the others above are modifiers
 * (killable, freezable, no load), which differ from kernel to kernel. */
#define FROZEN 0x8000
#define STATE_REPORTED (0x7f | FROZEN)
#define PREEMPTED 256

/* Less of it on one stretch on the CPU is not reported, ns: the kernel's own account is as coarse. */
#define LEAST_STOLEN 200000
#define LONG_WAIT 1000000

/* flock, fcntl. */
static __always_inline bool waits_for_file_lock(s16 nr)
{
	return nr == 72 || nr == 73;
}

/* kill rt_sigqueueinfo tkill tgkill rt_tgsigqueueinfo pidfd_send_signal */
static __always_inline bool sends_signal(struct task_struct *task)
{
	u64 nr = CALL_NUMBER((struct pt_regs *)bpf_task_pt_regs(task));

	return nr == 62 || nr == 129 || nr == 200 || nr == 234 || nr == 297 || nr == 424;
}

/* The waker is named only if it is certain. Wake-ups also happen in interrupts, and then the running thread is
 * unrelated; not every kernel shows whether this is an interrupt. A thread inside futex() on the address that the woken
 * thread waits for is the waker; and interrupts do not write to pipes. A waiter in futex() can be woken by a signal,
 * too, whose sender is no holder of a lock; the same is true of locks on files. */
static __always_inline u32 certain_waker(const struct off_cpu_state *off)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs;

	if (off->woken_in == WOKEN_BY_THREAD && off->syscall != NR_futex)
		return waits_for_file_lock(off->syscall) && sends_signal(task) ? 0 : FIELD(task, pid);
	if (kernel_thread(task) || (off->syscall != NR_futex && off->file_kind != FILE_PIPE))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (off->syscall == NR_futex)
		return CALL_NUMBER(regs) == NR_futex && CALL_0(regs) == off->argument0 ? FIELD(task, pid) : 0;
	if (off->syscall == NR_read || off->syscall == NR_readv)
		return CALL_NUMBER(regs) == NR_write || CALL_NUMBER(regs) == NR_writev ? FIELD(task, pid) : 0;
	return 0;
}

/* Calls with the descriptor that is waited for as first argument: read write pread64 pwrite64 readv writev sendfile
 * connect accept sendto recvfrom sendmsg recvmsg, by number; and beyond 63. */
#define ON_DESCRIPTOR                                                                                          \
	(1ull << 0 | 1ull << 1 | 1ull << 17 | 1ull << 18 | 1ull << 19 | 1ull << 20 | 1ull << 40 | 1ull << 42 | \
	 1ull << 43 | 1ull << 44 | 1ull << 45 | 1ull << 46 | 1ull << 47)

static __always_inline bool waits_on_descriptor(u64 nr)
{
	if (nr < 64)
		return ON_DESCRIPTOR >> nr & 1;
	switch (nr) {
	case 74:  /* fsync */
	case 75:  /* fdatasync */
	case 77:  /* ftruncate */
	case 217: /* getdents64 */
	case 275: /* splice */
	case 277: /* sync_file_range */
	case 285: /* fallocate */
	case 288: /* accept4 */
	case 295: /* preadv */
	case 296: /* pwritev */
	case 327: /* preadv2 */
	case 328: /* pwritev2 */
		return true;
	}
	return false;
}

#define NR_poll 7
#define NR_ppoll 271

/* Which descriptor a poll waits for, where it is only one. */
static __always_inline bool polled(const struct off_cpu_state *off, struct task_struct *task, u32 *fd)
{
	return (off->syscall == NR_poll || off->syscall == NR_ppoll) && off->argument1 == 1 && !IN_32_BIT_CALL(task) &&
	       !bpf_probe_read_user(fd, sizeof(*fd), (void *)off->argument0);
}

/* Its other end is a socket of syslog or of systemd's journal. */
static __always_inline bool takes_log_lines(struct sock *sk)
{
	struct unix_address *address;
	struct sock *peer;
	u64 path[3] = {};

	if (MEMBER(struct sock, sk, __sk_common.skc_family) != AF_UNIX)
		return false;
	peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	address = peer ? BPF_CORE_READ((struct unix_sock *)peer, addr) : NULL;
	if (!address || bpf_probe_read_kernel_str(path, sizeof(path), address->name[0].sun_path) < 0)
		return false;
	if (path[0] == NAME_WORD('/', 'd', 'e', 'v', '/', 'l', 'o', 'g'))
		return !(path[1] & 0xff);
	return path[0] == NAME_WORD('/', 'r', 'u', 'n', '/', 's', 'y', 's') &&
	       path[1] == NAME_WORD('t', 'e', 'm', 'd', '/', 'j', 'o', 'u');
}

static __always_inline void note_descriptor(struct task_state *state, struct task_struct *task, u32 fd)
{
	struct off_cpu_state *off = &state->off_cpu;
	struct file *file = file_of(task, fd);
	struct sock *sk;

	if (!file)
		return;
	off->file_kind = kind_of_file(file);
	if (slow_file && off->file_kind == FILE_REGULAR && !state->file.began)
		file_waits(state, task, file);
	if (off->file_kind != FILE_SOCKET)
		return;
	sk = sock_of(file);
	off->socket = cookie_of(sk);
	if (writes(off->syscall) && takes_log_lines(sk))
		off->file_kind = FILE_LOG;
	if (tell_stalls && writes(off->syscall))
		sending_stops(&state->sending, sk);
}

/* Whether it sleeps for the reason announced just before. */
static __always_inline void take_announcement(struct stall_state *stall, u32 task_bits, u64 now)
{
	stall->asleep = 0;
	if (!stall->pending || task_bits == 0 || task_bits == PREEMPTED)
		return;
	if (now - stall->pending_since < ANNOUNCED)
		stall->asleep = stall->pending;
	stall->pending = 0;
}

static __always_inline void note_stolen(struct off_cpu_state *off, struct task_struct *task)
{
	u64 stolen = off->ran ? stolen_so_far(queue_of(task)) - off->steal_before : 0;

	off->stolen = stolen >= LEAST_STOLEN && stolen < 1ull << 32 ? stolen : 0;
	off->ran = false;
}

static __always_inline void fill_off_cpu(struct record_off_cpu *record, struct task_state *state,
					 struct task_struct *task, u64 now)
{
	struct off_cpu_state *off = &state->off_cpu;

	if (!off->runnable && off->woken_early)
		off->runnable = off->left;
	fill_head(&record->h, task, RECORD_OFF_CPU, now);
	record->h.missed = take_missed(&state->missed);
	record->left = off->left;
	record->runnable = off->runnable;
	record->argument0 = off->argument0;
	record->argument1 = off->argument1;
	record->waker = off->waker;
	record->state = off->state;
	record->syscall = off->syscall;
	record->socket = off->socket;
	record->file = off->file_kind;
	record->throttled = off->throttled;
	record->timed = off->timed;
	record->woken_in = off->woken_in;
	record->ongoing = 0;
	record->unused = 0;
	record->stolen = off->stolen;
	record->goroutine = off->goroutine;
}

static __always_inline void back(struct task_state *state, struct task_struct *task, u64 now)
{
	struct off_cpu_state *off = &state->off_cpu;
	struct record_off_cpu *record = reserve(sizeof(*record), RECORD_OFF_CPU, &state->missed);
	u64 since;

	if (record) {
		fill_off_cpu(record, state, task, now);
		bpf_ringbuf_submit(record, wake_flag(record->h.time));
	}
	if (slow_file && state->file.began)
		file_goes_on(&state->file, task, now);
	if (state->stall.asleep)
		emit_stall(task, state->stall.asleep, off->left, now, 0, 0);
	if (stacks_chosen && !long_wait && off->stacked)
		tell_stack(off, task, now);
	state->stall.asleep = 0;
	since = off->state & UNINTERRUPTIBLE ? off->left : off->runnable;
	if (since && now - since >= LONG_WAIT)
		__sync_fetch_and_add(&long_waits, 1);
	off->left = 0;
	off->runnable = 0;
}

static __always_inline void leave(void *ctx, struct task_state *state, struct task_struct *task, u32 task_bits, u64 now)
{
	struct off_cpu_state *off = &state->off_cpu;
	bool still_runnable = task_bits == 0 || task_bits == PREEMPTED, frozen = false;
	struct pt_regs *regs;
	u64 nr, switches, unseen;
	u32 fd;

	/* The freezer of the unified hierarchy lets it sleep like any other task; a stopped task counts as frozen,
	 * too. */
	if (!still_runnable && !(task_bits & (STATE_STOPPED | STATE_TRACED)) && bpf_core_field_exists(task->frozen) &&
	    BPF_CORE_READ_BITFIELD(task, frozen)) {
		task_bits = FROZEN;
		frozen = true;
	}
	/* The kernel counts switches, so those for which it did not run the programs are known to be missing. */
	switches = FIELD(task, nvcsw) + FIELD(task, nivcsw);
	if (off->left) {
		unseen = off->switches && switches - off->switches == 1 ? came_back_unseen(off, task, now) : 0;
		if (unseen) {
			woken_unseen(off, task, queue_of(task), unseen);
			back(state, task, unseen);
		} else {
			__sync_fetch_and_add(&state->missed, 1);
		}
	}
	if (off->switches && switches - off->switches > 1)
		__sync_fetch_and_add(&state->missed, (u32)(switches - off->switches - 1));
	off->switches = switches;
	off->delay = run_delay(task);
	off->left = now;
	off->state = task_bits;
	/* Once the scheduler has taken it off the run queue, and before the tracepoint, it looks for another thread to
	 * run. A wake-up in that time precedes the interval, and no other follows. An earlier wake-up does not
	 * count, because it found the thread running; another follows then. */
	off->woken_early = !still_runnable && off->runnable && off->runnable + SWITCHING_OUT > now;
	if (!off->woken_early) {
		off->waker = 0;
		off->woken_in = WOKEN_UNKNOWN;
	}
	/* preempted, so its run-queue latency begins now */
	off->runnable = still_runnable ? now : 0;
	off->syscall = -1;
	off->argument0 = 0;
	off->argument1 = 0;
	off->file_kind = FILE_UNKNOWN;
	off->socket = 0;
	state->sending.socket = 0;
	off->timed = 0;
	note_stolen(off, task);
	off->throttled = 0;
	if (bpf_core_field_exists(task->throttled) && task->throttled)
		off->throttled = off->runnable != 0;
	take_announcement(&state->stall, task_bits, now);
	off->goroutine = 0;
	off->stacked = STACK_UNWANTED;
	if (FIELD(task, flags) & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
		return;
	off->goroutine = goroutine_of(task, state);
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	nr = CALL_NUMBER(regs);
	if (slow_file && state->file.began && !same_file_call(&state->file, task, regs))
		file_done(&state->file, task);
	if (nr < 1024) { /* otherwise it was interrupted in user mode */
		off->syscall = nr;
		off->argument0 = CALL_0(regs);
		off->argument1 = CALL_1(regs);
		if (!off->runnable && waits_on_descriptor(nr))
			note_descriptor(state, task, off->argument0);
		else if (!off->runnable && polled(off, task, &fd))
			note_descriptor(state, task, fd);
		else if (task_bits == STATE_INTERRUPTIBLE && sleeps(nr))
			note_sleep(off, task, regs, now);
		else if (task_bits == STATE_INTERRUPTIBLE && waits_for_events(nr))
			note_limit(off, task, regs);
	}
	note_stop(off, FIELD(task, tgid));
	if (frozen)
		note_freeze(off, task);
	if (stacks_chosen && !long_wait && take_stacks && !off->runnable)
		keep_stack(ctx, off, task, now);
}

/* The first switch of a thread after a pause. The wait that was under way when it began has ended unseen, or its end
 * says nothing of its beginning. */
static __always_inline void after_pause(struct task_state *state)
{
	struct off_cpu_state *off = &state->off_cpu;

	if (off->epoch == waits_epoch)
		return;
	off->epoch = waits_epoch;
	off->left = 0;
	off->runnable = 0;
	off->switches = 0;
	off->ran = false;
	off->stacked = STACK_UNWANTED;
	state->sending.socket = 0;
	state->stall.pending = 0;
	state->stall.asleep = 0;
	state->file.began = 0;
	/* its next record says that some are missing before */
	__sync_fetch_and_add(&state->missed, 1);
}

static __always_inline bool blocked(const struct off_cpu_state *off)
{
	return off->state && off->state != PREEMPTED && off->state != STATE_NEW;
}

SEC("tp_btf/sched_switch")
int switch_task(u64 *ctx)
{
	struct task_struct *prev = (struct task_struct *)ctx[1];
	struct task_struct *next = (struct task_struct *)ctx[2];
	struct rq *queue = queue_of(next);
	struct task_state *state;
	u64 now = 0;

	if (prev->pid) {
		state = task_state(prev);
		if (state) {
			u32 bits;

			after_pause(state);

			if (ctx[0]) /* preempted, whatever its state */
				bits = PREEMPTED;
			else if (switch_tells_state)
				bits = ctx[3] & STATE_REPORTED;
			else if (bpf_core_field_exists(prev->__state))
				bits = prev->__state & STATE_REPORTED;
			else
				bits = BPF_CORE_READ((struct task_struct___state *)prev, state) & STATE_REPORTED;
			now = bpf_ktime_get_ns();
			leave(ctx, state, prev, bits, now);
		}
	}
	if (next->pid) {
		state = task_state(next);
		if (state) {
			after_pause(state);
			if (state->off_cpu.left) {
				now = now ? now : bpf_ktime_get_ns();
				woken_unseen(&state->off_cpu, next, queue, now);
				if (stacks_chosen && long_wait && take_stacks && blocked(&state->off_cpu))
					owe_stack(&state->off_cpu, next, now);
				back(state, next, now);
			}
			state->off_cpu.steal_before = stolen_so_far(queue);
			state->off_cpu.ran = true;
		}
	}
	count_slice(queue, prev, next);
	return 0;
}

/* What it waits for is not known yet, so a thread inside futex() is not known to hold what it wants. */
static __always_inline void woken_while_on_cpu(struct off_cpu_state *off)
{
	struct task_struct *task = bpf_get_current_task_btf();

	off->runnable = bpf_ktime_get_ns();
	off->woken_in = running_in();
	off->waker = 0;
	if (off->woken_in == WOKEN_BY_THREAD && CALL_NUMBER((struct pt_regs *)bpf_task_pt_regs(task)) != NR_futex)
		off->waker = FIELD(task, pid);
}

/* Not sched_wakeup: that one may run later, on the woken thread's CPU, while an unrelated task is running. */
SEC("tp_btf/sched_waking")
int BPF_PROG(wake_up, struct task_struct *task)
{
	struct task_state *state = task_state(task);

	if (!state || state->off_cpu.epoch != waits_epoch)
		return 0;
	if (!state->off_cpu.left) {
		woken_while_on_cpu(&state->off_cpu);
		note_waker(state->off_cpu.waker);
		return 0;
	}
	if (state->off_cpu.runnable)
		return 0;
	state->off_cpu.runnable = bpf_ktime_get_ns();
	state->off_cpu.woken_in = running_in();
	state->off_cpu.waker = certain_waker(&state->off_cpu);
	note_waker(state->off_cpu.waker);
	ended_by_io(state, task, state->off_cpu.runnable);
	sending_goes_on(state, task, state->off_cpu.runnable);
	return 0;
}

/* Its switch-in was not seen. */
static __always_inline bool running(struct task_struct *task)
{
	return bpf_core_field_exists(struct task_struct___scheduled, on_cpu) &&
	       MEMBER(struct task_struct___scheduled, task, on_cpu);
}

/* Lists the off-CPU intervals that have not ended, once nothing else is attached. */
SEC("iter/task")
int list_waits(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct record_off_cpu record;
	struct task_state *state;

	if (!task)
		return 0;
	state = task_state(task);
	if (!state || !state->off_cpu.left || state->off_cpu.epoch != waits_epoch || running(task))
		return 0;
	fill_off_cpu(&record, state, task, bpf_ktime_get_ns());
	record.ongoing = 1;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the runtime of Go programs does, at the places that user space has chosen in its functions (enum go_act).
 *
 * All registers are Go's: R14 is the running goroutine, or g0, the thread's own; arguments are in AX, BX, CX.
 */
#ifndef TAILCAP_BPF_GO_H
#define TAILCAP_BPF_GO_H

#include "bpf/goroutine.h"
#include "bpf/target.h"
#include "bpf/tls.h"

#define FLAG_CARRY 1
#define FLAG_ZERO 0x40

/* Whoever comes by such a place runs Go: so it is known from a process's first instruction on. */
static __always_inline void meet_process(struct task_struct *task, struct task_state *state, u32 file)
{
	struct go_process process = {.started = task->group_leader->start_time, .file = file};
	u32 tgid = task->tgid;
	struct go_process *known;

	if (state->go_file)
		return;
	known = bpf_map_lookup_elem(&go_processes, &tgid);
	if (known && known->started == process.started)
		return;
	if (!bpf_map_update_elem(&go_processes, &tgid, &process, BPF_ANY))
		__sync_fetch_and_add(&go_epoch, 1);
}

/* A new goroutine's number and its maker's, in one read: those are what costs here. */
static __always_inline bool known_parent(const struct go_layout *layout, u64 g, u64 *number, u64 *parent)
{
	u64 words[GO_PARENT_MAX + 1];
	u32 at = layout->parent;

	if (!at || at > GO_PARENT_MAX || bpf_probe_read_user(words, sizeof(words), (void *)(g + layout->number)))
		return false;
	*number = words[0];
	*parent = words[at];
	return true;
}

/* Who is no target pays for a hit, too. */
static __always_inline void count_hit(u32 file, u8 act)
{
	u32 at = file * GO_COUNTED + (act == GO_MADE ? 0 : 1);

	if ((act == GO_MADE || act == GO_HANDLER || act == GO_HANDLER_FUNCTION) && at < GO_FILES_MAX * GO_COUNTED)
		__sync_fetch_and_add(&go_hits[at], 1);
}

SEC("uprobe")
int runtime_event(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	u64 cookie, goroutine = 0, subject = 0, place = 0;
	struct go_layout *layout;
	struct record_go *record;
	u32 kind, file;
	u8 act, reason = 0;

	cookie = bpf_get_attach_cookie(ctx);
	file = GO_COOKIE_FILE(cookie);
	act = GO_COOKIE_ACT(cookie);
	count_hit(file, act);
	state = task_state(task);
	if (!state)
		return 0;
	layout = bpf_map_lookup_elem(&go_files, &file);
	if (!layout)
		return 0;
	if (cookie & GO_SKIP_BELOW_OR_EQUAL) {
		u64 flags = REGISTER(ctx, flags);

		if (flags & (FLAG_CARRY | FLAG_ZERO))
			return 0; /* the stack grows first, then the same call comes by again */
	}
	meet_process(task, state, file);
	goroutine = REGISTER(ctx, r14);
	switch (act) {
	case GO_MADE:
		kind = RECORD_GO_CREATE;
		subject = REGISTER(ctx, bx);
		if (!known_parent(layout, subject, &subject, &goroutine)) {
			subject = number_of(layout, subject);
			goroutine = served_by(layout, goroutine);
		}
		break;
	case GO_PHASE:
		kind = RECORD_GO_RUNTIME;
		if (cookie & GO_REASON)
			reason = REGISTER(ctx, ax);
		subject = number_of(layout, goroutine);
		goroutine = subject ? subject : served_by(layout, goroutine);
		subject = 0;
		break;
	case GO_ASSIST:
		kind = RECORD_GO_RUNTIME;
		subject = REGISTER(ctx, ax);
		goroutine = number_of(layout, subject);
		subject = 0;
		break;
	case GO_PARK:
		kind = RECORD_GO_STATE;
		reason = REGISTER(ctx, cx);
		goroutine = number_of(layout, goroutine);
		subject = goroutine;
		break;
	case GO_READY:
		kind = RECORD_GO_STATE;
		subject = REGISTER(ctx, ax);
		subject = number_of(layout, subject);
		place = number_of(layout, goroutine);
		goroutine = place ? place : served_by(layout, goroutine);
		place = 0;
		break;
	case GO_PREEMPTED:
	case GO_YIELDED:
	case GO_RUN:
		kind = RECORD_GO_STATE;
		if (cookie & GO_REASON) {
			place = REGISTER(ctx, bx);
			act = (u8)place ? GO_PREEMPTED : GO_YIELDED;
			place = 0;
		}
		subject = REGISTER(ctx, ax);
		subject = number_of(layout, subject);
		goroutine = act == GO_RUN ? 0 : subject;
		break;
	case GO_HANDLER:
	case GO_HANDLER_FUNCTION:
		kind = RECORD_GO_HANDLER;
		goroutine = number_of(layout, goroutine);
		place = REGISTER(ctx, ip);
		subject = place;
		if (act == GO_HANDLER_FUNCTION) {
			subject = REGISTER(ctx, ax);
			subject = user_word(subject);
		}
		break;
	case GO_ASKED:
	case GO_SENDS:
		kind = RECORD_GO_CALL;
		goroutine = number_of(layout, goroutine);
		subject = REGISTER(ctx, ax);
		break;
	case GO_QUEUES:
		kind = RECORD_GO_CALL;
		goroutine = number_of(layout, goroutine);
		subject = REGISTER(ctx, di);
		break;
	case GO_WRITES:
		kind = RECORD_GO_CALL;
		goroutine = number_of(layout, goroutine);
		subject = REGISTER(ctx, bx);
		place = (u32)user_word(subject);
		break;
	default:
		return 0;
	}
	record = reserve(sizeof(*record), kind, NULL);
	if (!record)
		return 0;
	record->h.time = bpf_ktime_get_ns();
	record->h.pid = task->tgid;
	record->h.tid = task->pid;
	record->h.kind = kind;
	record->h.missed = 0;
	record->h.length = 0;
	record->goroutine = goroutine;
	record->subject = subject;
	record->place = place;
	record->number = GO_COOKIE_NUMBER(cookie);
	record->file = file;
	record->act = act;
	record->reason = reason;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
	return 0;
}

#endif

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Events of the runtime of Go programs, at the places that user space selected in its functions (enum go_act).
 */
#include "bpf/core/thread_stack.bpf.h"
#include "bpf/go/go.bpf.h"
#include "bpf/go/stack.bpf.h"

/* Counters for each file: goroutines created, handlers entered, in all processes. User space reads them in place. */
__u64 go_hits[GO_FILES_MAX * GO_COUNTED] = {};

/* Gets the numbers of a new goroutine and its parent in one read: reads are the main cost here. */
struct made {
	u64 number, parent;
	u64 from, function;
};

static __always_inline bool known_parent(const struct go_layout *layout, u64 g, struct made *made)
{
	u64 words[GO_PARENT_MAX + 4];
	u32 at = layout->parent;

	if (!at || at > GO_PARENT_MAX || bpf_probe_read_user(words, sizeof(words), (void *)(g + layout->number)))
		return false;
	made->number = words[0];
	made->parent = words[at];
	/* g.parentGoid, gopc, ancestors, startpc; user space accepts startpc only if it begins a function */
	made->from = words[at + 1];
	made->function = words[at + 3];
	return true;
}

static __always_inline void count_go(u32 file, u32 what)
{
	u32 at = file * GO_COUNTED + what;

	barrier_var(at); /* Linux 6.1 forgets a check of a number that is stored and read again */
	if (at < GO_FILES_MAX * GO_COUNTED)
		__sync_fetch_and_add(&go_hits[at], 1);
}

/* Non-targets pay for a hit, too. */
static __always_inline void count_hit(u32 file, u8 act)
{
	if (act == GO_MADE || act == GO_HANDLER || act == GO_HANDLER_FUNCTION || act == GO_HANDLER_METHOD)
		count_go(file, act == GO_MADE ? 0 : 1);
}

/* What of a request only probes can show: programs in which much of it does keep them. */
static __always_inline void count_need(struct task_struct *task, struct go_thread_state *go, u32 file, u64 g,
				       u64 number, bool asks)
{
	struct go_key key = {.goroutine = number, .pid = task->tgid};
	bool moved = bpf_map_lookup_elem(&go_moves, &key) != NULL;
	u32 *met;

	if (!asks) {
		if (!moved)
			count_go(file, GO_COUNT_STREAMS);
		return;
	}
	/* each caller once: one that stays was made for no request */
	met = bpf_map_lookup_elem(&go_met, &key);
	if (moved || (met && *met & GO_MET_SEEN))
		return;
	count_go(file, GO_COUNT_ASKED);
	if (!(meet_goroutine(task, go, g, number) & GO_MET_PROVEN))
		count_go(file, GO_COUNT_UNPROVEN);
}

static __always_inline void fill_go(struct record_go *record, struct task_struct *task, u32 kind, u64 cookie, u64 place)
{
	fill_head(&record->h, task, kind, bpf_ktime_get_ns());
	record->subject = 0;
	record->place = place;
	record->number = GO_COOKIE_NUMBER(cookie);
	record->file = GO_COOKIE_FILE(cookie);
	record->act = GO_COOKIE_ACT(cookie);
	record->reason = 0;
	record->unused = 0;
}

static __always_inline int goroutine_made(struct pt_regs *ctx, struct task_struct *task, const struct go_layout *layout,
					  u64 cookie)
{
	struct made made = {};
	struct record_go_made *record;
	u64 g = REGISTER(ctx, GO_1), maker = REGISTER(ctx, GO_GOROUTINE), place = REGISTER(ctx, PROGRAM_COUNTER);

	if (!known_parent(layout, g, &made)) {
		made.number = number_of(layout, g);
		made.parent = served_by(layout, maker);
	}
	record = reserve(sizeof(*record), RECORD_GO_CREATE, NULL);
	if (!record)
		return 0;
	fill_go(&record->go, task, RECORD_GO_CREATE, cookie, place);
	record->go.goroutine = made.parent;
	record->go.subject = made.number;
	record->function = made.function;
	record->from = made.from;
	bpf_ringbuf_submit(record, wake_flag(record->go.h.time));
	if (layout->generation) {
		struct go_key key = {.goroutine = made.number, .pid = task->tgid};
		u32 met = GO_MET_MADE;

		bpf_map_update_elem(&go_met, &key, &met, BPF_NOEXIST);
	}
	return 0;
}

static __always_inline int goroutine_panics(struct pt_regs *ctx, struct task_struct *task,
					    const struct go_layout *layout, u64 cookie)
{
	struct record_go_panic *record;
	u64 g = REGISTER(ctx, GO_GOROUTINE), place = REGISTER(ctx, PROGRAM_COUNTER);
	u64 caller = CALLER(ctx, 0), number = number_of(layout, g);
	long got;

	if (!number)
		number = served_by(layout, g);
	record = reserve(sizeof(*record), RECORD_GO_PANIC, NULL);
	if (!record)
		return 0;
	fill_go(&record->go, task, RECORD_GO_PANIC, cookie, place);
	record->go.goroutine = number;
	record->unused = 0;
	/* At a function's beginning the frame pointer is still its caller's: the return address is where the call
	 * put it. */
	record->addresses[0] = cookie & GO_AT_CALL ? caller : 0;
	got = bpf_get_stack(ctx, &record->addresses[1], (GO_FRAMES_MAX - 1) * sizeof(u64), BPF_F_USER_STACK);
	record->frames = got > 0 ? (u32)got / sizeof(u64) + 1 : 1;
	/* written to disk at once: the process is about to end */
	bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
	return 0;
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

	KEEP_THREAD_STACK(ctx, after_probe);
	cookie = bpf_get_attach_cookie(ctx);
	file = GO_COOKIE_FILE(cookie);
	act = GO_COOKIE_ACT(cookie);
	count_hit(file, act);
	state = task_state(task);
	if (!state) {
		count_others(cookie);
		return 0;
	}
	layout = bpf_map_lookup_elem(&go_files, &file);
	if (!layout)
		return 0;
	if (grows_stack(ctx, cookie & GO_SKIP_BELOW_OR_EQUAL))
		return 0;
	meet_process(task, &state->go, file);
	goroutine = REGISTER(ctx, GO_GOROUTINE);
	switch (act) {
	case GO_MADE:
		return goroutine_made(ctx, task, layout, cookie);
	case GO_PANICS:
	case GO_FATAL:
	case GO_THROWN:
		return goroutine_panics(ctx, task, layout, cookie);
	case GO_ENDED:
		kind = RECORD_GO_EXIT;
		subject = REGISTER(ctx, GO_0);
		subject = number_of(layout, subject);
		goroutine = 0;
		break;
	case GO_PHASE:
		kind = RECORD_GO_RUNTIME;
		if (cookie & GO_REASON)
			reason = REGISTER(ctx, GO_0);
		subject = number_of(layout, goroutine);
		goroutine = subject ? subject : served_by(layout, goroutine);
		subject = 0;
		break;
	case GO_ASSIST:
		kind = RECORD_GO_RUNTIME;
		subject = REGISTER(ctx, GO_0);
		goroutine = number_of(layout, subject);
		subject = 0;
		break;
	case GO_PARK:
		kind = RECORD_GO_STATE;
		reason = REGISTER(ctx, GO_2);
		goroutine = number_of(layout, goroutine);
		subject = goroutine;
		break;
	case GO_READY:
		kind = RECORD_GO_STATE;
		subject = REGISTER(ctx, GO_0);
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
			place = REGISTER(ctx, GO_1);
			act = (u8)place ? GO_PREEMPTED : GO_YIELDED;
			place = 0;
		}
		subject = REGISTER(ctx, GO_0);
		subject = number_of(layout, subject);
		if (act == GO_PREEMPTED && layout->saved)
			goroutine_preempted(task, layout, REGISTER(ctx, GO_0), subject);
		goroutine = act == GO_RUN ? 0 : subject;
		break;
	case GO_HANDLER:
	case GO_HANDLER_FUNCTION:
	case GO_HANDLER_METHOD:
		kind = RECORD_GO_HANDLER;
		goroutine = number_of(layout, goroutine);
		count_need(task, &state->go, file, 0, goroutine, false);
		place = REGISTER(ctx, PROGRAM_COUNTER);
		subject = place;
		if (act == GO_HANDLER_FUNCTION) {
			subject = REGISTER(ctx, GO_0);
			subject = user_word(subject);
		} else if (act == GO_HANDLER_METHOD) {
			subject = REGISTER(ctx, GO_0);
		}
		break;
	case GO_ASKED:
		subject = goroutine;
		goroutine = number_of(layout, goroutine);
		state->go.file = file;
		count_need(task, &state->go, file, subject, goroutine, true);
		kind = RECORD_GO_CALL;
		subject = REGISTER(ctx, GO_0);
		break;
	case GO_SENDS:
		kind = RECORD_GO_CALL;
		goroutine = number_of(layout, goroutine);
		subject = REGISTER(ctx, GO_0);
		break;
	case GO_QUEUES:
		kind = RECORD_GO_CALL;
		subject = goroutine;
		goroutine = number_of(layout, goroutine);
		count_need(task, &state->go, file, subject, goroutine, true);
		subject = REGISTER(ctx, GO_3);
		break;
	case GO_WRITES:
		kind = RECORD_GO_CALL;
		goroutine = number_of(layout, goroutine);
		subject = REGISTER(ctx, GO_1);
		place = (u32)user_word(subject);
		break;
	default:
		return 0;
	}
	record = reserve(sizeof(*record), kind, NULL);
	if (!record)
		return 0;
	fill_go(record, task, kind, cookie, place);
	record->goroutine = goroutine;
	record->subject = subject;
	record->act = act;
	record->reason = reason;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The ends of calls that move bytes, of TLS libraries in C and of Go's crypto/tls, and the plaintext that they moved.
 *
 * Programs at user functions may be preempted, unlike those at tracepoints: they have exclusive use of per-CPU data
 * only after acquiring it (take_scratch).
 */
#include "bpf/core/thread_stack.bpf.h"
#include "bpf/net/frames.bpf.h"
#include "bpf/tls/go_way.bpf.h"

/* Acquires a scratch memory. Its number replaces the direction, which is its lowest bit; less than 2: preempted
 * programs on this CPU have them all. */
static __always_inline u32 take_scratch(u32 way)
{
	for (u32 i = 1; i <= SCRATCHES_SHARED; i++) {
		u32 key = 2 * i + way;
		struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &key);

		if (scratch && !__sync_val_compare_and_swap(&scratch->taken, 0, 1))
			return key;
	}
	return way;
}

static __always_inline void fill_plaintext(struct record_io *record, const struct tls_session *session,
					   const struct task_struct *task, u64 position, u32 length, u32 way, u64 began,
					   u8 payload)
{
	fill_head(&record->h, task, way == OUT ? RECORD_TLS_SEND : RECORD_TLS_RECEIVE, bpf_ktime_get_ns());
	record->h.length = length;
	record->socket = session->stream.cookie;
	record->position = position;
	record->began = began;
	record->syscall = NO_SYSCALL;
	record->payload = payload;
	record->flags = 0;
	record->head = 0;
	record->tail = 0;
	record->goroutine = running_goroutine();
}

/* Like emit_small() for sockets. */
static __always_inline void plaintext_small(struct tls_session *session, struct task_struct *task, u64 position,
					    u32 length, u32 way, u64 began, const struct source *from, const u32 room)
{
	struct record_io *record = reserve(sizeof(*record) + room, way == OUT ? RECORD_TLS_SEND : RECORD_TLS_RECEIVE,
					   &session->stream.missed);
	u8 *data = (u8 *)(record + 1);
	u32 size = length;

	if (!record)
		return;
	fill_plaintext(record, session, task, position, length, way, began, from->payload);
	record->h.missed = take_missed(&session->stream.missed);
	if (room) {
		barrier_var(size);
		if (size > room || bpf_probe_read_user(data, size, (void *)from->base)) {
			record->payload = PAYLOAD_FAULT;
		} else {
			record->head = size;
			keep_budget(&session->stream, way, data, size);
		}
	}
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

/* Like emit_large() for sockets. */
static __always_inline void plaintext_large(struct io_scratch *scratch, u32 number, struct tls_session *session,
					    u32 length, u32 way, const struct source *from)
{
	struct record_io *record = &scratch->record;
	u32 bytes = keep_payload(scratch, number, from, length, &session->stream);

	record->h.missed = take_missed(&session->stream.missed);
	barrier_var(bytes);
	if (bytes > HEAD_MAX + TAIL_SIZE) /* impossible; the verifier must see the check */
		bytes = 0;
	if (output(record, sizeof(*record) + bytes, wake_flag(record->h.time))) {
		count_loss(LOSS_RING_FULL, way == OUT ? RECORD_TLS_SEND : RECORD_TLS_RECEIVE);
		__sync_fetch_and_add(&session->stream.missed, record->h.missed + 1);
	}
}

/* Uses a scratch memory to follow HTTP/2 frames, or to select the bytes to keep as for sockets. False: there is no free
 * memory. */
static __always_inline bool plaintext_walked(struct tls_session *session, struct task_struct *task, u64 position,
					     u32 length, u32 way, u64 began, struct source *from)
{
	struct socket_state *stream = &session->stream;
	u32 number = take_scratch(way);
	struct io_scratch *scratch;

	scratch = bpf_map_lookup_elem(&scratches, &number);
	if (!scratch || number < 2) {
		from->payload = PAYLOAD_FAULT;
		return false;
	}
	fill_plaintext(&scratch->record, session, task, position, length, way, began, from->payload);
	if (stream->framing || !stream->direction[way & 1].begun) {
		scratch->record.h.missed = take_missed(&stream->missed);
		if (walk_frames(scratch, stream, number, position, length, from, 0))
			goto out;
		if (scratch->record.h.missed)
			__sync_fetch_and_add(&stream->missed, scratch->record.h.missed);
		fill_plaintext(&scratch->record, session, task, position, length, way, began, from->payload);
	}
	plaintext_large(scratch, number, session, length, way, from);
out:
	__sync_val_compare_and_swap(&scratch->taken, 1, 0);
	return true;
}

/* length bytes were moved from or to buffer; 0: not in a buffer of the caller. No bytes: the end of the incoming
 * stream. */
static __always_inline void emit_plaintext(struct tls_session *session, struct task_struct *task, u32 way, u64 buffer,
					   u32 length, u64 began)
{
	u64 position = __sync_fetch_and_add(&session->stream.direction[way & 1].counted, (u64)length);
	struct source from = {
		.base = buffer,
		.size = length,
		.syscall = NO_SYSCALL,
		.payload = payload_limit ? PAYLOAD_CAPTURED : PAYLOAD_OFF,
		.segments = 1,
		.whole = true,
	};

	if (payload_limit && !buffer)
		from.payload = PAYLOAD_NO_BUFFER;
	if (!length) {
		plaintext_small(session, task, position, 0, way, began, &from, 0);
		return;
	}
	if (session->stream.framing &&
	    (from.payload != PAYLOAD_CAPTURED || all_bulk(&session->stream, way, position, length))) {
		step_over(&session->stream, way, position, length);
		plaintext_small(session, task, position, length, way, began, &from, 0);
	} else if (from.payload != PAYLOAD_CAPTURED)
		plaintext_small(session, task, position, length, way, began, &from, 0);
	else if (session->stream.framing || !session->stream.direction[way & 1].begun || length > 512 ||
		 length > at_least(&session->stream, way)) {
		if (!plaintext_walked(session, task, position, length, way, began, &from))
			plaintext_small(session, task, position, length, way, began, &from, 0);
	} else if (length <= 64)
		plaintext_small(session, task, position, length, way, began, &from, 64);
	else
		plaintext_small(session, task, position, length, way, began, &from, 512);
}

/* Bytes moved, from the result; 0: none. */
static __always_inline u32 moved_by(struct task_struct *task, const struct tls_call *call, u64 result)
{
	u64 moved = result;

	if (call->library == TLS_OPENSSL && call->act != ACT_WRITE_FILE)
		moved = (s64)(s32)result;
	if ((s64)moved <= 0)
		return 0;
	if ((call->moved && bpf_probe_read_user(&moved, sizeof(moved), (void *)call->moved)) || moved > 0x7fffffff) {
		count_gap(task, call->object, way_of(call->act));
		return 0;
	}
	return moved;
}

/* False: the beginning of the call was not seen. */
static __always_inline bool call_left(struct task_struct *task, u64 cookie, u64 stack, u64 result, struct moved *moved)
{
	struct tls_thread *thread = bpf_task_storage_get(&tls_threads, task, 0, 0);
	struct tls_call *call = NULL, *around = NULL;
	u64 frame = frame_of(stack, cookie);
	u8 act = act_of(cookie);

	if (!thread || calls_are_old(thread->epoch))
		return false;
	for (u32 i = 0; i < CALLS_MAX; i++) {
		if (thread->calls[i].frame == frame && thread->calls[i].act == act) {
			call = &thread->calls[i];
			break;
		}
	}
	if (!call)
		return false;
	call->frame = 0;
	moved->object = call->object;
	moved->buffer = call->buffer;
	moved->began = call->began;
	moved->way = way_of(act);
	moved->ended = call->asked && !call->told && !(u32)result;
	moved->length = moved_by(task, call, result);
	if (call->told)
		moved->length = 0;
	if (!moved->length)
		return true;
	for (u32 i = 0; i < CALLS_MAX; i++) {
		if (thread->calls[i].frame > frame && thread->calls[i].object == call->object &&
		    way_of(thread->calls[i].act) == moved->way)
			around = &thread->calls[i];
	}
	if (around)
		around->told = 1;
	return true;
}

/* False: not a call whose entry was seen. */
static __always_inline bool goroutine_left(struct task_struct *task, u64 cookie, u64 goroutine, s64 result,
					   struct moved *moved)
{
	struct goroutine_key key = {.goroutine = goroutine, .memory = (u64)POINTER_IN(struct task_struct, task, mm)};
	struct go_calls *calls = bpf_map_lookup_elem(&go_goroutines, &key);
	struct go_stack stack;
	struct go_call call;
	u32 depth;

	if (!calls || go_calls_are_old(calls, cookie))
		return false;
	moved->way = way_of(act_of(cookie));
	/* The innermost call of this kind; a panic ended those above it. */
	depth = calls->depth;
	for (u32 i = 0; i < GO_CALLS_MAX; i++) {
		if (depth == 0 || depth > GO_CALLS_MAX)
			return false;
		depth--;
		if (depth < GO_CALLS_MAX && calls->calls[depth].way == moved->way)
			break;
		if (i + 1 == GO_CALLS_MAX)
			return false;
	}
	if (depth >= GO_CALLS_MAX)
		return false;
	call = calls->calls[depth];
	calls->depth = depth;
	if (!depth)
		bpf_map_delete_elem(&go_goroutines, &key);
	if (call.on_stack)
		call.buffer =
			bpf_probe_read_user(&stack, sizeof(stack), (void *)goroutine) ? 0 : stack.high - call.buffer;
	moved->object = call.object;
	moved->buffer = call.buffer;
	moved->began = call.began;
	moved->length = 0;
	moved->ended = false; /* 0 bytes come with any error */
	if (result > 0x7fffffff)
		count_gap(task, call.object, moved->way);
	else if (result > 0)
		moved->length = result;
	return true;
}

/* One program for C and Go: most of it is the same. */
SEC("uprobe")
int tls_return(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 cookie, result, stack, goroutine;
	struct tls_session *session;
	struct moved moved;
	u8 library;

	KEEP_THREAD_STACK(ctx, after_probe);
	cookie = bpf_get_attach_cookie(ctx);
	library = library_of(cookie);
	if (library == TLS_GO && !task_state(task)) /* of the others, only targets have calls */
		return 0;
	result = REGISTER(ctx, RESULT);
	stack = REGISTER(ctx, STACK_POINTER);
	goroutine = REGISTER(ctx, GO_GOROUTINE);
	if (library == TLS_GO ? !goroutine_left(task, cookie, goroutine, result, &moved)
			      : !call_left(task, cookie, stack, result, &moved))
		return 0;
	/* Event loops usually call without effect. */
	if (!moved.length && !moved.ended)
		return 0;
	if (tls_auto && cookie & TLS_BY_KEYS && !taken_by_probes(moved.object, cookie))
		return 0;
	session = session_of(task, moved.object, library, moved.began);
	if (!session)
		return 0;
	if (!session_left_out(&session->stream))
		emit_plaintext(session, task, moved.way, moved.buffer, moved.length, moved.began);
	return 0;
}

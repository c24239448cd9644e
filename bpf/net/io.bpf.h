/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sends and receives: which bytes are kept, and the record. The programs are in socket_io.bpf.c and syscall_io.bpf.c.
 */
#ifndef TAILCAP_BPF_NET_IO_H
#define TAILCAP_BPF_NET_IO_H

#include "bpf/core/goroutine.bpf.h"
#include "bpf/net/frames.bpf.h"
#include "bpf/net/socket.bpf.h"
#include <bpf/bpf_tracing.h>

/* No bytes were moved and there is no error: the caller will try again. */
static __always_inline bool try_again(int ret)
{
	return ret == -EAGAIN || ret == -EINTR || ret == -EINPROGRESS || ret == -EALREADY ||
	       (ret <= -ERESTARTSYS && ret >= -ERESTART_LAST);
}

/* A send that may not wait found no room, for all of its bytes or for some. */
static __always_inline void emit_full(const struct task_struct *task, u64 cookie)
{
	struct record_stall *record = reserve(sizeof(*record), RECORD_STALL, NULL);

	if (!record)
		return;
	fill_head(&record->h, task, RECORD_STALL, bpf_ktime_get_ns());
	record->began = record->h.time;
	record->where = cookie;
	record->detail = 0;
	record->what = STALL_SEND_FULL;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

/* The last of ret sent bytes is urgent data: it has a place in the stream, but peers do not read it in line. */
static __always_inline u32 urgent_byte(int ret, u32 flags)
{
	return ret > 0 && flags & MSG_OOB;
}

static __always_inline void fill_io(struct record_io *record, const struct socket_state *state,
				    const struct task_struct *task, u64 position, int ret, u32 way, u16 syscall)
{
	/* before the time is taken: its creation comes first */
	record->goroutine = ret > 0 ? moving_goroutine(way != OUT) : running_goroutine();
	fill_head(&record->h, task, way == OUT ? RECORD_SEND : RECORD_RECEIVE, bpf_ktime_get_ns());
	record->h.length = ret > 0 ? ret : 0;
	record->socket = state->cookie;
	record->position = position;
	record->error = ret < 0 ? -ret : 0;
	record->syscall = syscall;
	record->flags = 0;
	record->head = 0;
	record->tail = 0;
	record->unused = 0;
}

/* The usual cases, which need no scratch memory: one piece that is kept whole, or nothing to keep. room is a constant,
 * so ring records have few sizes. */
static __always_inline void emit_small(struct socket_state *state, struct task_struct *task, u64 position, int ret,
				       u32 way, const struct source *from, const u32 room)
{
	struct record_io *record =
		reserve(sizeof(*record) + room, way == OUT ? RECORD_SEND : RECORD_RECEIVE, &state->missed);
	u8 *data = (u8 *)(record + 1);
	u32 length = ret;

	if (!record)
		return;
	fill_io(record, state, task, position, ret, way, from->syscall);
	record->h.missed = take_missed(&state->missed);
	record->payload = from->payload;
	if (room) {
		barrier_var(length);
		if (length > room || bpf_probe_read_user(data, length, (void *)from->base)) {
			record->payload = PAYLOAD_FAULT;
		} else {
			record->head = length;
			keep_budget(state, way, data, length);
		}
	}
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

/* All other cases: several pieces, or more bytes than are always kept. */
static __always_inline void emit_large(struct socket_state *state, struct task_struct *task, u64 position, int ret,
				       u32 way, const struct source *from)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct record_io *record;
	u32 bytes;
	u64 flags;

	if (!scratch)
		return;
	record = &scratch->record;
	fill_io(record, state, task, position, ret, way, from->syscall);
	bytes = keep_payload(scratch, way, from, record->h.length, state);
	record->h.missed = take_missed(&state->missed);
	flags = wake_flag(record->h.time);
	barrier_var(bytes);
	if (bytes > HEAD_MAX + TAIL_SIZE) /* impossible; the verifier must see the check */
		bytes = 0;
	if (output(record, sizeof(*record) + bytes, flags)) {
		count_loss(LOSS_RING_FULL, way == OUT ? RECORD_SEND : RECORD_RECEIVE);
		__sync_fetch_and_add(&state->missed, record->h.missed + 1);
	}
}

/* Emits an I/O of a connection with known frames. False: the frames of this I/O cannot be followed. */
static __always_inline bool emit_frames(struct socket_state *state, struct task_struct *task, u64 position, int ret,
					u32 way, const struct source *from)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct record_io *record;

	if (!scratch)
		return true;
	record = &scratch->record;
	fill_io(record, state, task, position, ret, way, from->syscall);
	record->payload = from->payload;
	record->h.missed = take_missed(&state->missed);
	if (walk_frames(scratch, state, way, position, ret, from, 0))
		return true;
	if (record->h.missed)
		__sync_fetch_and_add(&state->missed, record->h.missed);
	return false;
}

/* An I/O that is one TLS record, or the rest of one, of which all is kept: the usual case where user space decrypts,
 * and a walk costs twice as much. False: it is another one, or there is no room; nothing was done. room is a constant.
 */
static __always_inline bool emit_record(struct socket_state *state, struct task_struct *task, u64 position, int ret,
					u32 way, const struct source *from, const u32 room)
{
	struct frame_state *frames = &state->direction[way & 1].frames;
	struct record_io *record;
	u32 length = ret, size;
	u8 *data;

	if (!frames->synced || frames->have || frames->tail || frames->next != (u32)position)
		return false;
	if (frames->left ? frames->left != length || frames->keep != length : length <= TLS_HEADER)
		return false;
	record = find_room(sizeof(*record) + room);
	if (!record)
		return false;
	data = (u8 *)(record + 1);
	/* A value of its own, used at once: Linux 6.1 forgets a check when a register is stored and read again. */
	size = length;
	barrier_var(size);
	if (size > room || bpf_probe_read_user(data, size, (void *)from->base) ||
	    (!frames->left && !one_record(data, length))) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		return false;
	}
	fill_io(record, state, task, position, ret, way, from->syscall);
	record->payload = from->payload;
	record->head = length;
	record->h.missed = take_missed(&state->missed);
	frames->left = frames->keep = 0;
	frames->next = (u32)position + length;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
	return true;
}

static __always_inline bool emit_one_record(struct socket_state *state, struct task_struct *task, u64 position, int ret,
					    u32 way, const struct source *from)
{
	if (from->segments != 1 || state->framing != FRAMING_TLS)
		return false;
	if (ret <= 256)
		return emit_record(state, task, position, ret, way, from, 256);
	if (ret <= 640)
		return emit_record(state, task, position, ret, way, from, 640);
	return ret <= 1280 && emit_record(state, task, position, ret, way, from, 1280);
}

/* In io_uring's own system call, or in one of its threads: the location of the bytes is not known here. */
static __always_inline bool by_uring(const struct task_struct *task, const struct pt_regs *regs)
{
	return task->flags & PF_IO_WORKER || CALL_NUMBER(regs) == NR_io_uring_enter;
}

/* instead: why the caller's buffer does not hold the bytes on the wire; 0: it does. */
static __always_inline void emit_io(struct socket_state *state, struct task_struct *task, const struct pt_regs *regs,
				    u64 position, int ret, u32 way, u8 instead)
{
	struct source from;
	bool bulk = false;

	find_source(way, task, regs, !payload_limit || ret <= 0, &from);
	if (instead && from.payload == PAYLOAD_CAPTURED)
		from.payload = instead;
	if (from.payload == PAYLOAD_NO_BUFFER && ret > 0 && by_uring(task, regs)) {
		count_unrecorded(task->tgid, UNRECORDED_URING, ret, !state->uring);
		state->uring = true;
	}
	if (!payload_limit)
		from.payload = PAYLOAD_OFF;
	if (tls_by_keys && from.payload == PAYLOAD_CAPTURED && ret > 0 &&
	    emit_one_record(state, task, position, ret, way, &from))
		return;
	if (from.payload == PAYLOAD_CAPTURED && ret > 0 && all_bulk(state, way, position, ret))
		bulk = true;
	else if (from.payload == PAYLOAD_CAPTURED && ret > 0 &&
		 (has_frames(state->framing) || !state->direction[way].begun) &&
		 emit_frames(state, task, position, ret, way, &from))
		return;
	if (has_frames(state->framing) && ret > 0 && (bulk || from.payload != PAYLOAD_CAPTURED))
		step_over(state, way, position, ret);
	if (bulk || from.payload != PAYLOAD_CAPTURED || ret <= 0)
		emit_small(state, task, position, ret, way, &from, 0);
	else if (from.segments != 1 || (u32)ret > at_least(state, way))
		emit_large(state, task, position, ret, way, &from);
	else if (ret <= 64)
		emit_small(state, task, position, ret, way, &from, 64);
	else if (ret <= 256)
		emit_small(state, task, position, ret, way, &from, 256);
	else if (ret <= 512)
		emit_small(state, task, position, ret, way, &from, 512);
	else
		emit_large(state, task, position, ret, way, &from);
}

#endif

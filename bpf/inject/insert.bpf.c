// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Ids are added to what a followed connection sends.
 */
#include "bpf/inject/ids.bpf.h"
#include "bpf/inject/socket.bpf.h"
#include "bpf/inject/walk.bpf.h"

struct followed_map followed SEC(".maps");
struct sockets_map sockets SEC(".maps");
struct counts_map counts SEC(".maps");
struct alone_map alone SEC(".maps");

const volatile __u64 machine_salt = 0;
const volatile __u8 trace_flags = 1;

#define JOINED_MOST 65536 /* bytes */

void *bpf_cast_to_kern_ctx(void *) __ksym;

/* From the last request of the send to the first: a place in the first piece of the kernel's memory stays one.
 * (Before 6.18.x, the kernel damages a later piece that it cuts.) */
static long insert_step(u32 i, void *context)
{
	struct walk *walk = context;
	struct followed *connection = walk->connection;
	struct scan *s = &connection->scan;
	struct sk_msg_md *msg = walk->msg;
	u32 n = s->cuts - 1 - i, at;
	struct ids ids;
	u8 *data, *end;

	if (n >= CUTS_MOST)
		return 1;
	at = s->cut[n];
	if (bpf_msg_push_data(msg, at, ADDED_BYTES, 0)) {
		s->reason = LEFT_REFUSED;
		return 1;
	}
	if (!bpf_msg_pull_data(msg, at, at + ADDED_BYTES, 0)) {
		data = msg->data;
		end = msg->data_end;
		if (data + ADDED_BYTES <= end) {
			make_ids(&ids, connection->cookie, s->number[n]);
			write_lines(data, &ids);
			count_request(s, COUNT_GIVEN);
			return 0;
		}
	}
	s->reason = LEFT_REFUSED;
	bpf_msg_pop_data(msg, at, ADDED_BYTES, 0);
	return 1;
}

/* What the kernel took of the last send. After one that it took in part it does not show the program the next: within a
 * body they are body, whatever they hold. Returns why the connection is left alone; 0: it is not. */
static __always_inline u32 settle(struct followed *connection, u32 write_seq)
{
	struct place *now = &connection->now;
	u32 missing = connection->next - write_seq, more = 0u - missing;

	if (!missing)
		return 0;
	if (write_seq == connection->begun) { /* nothing */
		*now = connection->then;
#pragma unroll
		for (u32 kind = COUNT_GIVEN; kind < LEFT_FIRST; kind++)
			if (connection->scan.counted[kind])
				count(kind, -(s64)connection->scan.counted[kind]);
		return 0;
	}
	if (missing <= connection->next - connection->begun) {
		if (missing > connection->next - connection->plain_from)
			return LEFT_PARTLY;
		if (now->phase == AT_BORDER)
			now->phase = IN_BODY;
		else if (now->phase == AT_CHUNK_CR)
			now->phase = IN_CHUNK;
		now->left += missing;
		return 0;
	}
	if ((now->phase != IN_BODY && now->phase != IN_CHUNK) || more > now->left)
		return LEFT_UNSEEN;
	now->left -= more;
	if (!now->left)
		now->phase = now->phase == IN_BODY ? AT_BORDER : AT_CHUNK_CR;
	return 0;
}

/* Pieces of the kernel's memory in the send. */
static __always_inline u32 pieces_of(struct sk_msg_md *msg)
{
	struct sk_msg *whole = bpf_cast_to_kern_ctx(msg);
	u32 start = whole->sg.start, end = whole->sg.end;

	return end >= start ? end - start : MOST_PIECES;
}

/* The kernel sends each piece by itself, and Nagle's algorithm would hold back the second until the first is confirmed.
 * So the first bytes of a send are put into one piece, as they would be in a plain socket. */
static __always_inline void join_pieces(struct sk_msg_md *msg, u32 bytes)
{
	if (bytes <= JOINED_MOST && (u32)((u64)msg->data_end - (u64)msg->data) < bytes)
		bpf_msg_pull_data(msg, 0, bytes, 0);
}

static __always_inline u32 not_added(struct scan *s, u32 kind)
{
	u32 n = s->cuts;

	s->counted[kind] += n;
	count(kind, n);
	s->cuts = 0;
	return 0;
}

static long remove_step(u32 i, void *context)
{
	struct walk *walk = context;
	struct scan *s = &walk->connection->scan;
	u32 n = s->cuts - 1 - i;

	if (n >= CUTS_MOST)
		return 1;
	if (bpf_msg_pop_data(walk->msg, s->cut[n] + n * ADDED_BYTES, ADDED_BYTES, 0))
		s->reason = LEFT_REFUSED;
	return 0;
}

/* False: the send must fail, since the kernel neither puts it together nor takes it apart. */
static __always_inline bool add_lines(struct walk *walk, struct tcp_sock *tp, u32 n)
{
	struct scan *s = &walk->connection->scan;
	struct sk_msg_md *msg = walk->msg;
	u32 last = s->last_cut + n * ADDED_BYTES;
	u32 first = s->first_end + n * ADDED_BYTES, given;

	if (first > JOINED_MOST || pieces_of(msg) + 2 * n >= MOST_PIECES)
		return !not_added(s, COUNT_PIECES);
	if (!has_room(tp, last, 1))
		return !not_added(s, COUNT_ROOM);
	bpf_loop(CUTS_MOST, insert_step, walk, 0);
	if (s->reason == LEFT_REFUSED)
		return true;
	join_pieces(msg, first);
	if ((u32)((u64)msg->data_end - (u64)msg->data) >= first || has_room(tp, last, 1 + 2 * n))
		return true;
	/* No memory to put it into one piece. */
	given = s->counted[COUNT_GIVEN];
	s->counted[COUNT_GIVEN] = 0;
	count(COUNT_GIVEN, -(s64)given);
	bpf_loop(CUTS_MOST, remove_step, walk, 0);
	not_added(s, COUNT_ROOM);
	return msg->size == s->size;
}

SEC("sk_msg")
int insert_ids(struct sk_msg_md *msg)
{
	struct bpf_sock *sk = msg->sk;
	struct followed *connection;
	struct tcp_sock *tp;
	struct walk walk;
	struct scan *s;
	u32 reason = 0, n;

	if (!sk)
		return SK_PASS;
	connection = bpf_sk_storage_get(&followed, sk, 0, 0);
	if (!connection || connection->alone)
		return SK_PASS;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return SK_PASS;
	if (connection->process != bpf_get_current_pid_tgid() >> 32)
		reason = LEFT_PROCESS;
	else if (tp->inet_conn.icsk_ulp_ops || ((struct sock *)tp)->__sk_common.skc_flags &
						       (1UL << bpf_core_enum_value(enum sock_flags, SOCK_ZEROCOPY)))
		reason = LEFT_TAKEN;
	else
		reason = settle(connection, tp->write_seq);
	if (!reason && msg->size > JOINED_MOST && !has_nodelay(tp))
		reason = LEFT_NAGLE;
	if (reason) {
		leave_alone(connection, reason);
		return SK_PASS;
	}
	s = &connection->scan;
	__builtin_memset(s, 0, sizeof(*s));
	s->size = msg->size;
	if (connection->now.phase == AT_BORDER || !has_nodelay(tp))
		join_pieces(msg, s->size);
	s->first_end = (u8 *)msg->data_end - (u8 *)msg->data;
	connection->then = connection->now;
	connection->begun = tp->write_seq;
	walk.msg = msg;
	walk.connection = connection;
	bpf_loop(STEPS_MOST, walk_step, &walk, 0);
	if (!s->reason && s->position < s->size)
		s->reason = LEFT_WORK;
	if (!s->reason && connection->now.phase >= BETWEEN_SENDS)
		s->reason = s->position - s->head >= HEAD_MOST ? LEFT_LONG : LEFT_SPLIT;
	n = s->cuts;
	if (!s->reason && s->plain_from && !fits(tp, s->plain_from + n * ADDED_BYTES, pieces_of(msg) == 1))
		s->reason = LEFT_PARTLY;
	if (n && n <= CUTS_MOST && !add_lines(&walk, tp, n))
		return SK_DROP;
	connection->next = connection->begun + msg->size;
	connection->plain_from = connection->next - (s->size - s->plain_from);
	if (s->reason)
		leave_alone(connection, s->reason);
	return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

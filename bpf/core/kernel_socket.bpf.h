/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Part of kernel.bpf.h: types of sockets.
 */
#ifndef TAILCAP_BPF_CORE_KERNEL_SOCKET_H
#define TAILCAP_BPF_CORE_KERNEL_SOCKET_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	u8 bytes[16];
};

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport; /* network order */
	u16 skc_num;   /* host order */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	struct {
		s64 counter;
	} skc_cookie;
	unsigned long skc_flags;
};

struct sock;

struct socket {
	short type;
	unsigned long flags;
	struct file *file;
	struct sock *sk;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct net_device {
	int ifindex;
};

struct dst_entry { /* a route */
	struct net_device *dev;
};

struct upid {
	int nr;
};

struct pid {
	struct {
		void *first;
	} tasks[2]; /* that have this number as a thread, as a process */
	struct upid numbers[1];
};

struct sock {
	struct sock_common __sk_common;
	struct dst_entry *sk_dst_cache; /* the route of the last packet; null: none yet, or it is no longer valid */
	int sk_err;
	struct socket *sk_socket;
	struct pid *sk_peer_pid; /* UNIX: who connected, or who listens */
	u16 sk_protocol;
	u16 sk_type;
	u8 sk_shutdown;
	u32 sk_ack_backlog;     /* of a listener: connections that are not accepted, … */
	u32 sk_max_ack_backlog; /* … how many it takes before it is full, … */
	struct {
		int counter;
	} sk_drops; /* … and attempts that it dropped */
};

struct inet_sock {
	__be16 inet_sport;
};

struct inet_connection_sock {
	const void *icsk_ulp_ops;
	u32 icsk_pmtu_cookie; /* the MTU of the path */
};

struct minmax_sample {
	u32 t;
	u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 write_seq;
	u32 snd_nxt;
	u16 tcp_header_len; /* with options */
	u32 snd_una;
	u32 snd_sml; /* the end of the last segment that was not full */
	u32 snd_wnd; /* the peer's window */
	u32 snd_cwnd;
	u32 packets_out; /* segments that are not acknowledged */
	u32 mss_cache;
	u8 nonagle : 4;
	u32 copied_seq;
	u32 rcv_nxt;
	u8 chrono_type : 2;    /* the reason that it cannot send, … */
	u32 chrono_start;      /* … since when, … */
	bool is_mptcp;         /* a subflow; missing in kernels without MPTCP */
	u32 chrono_stat[3];    /* … and the total before, by reason; ticks */
	struct minmax rtt_min; /* the least round-trip time of some minutes, us */
	u32 srtt_us;           /* smoothed round-trip time, in eighths of a microsecond */
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

#pragma clang attribute pop

#define TCP_HEADER_LENGTH 20 /* without options; sk_buff::len includes it where a segment arrives */

#endif

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The few kernel types that the programs look into, with only the fields they read. Offsets are relocated when
 * the object is loaded, against the running kernel's BTF; a field that some kernels lack is guarded where it is used.
 */
#ifndef TAILCAP_BPF_CORE_KERNEL_H
#define TAILCAP_BPF_CORE_KERNEL_H

#include <linux/bpf.h>
#include <stdbool.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#include "bpf/core/kernel_file.bpf.h"
#include "bpf/core/kernel_socket.bpf.h"

#include "bpf/core/registers.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sk_buff {
	unsigned int len;
	unsigned char *head;
	u16 protocol; /* network order */
	u16 transport_header;
	u16 network_header;
	char cb[48];
};

struct tcphdr {
	u16 source;
	u16 dest;
	u32 seq;
	u32 ack_seq;
};

struct tcp_skb_cb {
	u32 seq;
	u32 end_seq;
	u32 ack_seq;
	u16 tcp_gso_segs; /* packets that it is sent as, … */
	u16 tcp_gso_size; /* … and the payload of each but the last */
	u8 tcp_flags;     /* wider in newer kernels; the FIN is in the low byte */
};

struct kernfs_node {
	u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct mm_struct;

struct block_device {
	u32 bd_dev;
};

struct bvec_iter {
	unsigned int bi_size;
};

struct bio {
	struct bio *bi_next;
	struct block_device *bi_bdev; /* since 5.12 */
	struct bvec_iter bi_iter;
	void *bi_private;
};

struct request {
	struct bio *bio;
	struct block_device *part;
	unsigned short stats_sectors;
};

/* A kernel thread, and the queue that its present work is from if it is a worker. */
struct kthread {
	void *data;
};

struct workqueue_struct {
	char name[24];
};

struct pool_workqueue {
	struct workqueue_struct *wq;
};

struct worker {
	struct pool_workqueue *current_pwq;
};

struct kernel_siginfo {
	int si_code;
};

struct compact_control {
	int order;
};

struct irq_stack {
	char stack[1];
};

struct task_struct {
	void *stack;
	struct thread_info thread_info;
	unsigned int __state;
	unsigned int flags;
	u32 pid; /* signed in the kernel, never negative */
	u32 tgid;
	u64 start_time;
	unsigned long nvcsw;  /* voluntary switch-outs */
	unsigned long nivcsw; /* involuntary switch-outs */
	struct task_io_accounting ioac;
	int exit_code;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	char comm[16];
	struct files_struct *files;
	struct css_set *cgroups;
	void *worker_private;    /* since 5.17: of a kernel thread, its struct kthread */
	bool throttled;          /* since 6.18: by its cgroup's CPU quota */
	unsigned int frozen : 1; /* by its cgroup of the unified hierarchy */
	struct thread_struct thread;
};

/* Before 5.14. */
struct task_struct___state {
	long state;
};

struct linux_binprm {
	const char *filename;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

#pragma clang attribute pop

/* User memory, so never relocated: the layout is the system call ABI. */
struct user_iovec {
	u64 base;
	u64 length;
};

struct user_msghdr {
	u64 name;
	u32 name_length;
	u32 pad;
	u64 iov;
	u64 iov_length;
	u64 control;
	u64 control_length;
	u32 flags;
	u32 pad2;
};

/* Only one unit, the first that is linked (core/kernel.bpf.c), puts kernel functions into .ksyms: libbpf 1.1 refuses to
 * link a second one that does ("failed to resolve size of underlying type"), or a first one that does not. */
#ifndef KERNEL_FUNCTION
#define KERNEL_FUNCTION __attribute__((weak))
#endif

/* Since 6.2; allows plain loads where a probe read would cost 34 ns. */
#ifdef OLDER_KERNEL
#define bpf_rdonly_cast ((void *(*)(void *, u32))0)
#else
extern void *bpf_rdonly_cast(void *object, u32 type) KERNEL_FUNCTION;
/* Since 6.10. */
extern void bpf_preempt_disable(void) KERNEL_FUNCTION;
extern void bpf_preempt_enable(void) KERNEL_FUNCTION;
#endif

/* Reads a member of an object at an address, of a type that the verifier does not know. */
#define MEMBER(type, address, member)                                                                       \
	({                                                                                                  \
		type *_object = (void *)(address);                                                          \
		typeof(_object->member) _value;                                                             \
		if (bpf_rdonly_cast)                                                                        \
			_value = ((type *)bpf_rdonly_cast(_object, bpf_core_type_id_kernel(type)))->member; \
		else                                                                                        \
			_value = BPF_CORE_READ(_object, member);                                            \
		_value;                                                                                     \
	})

/* Reads a pointer in an object that the verifier knows. From 6.3 on, a plain load of one makes the verifier search all
 * types of the kernel by name, several times: a millisecond on every path that it follows. A cast object is not
 * looked up. */
#ifdef OLDER_KERNEL
#define POINTER_IN(type, object, member) BPF_CORE_READ((type *)(object), member)
#else
#define POINTER_IN(type, object, member)                                                                               \
	({                                                                                                             \
		typeof(((type *)0)->member) _pointer;                                                                  \
		if (bpf_rdonly_cast)                                                                                   \
			_pointer = ((type *)bpf_rdonly_cast((void *)(object), bpf_core_type_id_kernel(type)))->member; \
		else                                                                                                   \
			_pointer = (object)->member;                                                                   \
		_pointer;                                                                                              \
	})
#endif

#include "bpf/core/older.bpf.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_VSOCK 40
#define AF_SMC 43
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_SCTP 132
#define IPPROTO_MPTCP 262
#define PORT_DNS 53

#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_FIN_WAIT2 5
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10
#define TCP_CLOSING 11

#define TCP_FIN 1

#define TCP_NAGLE_OFF 1  /* bits of tcp_sock::nonagle */
#define TCP_NAGLE_CORK 2 /* the program asked that small segments wait */

#define SOCK_NOSPACE_BIT 2 /* struct socket, flags: a send found no room, and none has come since */
#define SOCK_DONE_BIT 1    /* enum sock_flags: the peer's FIN was received */
#define RCV_SHUTDOWN 1

#define MSG_OOB 1
#define MSG_PEEK 2
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000

#define EINTR 4
#define EAGAIN 11
#define EALREADY 114
#define EINPROGRESS 115
#define ERESTARTSYS 512
#define ERESTART_LAST 516

#define PF_EXITING 0x00000004
#define PF_IO_WORKER 0x00000010
#define PF_WQ_WORKER 0x00000020
#define PF_USER_WORKER 0x00004000
#define PF_KTHREAD 0x00200000

/* Bits of a CPU's count of the interrupts that it is in. Linux 7 has eight bits more before the last ones, for how
 * often interrupts were disabled. */
#define SOFTIRQ_SERVED 0x100
#define HARDIRQ_OR_NMI (counts_disabled_interrupts ? 0x7f000000 : 0xff0000)

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000

/* System call numbers, as CALL_NUMBER gives them. */
#define NR_read 0
#define NR_write 1
#define NR_readv 19
#define NR_writev 20
#define NR_accept 43
#define NR_execve 59
#define NR_execveat 322
#define NR_sendto 44
#define NR_recvfrom 45
#define NR_sendmsg 46
#define NR_recvmsg 47
#define NR_sendfile 40
#define NR_splice 275
#define NR_accept4 288
#define NR_recvmmsg 299
#define NR_sendmmsg 307
#define NR_io_uring_enter 426

#endif

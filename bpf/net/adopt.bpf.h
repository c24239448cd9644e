/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sockets that tasks hold, where the verifier trusts no pointer to a socket that comes from a task's file: their state
 * is read, but not made or removed. That is done by iterators over sockets, which note nothing of tasks (adopt.bpf.c).
 */
#ifndef TAILCAP_BPF_NET_ADOPT_H
#define TAILCAP_BPF_NET_ADOPT_H

#include "bpf/net/socket.bpf.h"

/* What an iterator over sockets is to do with one. */
#define SOCKET_ADOPTED 1 /* a target holds it, or it is on a selected port */
#define SOCKET_KEPT 2    /* a target still holds it */
#define SOCKET_REMOVED 4 /* one that ends to be a target holds it */

#define NOTED_SOCKETS_MAX 262144
#define NOTED_NAMESPACES_MAX 1024

/* By address; user space empties it. */
struct noted_sockets {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NOTED_SOCKETS_MAX);
	__type(key, u64);
	__type(value, u32);
};

/* The network namespaces of those sockets, each with a process that holds one. */
struct noted_namespaces {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NOTED_NAMESPACES_MAX);
	__type(key, u32);
	__type(value, u32);
};

struct state_copies {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct socket_state);
};

extern struct noted_sockets noted_sockets SEC(".maps");
extern struct noted_namespaces noted_namespaces SEC(".maps");
extern struct state_copies state_copies SEC(".maps");

#ifndef OLDER_KERNEL

#define STORAGES_MAX 16 /* a socket's, of all programs on this machine that keep something there */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct bpf_local_storage_data {
	void *smap; /* begins with the map */
	u8 data[8];
};

struct bpf_local_storage_elem {
	struct hlist_node snode;
	struct bpf_local_storage_data sdata;
};

struct bpf_local_storage {
	struct hlist_head list;
};

struct sock___storing {
	struct bpf_local_storage *sk_bpf_storage;
};

#pragma clang attribute pop

/* As it was a moment ago; NULL: it has none. self differs from the socket's address where that is still its listener's.
 */
static __always_inline struct socket_state *copy_of_state(const struct sock *sk)
{
	struct bpf_local_storage *storage = MEMBER(struct sock___storing, sk, sk_bpf_storage);
	struct bpf_local_storage_elem *element;
	struct socket_state *copy;
	struct hlist_node *node;
	u32 zero = 0;

	copy = bpf_map_lookup_elem(&state_copies, &zero);
	if (!storage || !copy)
		return NULL;
	node = MEMBER(struct bpf_local_storage, storage, list.first);
	for (int i = 0; i < STORAGES_MAX && node; i++) {
		element = (void *)node - bpf_core_field_offset(struct bpf_local_storage_elem, snode);
		if (MEMBER(struct bpf_local_storage_elem, element, sdata.smap) == (void *)&sockets)
			return bpf_probe_read_kernel(copy, sizeof(*copy), element->sdata.data) ? NULL : copy;
		node = MEMBER(struct hlist_node, node, next);
	}
	return NULL;
}

/* Where there is no room, the socket stays as it is. */
static __always_inline void note_socket(const struct sock *sk, const struct task_struct *task, u32 flags)
{
	u64 key = (u64)sk;
	u32 *known = bpf_map_lookup_elem(&noted_sockets, &key), namespace, pid = FIELD(task, tgid);

	if (known) {
		*known |= flags;
		return;
	}
	bpf_map_update_elem(&noted_sockets, &key, &flags, BPF_ANY);
	namespace = namespace_of(sk);
	bpf_map_update_elem(&noted_namespaces, &namespace, &pid, BPF_NOEXIST);
}

#endif
#endif

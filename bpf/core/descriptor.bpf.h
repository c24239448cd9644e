/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Finds the object that a descriptor refers to, by reading kernel memory.
 */
#ifndef TAILCAP_BPF_CORE_DESCRIPTOR_H
#define TAILCAP_BPF_CORE_DESCRIPTOR_H

#include "bpf/core/kernel.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* The numbers of formats::FileKind. */
enum file_kind {
	FILE_UNKNOWN = 0,
	FILE_SOCKET = 1,
	FILE_PIPE = 2,
	FILE_EVENTFD = 3,
	FILE_EPOLL = 4,
	FILE_REGULAR = 5,
	FILE_DIRECTORY = 6,
	FILE_TERMINAL = 7,
	FILE_TIMERFD = 8,
	FILE_SIGNALFD = 9,
	FILE_INOTIFY = 10,
	FILE_OTHER = 11,
	FILE_LOG = 12,
};

#define ANON_INODE_FS_MAGIC 0x09041934

#define NAME_WORD(a, b, c, d, e, f, g, h)                                                               \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 | (u64)(f) << 40 | \
	 (u64)(g) << 48 | (u64)(h) << 56)

#define MINOR_BITS 20
#define TTY_MAJOR 4
#define TTYAUX_MAJOR 5
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST 143

/* task: trusted, so that most steps are plain loads. */
static __always_inline struct file *file_of(struct task_struct *task, u32 fd)
{
	struct files_struct *files = POINTER_IN(struct task_struct, task, files);
	struct file *file = NULL;
	struct fdtable *table;

	if (!files)
		return NULL;
	table = FIELD(files, fdt);
	if (!table || fd >= FIELD(table, max_fds))
		return NULL;
	if (bpf_probe_read_kernel(&file, sizeof(file), FIELD(table, fd) + fd))
		return NULL;
	return file;
}

static __always_inline struct sock *sock_of(struct file *file)
{
	struct socket *socket = MEMBER(struct file, file, private_data);

	return MEMBER(struct socket, socket, sk);
}

/* The kernel's files that are in no directory have a name all the same, which says what they are. Their inode is
 * without a type, or since 6.16 with that of a regular file. */
static __always_inline enum file_kind kind_of_unlisted(struct file *file, struct inode *inode, enum file_kind otherwise)
{
	struct super_block *super = MEMBER(struct inode, inode, i_sb);
	struct dentry *entry;
	u64 name = 0;

	if (MEMBER(struct super_block, super, s_magic) != ANON_INODE_FS_MAGIC)
		return otherwise;
	entry = MEMBER(struct file, file, f_path.dentry);
	bpf_probe_read_kernel(&name, sizeof(name), MEMBER(struct dentry, entry, d_name.name));
	switch (name) {
	case NAME_WORD('[', 'e', 'v', 'e', 'n', 't', 'f', 'd'):
		return FILE_EVENTFD;
	case NAME_WORD('[', 'e', 'v', 'e', 'n', 't', 'p', 'o'):
		return FILE_EPOLL;
	case NAME_WORD('[', 't', 'i', 'm', 'e', 'r', 'f', 'd'):
		return FILE_TIMERFD;
	case NAME_WORD('[', 's', 'i', 'g', 'n', 'a', 'l', 'f'):
		return FILE_SIGNALFD;
	case NAME_WORD('i', 'n', 'o', 't', 'i', 'f', 'y', 0):
		return FILE_INOTIFY;
	}
	return FILE_OTHER;
}

static __always_inline enum file_kind kind_of_file(struct file *file)
{
	struct inode *inode = MEMBER(struct file, file, f_inode);
	u32 major;

	switch (MEMBER(struct inode, inode, i_mode) & S_IFMT) {
	case S_IFSOCK:
		return FILE_SOCKET;
	case S_IFIFO:
		return FILE_PIPE;
	case S_IFREG:
		return kind_of_unlisted(file, inode, FILE_REGULAR);
	case S_IFDIR:
		return FILE_DIRECTORY;
	case S_IFCHR:
		major = BPF_CORE_READ(inode, i_rdev) >> MINOR_BITS;
		return major == TTY_MAJOR || major == TTYAUX_MAJOR ||
				       (major >= PTS_MAJOR_FIRST && major <= PTS_MAJOR_LAST)
			       ? FILE_TERMINAL
			       : FILE_OTHER;
	}
	return kind_of_unlisted(file, inode, FILE_OTHER);
}

/* NULL: it is none. No pointer that the verifier trusts. */
static __always_inline struct sock *socket_in(struct file *file)
{
	return file && kind_of_file(file) == FILE_SOCKET ? sock_of(file) : NULL;
}

#endif

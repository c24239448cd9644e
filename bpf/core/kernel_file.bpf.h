/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Part of bpf/core/kernel.bpf.h: files, and how they have their names.
 */
#ifndef TAILCAP_BPF_CORE_KERNEL_FILE_H
#define TAILCAP_BPF_CORE_KERNEL_FILE_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block {
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	u32 i_rdev;
	unsigned long i_ino;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct inode *f_inode;
	const void *f_op;
	void *private_data;
	struct path f_path;
};

struct task_io_accounting {
	u64 rchar;
	u64 wchar;
	u64 syscr;
	u64 syscw;
};

#pragma clang attribute pop

/* System call numbers, as CALL_NUMBER gives them. */
#define NR_pread64 17
#define NR_pwrite64 18
#define NR_fsync 74
#define NR_fdatasync 75
#define NR_sync_file_range 277
#define NR_preadv 295
#define NR_pwritev 296
#define NR_preadv2 327
#define NR_pwritev2 328

#endif

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where HotSpot, Java's virtual machine, keeps what it knows of code: a part of bpf/event_script.h.
 *
 * HotSpot says itself where its fields lie, for debuggers (gHotSpotVMStructs). It fills that table as it starts, so the
 * kernel program reads the offsets from the process.
 */
#ifndef TAILCAP_BPF_EVENT_HOTSPOT_H
#define TAILCAP_BPF_EVENT_HOTSPOT_H

#define HOTSPOT_ENTRY_BYTES 48  /* of the table */
#define HOTSPOT_ENTRY_OFFSET 32 /* the word of an entry that says where the field lies */

/* Fields, with the names that HotSpot has for them. */
#define TAILCAP_HOTSPOT_FIELDS(F)                                       \
	F(HOTSPOT_LIST_LENGTH, "GrowableArrayBase", "_len")             \
	F(HOTSPOT_LIST_DATA, "GrowableArray<int>", "_data")             \
	F(HOTSPOT_HEAP_MEMORY, "CodeHeap", "_memory")                   \
	F(HOTSPOT_HEAP_SEGMENTS, "CodeHeap", "_segmap")                 \
	F(HOTSPOT_HEAP_SHIFT, "CodeHeap", "_log2_segment_size")         \
	F(HOTSPOT_SPACE_LOW, "VirtualSpace", "_low")                    \
	F(HOTSPOT_SPACE_HIGH, "VirtualSpace", "_high")                  \
	F(HOTSPOT_BLOCK_USED, "HeapBlock::Header", "_used")             \
	F(HOTSPOT_BLOB_NAME, "CodeBlob", "_name")                       \
	F(HOTSPOT_BLOB_COMPLETE, "CodeBlob", "_frame_complete_offset")  \
	F(HOTSPOT_BLOB_FRAME, "CodeBlob", "_frame_size")                \
	F(HOTSPOT_BLOB_CODE, "CodeBlob", "_code_begin")                 \
	F(HOTSPOT_BLOB_END, "CodeBlob", "_code_end")                    \
	F(HOTSPOT_CODE_METHOD, "CompiledMethod", "_method")             \
	F(HOTSPOT_METHOD_FIXED, "Method", "_constMethod")               \
	F(HOTSPOT_FIXED_POOL, "ConstMethod", "_constants")              \
	F(HOTSPOT_FIXED_FLAGS, "ConstMethod", "_flags")                 \
	F(HOTSPOT_FIXED_CODE_SIZE, "ConstMethod", "_code_size")         \
	F(HOTSPOT_FIXED_NAME, "ConstMethod", "_name_index")             \
	F(HOTSPOT_POOL_TAGS, "ConstantPool", "_tags")                   \
	F(HOTSPOT_POOL_LENGTH, "ConstantPool", "_length")               \
	F(HOTSPOT_POOL_CLASS, "ConstantPool", "_pool_holder")           \
	F(HOTSPOT_POOL_FILE, "ConstantPool", "_source_file_name_index") \
	F(HOTSPOT_TAGS_DATA, "Array<u1>", "_data")                      \
	F(HOTSPOT_CLASS_NAME, "Klass", "_name")                         \
	F(HOTSPOT_SYMBOL_LENGTH, "Symbol", "_length")                   \
	F(HOTSPOT_SYMBOL_TEXT, "Symbol", "_body")

#define TAILCAP_HOTSPOT_FIELD(number, type, field) number,
enum hotspot_field { TAILCAP_HOTSPOT_FIELDS(TAILCAP_HOTSPOT_FIELD) HOTSPOT_FIELDS };
#undef TAILCAP_HOTSPOT_FIELD

/* What differs between versions. */
#define HOTSPOT_FILE_IN_CLASS 1  /* HOTSPOT_POOL_FILE is a field of the class */
#define HOTSPOT_CODE_BY_OFFSET 2 /* HOTSPOT_BLOB_CODE and HOTSPOT_BLOB_END are offsets, and others are shorter */
#define HOTSPOT_LINES_FROM_ONE 4 /* in tables of lines no byte is zero but the last */

struct hotspot_process {
	__u64 table;       /* VMStructs::localHotSpotVMStructs */
	__u64 heaps;       /* CodeCache::_heaps */
	__u16 block_bytes; /* sizes of types: HeapBlock, ConstMethod, ConstantPool */
	__u16 fixed_bytes;
	__u16 pool_bytes;
	__u16 ways;
	__u16 entries[HOTSPOT_FIELDS]; /* of the table, in the order above */
};

#ifdef __cplusplus
static_assert(sizeof(hotspot_process) == 80);
#endif

#endif

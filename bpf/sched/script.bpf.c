// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What walks of all languages share: which process has which, and which functions user space knows.
 */
#include "bpf/sched/script.bpf.h"

struct script_walks script_walks SEC(".maps");
struct script_processes script_processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SCRIPT_CODES);
	__type(key, struct script_known);
	__type(value, u8);
} script_codes SEC(".maps");

__noinline int knows_script_code(void)
{
	struct script_walk *walk = this_walk();

	if (!walk)
		return 0;
	walk->known.tgid = bpf_get_current_task_btf()->tgid;
	walk->known.unused = 0;
	walk->known.code = walk->record.code;
	return bpf_map_lookup_elem(&script_codes, &walk->known) != NULL;
}

__noinline int tell_script_code(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct script_walk *walk = this_walk();
	u32 size = __builtin_offsetof(struct record_script_code, lines);
	u8 told = 1;

	if (!walk || knows_script_code())
		return 0;
	walk->record.language = walk->process.language;
	fill_head(&walk->record.h, task, RECORD_SCRIPT_CODE, bpf_ktime_get_ns());
	if (walk->record.lines_size)
		size = sizeof(walk->record);
	if (output(&walk->record, size, wake_flag(walk->record.h.time)))
		count_loss(LOSS_RING_FULL, RECORD_SCRIPT_CODE);
	else
		bpf_map_update_elem(&script_codes, &walk->known, &told, BPF_ANY);
	return 0;
}

__noinline int walk_scripts(u32 tgid)
{
	struct script_process *process = bpf_map_lookup_elem(&script_processes, &tgid);
	struct script_walk *walk = this_walk();

	if (!walk)
		return 0;
	walk->count = 0;
	walk->end = SCRIPT_END_NONE;
	if (!process)
		return 0;
	walk->process = *process;
	switch (walk->process.language) {
	case SCRIPT_PYTHON:
		return walk_python();
	case SCRIPT_PHP:
		return walk_php();
	case SCRIPT_V8:
		return walk_v8();
	case SCRIPT_RUBY:
		return walk_ruby();
	case SCRIPT_HOTSPOT:
		return walk_hotspot();
	}
	return 0;
}

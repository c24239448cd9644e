// Who had the CPUs while recorded threads were queued for one.
#pragma once

#include <span>

#include "analyze/model/crowd.h"
#include "analyze/model/machine/cpu_account.h"
#include "analyze/model/machine/memory_limits.h"
#include "analyze/model/request.h"
#include "analyze/model/study/verdict.h"

namespace tailcap::tail::verdict {

// of: disjoint, in order of time.
model::CpuAccount::Use use_over(const model::CpuAccount& account, std::span<const model::Crowd::Interval> of);

// own: share of the CPUs that recorded threads had; use: of the same time.
model::Origin origin_of_shortage(double own, const model::CpuAccount::Use& use, unsigned cpus);

// Fills who used the CPU quotas, the disks and the memory that a part waited for. of: the slow requests, disjoint, in
// order of time.
void name_users(model::VerdictPart& part, const model::RequestTable& table, const model::MemoryLimits& limits,
                std::span<const model::Crowd::Interval> of);

// Threads' time on the CPUs may contain what the hypervisor took, up to `time` ns of it.
bool may_be_stolen(const model::CpuAccount& account, std::int64_t time, unsigned cpus);

}  // namespace tailcap::tail::verdict

// gRPC's calls: by status, against their deadlines, and whether they carry trace context where it belongs.
#pragma once

#include <span>

#include "analyze/model/request.h"
#include "analyze/model/study/call_study.h"
#include "analyze/model/study/study.h"
#include "analyze/model/wire/findings.h"

namespace tailcap::tail {

// When the stream was reset, from row.start, which is to be set before.
void note_reset(const model::Exchange& exchange, model::Request& row);

// Counts calls without, or with late, trace context; a method's calls are compared with each other at each end.
void note_contexts(const model::RequestTable& table, model::Findings& findings);

// Studies the rows of one route, by number; nullopt: there is no call among them.
std::optional<model::CallStudy> study_calls(const model::RequestTable& table, std::span<const std::uint32_t> rows);

// Finds the other ends of the missed deadlines that are listed.
void join_misses(const model::RequestTable& table, model::Study& study);

}  // namespace tailcap::tail

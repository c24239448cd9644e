// gRPC's calls: by status, against their deadlines, and whether they carry trace context where it belongs.
#pragma once

#include <span>

#include "analyze/flow/call_study.h"
#include "analyze/flow/findings.h"
#include "analyze/flow/request.h"
#include "analyze/flow/study.h"

namespace tailcap::tail {

// When the stream was reset, from row.start, which is to be set before.
void note_reset(const flow::Exchange& exchange, flow::Request& row);

// Counts calls without, or with late, trace context; a method's calls are compared with each other at each end.
void note_contexts(const flow::RequestTable& table, flow::Findings& findings);

// Of the rows of one route, by number; nullopt: there is no call among them.
std::optional<flow::CallStudy> study_calls(const flow::RequestTable& table, std::span<const std::uint32_t> rows);

// Finds the other ends of the missed deadlines that are listed.
void join_misses(const flow::RequestTable& table, flow::Study& study);

}  // namespace tailcap::tail

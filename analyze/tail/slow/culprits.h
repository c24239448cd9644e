// Who was behind the time of the slow requests: locks with their holders, calls, neighbours.
#pragma once

#include <cstdint>
#include <tuple>
#include <vector>

#include "analyze/model/study/tail_study.h"
#include "analyze/tail/slow/cohorts.h"
#include "analyze/tail/slow/links.h"
#include "formats/preamble.h"

namespace tailcap::tail::slow {

// Who one blocker is, without its times.
model::CulpritStudy culprit_study(const model::Culprit& culprit, const model::RequestTable& table, const Links& links,
                                  const formats::Preamble& preamble);

// What makes blockers one to a reader: a request's route; else the place, or whose thread it was.
using CulpritKey = std::tuple<std::uint64_t, model::TextId, model::TextId, model::TextId, std::uint32_t>;
enum class Unnamed : std::uint8_t { by_place, by_thread };
CulpritKey key_of(const model::CulpritStudy& who, Unnamed unnamed);
// Both have one key: what differs between them is not known.
void join(model::CulpritStudy& into, const model::CulpritStudy& other);

std::vector<model::CulpritStudy> culprits_of(const model::RequestTable& table, const std::vector<Item>& items,
                                             const Cohorts& cohorts, const Links& links,
                                             const formats::Preamble& preamble);

}  // namespace tailcap::tail::slow

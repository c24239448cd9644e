// How a route's latency goes with what else was under way.
#pragma once

#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/tail/slow/links.h"

namespace tailcap::tail::load {

// rows: the route's, in order of start. links: where the table has partitions or causes; nullptr: no fan-out.
model::LoadStudy study_load(const model::RequestTable& table, const std::vector<std::uint32_t>& rows,
                            const model::Study& study, const slow::Links* links);

// The parts of it.
std::vector<model::InFlightBand> in_flight_bands(const model::RequestTable& table,
                                                 const std::vector<std::uint32_t>& rows);
model::LittleCheck little_check(const model::RequestTable& table, const std::vector<std::uint32_t>& rows,
                                formats::Time begin, formats::Time end);
std::vector<model::HeadOfLine> head_of_line(const model::RequestTable& table, const std::vector<std::uint32_t>& rows);
std::optional<model::FanOut> fan_out(const model::RequestTable& table, const std::vector<std::uint32_t>& rows,
                                     const slow::Links& links);
std::optional<model::RetryStudy> retries(const model::RequestTable& table, const std::vector<std::uint32_t>& rows);

// Over all rows of the table.
model::Arrivals arrivals(const model::RequestTable& table);

}  // namespace tailcap::tail::load

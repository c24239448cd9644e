// How a route's latency goes with what else was under way.
#pragma once

#include <vector>

#include "analyze/flow/study.h"
#include "analyze/tail/slow/links.h"

namespace tailcap::tail::load {

// rows: the route's, in order of start. links: where the table has partitions or causes; nullptr: no fan-out.
flow::LoadStudy study_load(const flow::RequestTable& table, const std::vector<std::uint32_t>& rows,
                           const flow::Study& study, const slow::Links* links);

// The parts of it.
std::vector<flow::InFlightBand> in_flight_bands(const flow::RequestTable& table,
                                                const std::vector<std::uint32_t>& rows);
flow::LittleCheck little_check(const flow::RequestTable& table, const std::vector<std::uint32_t>& rows,
                               formats::Time begin, formats::Time end);
std::vector<flow::HeadOfLine> head_of_line(const flow::RequestTable& table, const std::vector<std::uint32_t>& rows);
std::optional<flow::FanOut> fan_out(const flow::RequestTable& table, const std::vector<std::uint32_t>& rows,
                                    const slow::Links& links);
std::optional<flow::RetryStudy> retries(const flow::RequestTable& table, const std::vector<std::uint32_t>& rows);

// Over all rows of the table.
flow::Arrivals arrivals(const flow::RequestTable& table);

}  // namespace tailcap::tail::load

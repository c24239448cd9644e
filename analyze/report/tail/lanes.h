// One request in time: a lane for it, one for its other end, one for each call that it made and for who served that,
// and for those requests that held it up.
#pragma once

#include <span>
#include <string>

#include "analyze/model/partition.h"
#include "analyze/model/request.h"
#include "analyze/render/document.h"

namespace tailcap::report::tail {

// The course of a request; nullptr: not among them. courses: ascending by request.
const model::Course* course_of(std::span<const model::Course> courses, model::ExchangeId id);

// A bar of stretches at their places between `from` and from + length, both ns.
std::string course_bar(const model::Course& course, const model::NamedBlockers& named, std::int64_t from,
                       std::int64_t length);

// Without rows: the course of the request is not known, or there is no other.
render::Table lanes_table(std::uint32_t row, const model::RequestTable& table, std::span<const model::Course> courses);

}  // namespace tailcap::report::tail

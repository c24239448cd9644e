// Lines of log files beside a request that is shown.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/logs/log_line.h"
#include "analyze/model/study/detail.h"
#include "analyze/render/document.h"

namespace tailcap::report {

struct LaneLine {
  formats::Duration at{}, within{};  // from the beginning of the axis; it was written in [at, at + within)
  std::string text, note;            // printable
};

// Those that belong to this end and have a place in its time, by time; the first of very many.
std::vector<LaneLine> lane_lines(const model::LogBook& book, const model::RequestDetail& end, formats::Time zero);
// The others, why a line is not placed, and how many lines there were.
void add_log_lines(const model::LogBook& book, const model::Detail& detail, formats::Time zero, formats::Duration span,
                   render::Document& out);

// "by its trace id", "in the time of 5 requests of its process: none is chosen".
std::string join_text(const model::JoinedLine& joined);
// "shop.log:17"
std::string source_text(const model::LogBook::Entry& entry);
// "error: cannot reach stock", of at most `most` characters.
std::string line_text(const model::LoggedLine& line, std::size_t most);

}  // namespace tailcap::report

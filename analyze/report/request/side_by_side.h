// `tailcap show FILE A B`: two requests next to each other.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/detail.h"
#include "analyze/report/request/show.h"

namespace tailcap::report {

// The time that each of two requests has a label.
struct LabelPair {
  model::Label label = model::Label::unexplained_nocarrier;
  formats::Duration first{}, second{};
};
// Those that differ most first. Empty: the labels of one are not known.
std::vector<LabelPair> label_pairs(const model::RequestDetail& first, const model::RequestDetail& second);

std::string text_side_by_side(const ShownRequest& first, const ShownRequest& second, const ReportOptions& options);
std::string markdown_side_by_side(const ShownRequest& first, const ShownRequest& second, const ReportOptions& options);
// What json_show() has of each, and the labels of both.
std::string json_side_by_side(const ShownRequest& first, const ShownRequest& second);

}  // namespace tailcap::report

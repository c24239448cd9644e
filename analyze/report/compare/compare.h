// A comparison of runs as text, Markdown, a page, JSON and JUnit's XML.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/gate/comparison.h"
#include "analyze/render/document.h"
#include "analyze/report/compare/slow_requests.h"

namespace tailcap::report {

// slow: for a page.
render::Document compare_document(const model::gate::Comparison& comparison, const std::vector<SlowPair>& slow = {});
// What a reviewer has to know, as the comment on a change; at most kCommentLines lines of Markdown that are not empty.
render::Document comment_document(const model::gate::Comparison& comparison);
inline constexpr std::size_t kCommentLines = 25;

// tailcap: the version that compares.
std::string compare_json(const model::gate::Comparison& comparison, const std::string& tailcap);
std::string compare_schema();  // of it
// undecided_fails: a gate that is undecided is a failure, otherwise it is skipped.
std::string compare_junit(const model::gate::Comparison& comparison, bool undecided_fails, const std::string& tailcap);

}  // namespace tailcap::report

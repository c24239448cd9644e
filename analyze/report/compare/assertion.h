// Objectives and whether recordings keep them, as text, Markdown, JSON and JUnit's XML.
#pragma once

#include <string>

#include "analyze/model/gate/slo.h"
#include "analyze/render/document.h"

namespace tailcap::report {

// Which file the limits are from, and which version held the recordings against them.
struct AssertedBy {
  std::string slo_file, sha256;
  std::string tailcap;
};

// explain: also what passes.
render::Document assertion_document(const model::gate::Assertion& assertion, bool explain);
std::string assertion_json(const model::gate::Assertion& assertion, const AssertedBy& by);
std::string assertion_junit(const model::gate::Assertion& assertion, bool undecided_fails, const AssertedBy& by);

}  // namespace tailcap::report

// Objectives and whether recordings keep them, as text, Markdown, JSON and JUnit's XML.
#pragma once

#include <string>

#include "analyze/model/gate/slo.h"
#include "analyze/render/document.h"
#include "analyze/report/json/provenance.h"

namespace tailcap::report {

// explain: also what passes.
render::Document assertion_document(const model::gate::Assertion& assertion, bool explain);
std::string assertion_json(const model::gate::Assertion& assertion, const Provenance& limits);
std::string assertion_schema();  // of it
std::string assertion_junit(const model::gate::Assertion& assertion, bool undecided_fails, const Provenance& limits);

}  // namespace tailcap::report

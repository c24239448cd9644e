// What a policy would have done, as text, Markdown, a page and JSON.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/policy/outcome.h"
#include "analyze/model/wall_clock.h"
#include "analyze/render/document.h"
#include "analyze/report/json/provenance.h"

namespace tailcap::report {

// most: rows of a table.
render::Document policy_document(const model::policy::PolicyOutcome& outcome, std::size_t most);
std::string policy_json(const model::policy::PolicyOutcome& outcome, const model::WallClock& clock,
                        const Provenance& policy);
std::string policy_schema();  // of it

}  // namespace tailcap::report

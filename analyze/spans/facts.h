// Counts what an export did, and why.
#pragma once

#include <vector>

#include "analyze/model/trace/span_facts.h"
#include "analyze/spans/enrichment.h"
#include "analyze/spans/imported.h"
#include "analyze/spans/spans.h"

namespace tailcap::spans {

model::SpanFacts facts_of(const Counts& counts, const Identities& identities, const std::vector<bool>& wanted,
                          const Enrichment& enrichment, const Imported& imported);

}  // namespace tailcap::spans

// What `tailcap spans --explain` says.
#pragma once

#include <string>

#include "analyze/flow/span_facts.h"

namespace tailcap::report {

std::string spans_facts_text(const flow::SpanFacts& facts);
std::string spans_facts_json(const flow::SpanFacts& facts);
std::string spans_facts_line(const flow::SpanFacts& facts);  // one line, for standard error

}  // namespace tailcap::report

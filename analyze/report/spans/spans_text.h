// What `tailcap spans --explain` says.
#pragma once

#include <string>

#include "analyze/model/trace/span_facts.h"

namespace tailcap::report {

std::string spans_facts_text(const model::SpanFacts& facts);
std::string spans_facts_json(const model::SpanFacts& facts);
std::string spans_schema();                                   // of --explain
std::string spans_facts_line(const model::SpanFacts& facts);  // one line, for standard error

}  // namespace tailcap::report

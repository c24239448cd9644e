// Requests as OpenTelemetry spans, and where the spans are from.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/trace/span.h"
#include "analyze/model/trace/span_facts.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/spans/imported.h"
#include "analyze/spans/rules.h"

namespace tailcap::views {

struct SpanChoice {
  std::optional<model::ExchangeId> id;  // with what made it, what it made, and both ends of each; unset: `requests`
  pipeline::Options requests;
  spans::Imported imported;
  spans::AttributeRules rules;
  bool old_names = false;
  bool facts_only = false;
  bool phases = false;  // as events
  bool waits = false;   // as spans below those of requests
};

struct SpanExport {
  enum class Nothing : std::uint8_t { no, no_such_request, none_matches };

  Nothing nothing = Nothing::no;  // why there are neither spans nor facts
  model::SpanFacts facts;
  bool damaged = false;
  std::vector<model::ExchangeId> wrong;  // as in pipeline::Analysis
};

// Throws std::runtime_error where the capture cannot be read, or holds no reading of the wall clock.
// Spans are handed over some at a time; a resource may come again.
using SpanSink = std::function<void(std::vector<model::SpanResource>&)>;
SpanExport export_spans(const std::string& file, SpanChoice& choice, const SpanSink& sink);

// The same as OTLP in JSON, behind what was imported.
SpanExport export_otlp(const std::string& file, SpanChoice choice, std::string_view version, std::string& otlp);

}  // namespace tailcap::views

// Any text as spans to import and as rules: refused with a message, or accepted and written again as JSON.
#include <cassert>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "analyze/report/spans/otlp.h"
#include "analyze/spans/imported.h"
#include "analyze/spans/rules.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tailcap;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const spans::Imported imported = spans::imported_of(text, "x");
    for (const auto& span : imported.spans) assert(span.context.has_trace() && span.context.span != 0);
    assert(nlohmann::json::accept(report::otlp_json(imported.resource_spans, {}, "1")));
  } catch (const std::runtime_error& e) {
    assert(std::string_view(e.what()).starts_with("cannot import x: "));
  }
  try {
    const spans::AttributeRules rules(text, "x");
    model::SpanResource resource;
    resource.attributes.set("service.name", "shop");
    resource.spans.emplace_back();
    rules.apply(resource);
    assert(nlohmann::json::accept(report::otlp_json({}, {resource}, "1")));
  } catch (const std::runtime_error& e) {
    assert(std::string_view(e.what()).starts_with("x, line "));
  }
  return 0;
}

#include "analyze/views/export/otlp.h"

#include <utility>

#include "analyze/export/otlp.h"
#include "analyze/report/spans/otlp.h"
#include "analyze/report/words/number.h"
#include "analyze/spans/enrichment.h"
#include "analyze/views/spans/export.h"

namespace tailcap::views {

Exported export_otlp_file(const std::string& file, pipeline::Options chosen, bool protobuf, std::string_view version,
                          const Write& write) {
  Exported out{.what = "spans", .why = "their start is not known"};
  SpanChoice choice;
  choice.requests = std::move(chosen);
  choice.phases = true;
  std::string text;
  report::OtlpText json(text, {}, version);
  std::uint64_t events_left_out = 0;
  const SpanExport made = export_spans(file, choice, [&](std::vector<model::SpanResource>& spans) {
    for (const model::SpanResource& resource : spans)
      for (const model::Span& span : resource.spans) events_left_out += span.events_left_out;
    if (protobuf) return write(exports::otlp(spans, version));
    json.add(spans);
    write(text);
    text.clear();
  });
  if (!protobuf) {
    json.end();
    write(text);
  }
  out.damaged = made.damaged;
  out.wrong = made.wrong;
  out.requests = made.facts.requests;
  out.left_out = made.facts.not_placed;
  if (events_left_out > 0)
    out.limits.push_back(report::count_text(events_left_out, "event", "events") +
                         " of spans left out: a span has at most " + std::to_string(spans::Enrichment::kMaxEvents) +
                         ", all spans together " + report::count_text(spans::Enrichment::kMaxAll) + ".");
  return out;
}

}  // namespace tailcap::views

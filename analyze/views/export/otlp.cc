#include "analyze/views/export/otlp.h"

#include <utility>

#include "analyze/export/otlp.h"
#include "analyze/report/spans/otlp.h"
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
  const SpanExport made = export_spans(file, choice, [&](std::vector<model::SpanResource>& spans) {
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
  return out;
}

}  // namespace tailcap::views

// Spans as OTLP in JSON: an ExportTraceServiceRequest, as the OpenTelemetry Collector's file exporter writes it and its
// otlpjsonfile receiver reads it. Ids in hexadecimal, times as strings of nanoseconds since 1970.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/trace/span.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::report {

// One object on one line.
class OtlpText {
 public:
  // Appends to out, which must outlive this. before: members of resourceSpans that are there already, as JSON, which
  // come first, as they are.
  OtlpText(std::string& out, const std::vector<std::string>& before, std::string_view version);
  // A resource may come again.
  void add(const std::vector<model::SpanResource>& resources);
  void end();

 private:
  std::string& out_;
  JsonWriter json_;
  std::string version_;
};
std::string otlp_json(const std::vector<std::string>& before, const std::vector<model::SpanResource>& resources,
                      std::string_view version);

}  // namespace tailcap::report

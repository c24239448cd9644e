// Spans in the JSON of Jaeger's query service, which Jaeger's user interface takes as a file: traces with their spans,
// and the processes of these. Times are whole microseconds there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/model/trace/span.h"

namespace tailcap::report {

class JaegerTraces {
 public:
  // The text of a trace is together, so all spans are kept until then, of some 2 KB each.
  static constexpr std::size_t kMost = 200'000;

  explicit JaegerTraces(std::string_view version) : version_(version) {}
  // A resource may come again.
  void add(const std::vector<model::SpanResource>& resources);
  // By the traces' first spans. Call once, at the end.
  void write(const std::function<void(std::string_view)>& sink) const;
  std::uint64_t left_out() const { return left_out_; }  // spans beyond kMost

 private:
  struct JaegerTrace {
    std::string id, spans;            // JSON, separated by commas
    std::set<std::size_t> processes;  // of these
  };
  std::size_t process_of(const model::Attributes& resource);

  std::string version_;
  std::vector<std::string> processes_;  // JSON
  std::map<std::string, std::size_t> numbers_;
  std::vector<JaegerTrace> traces_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> places_;  // by trace id
  std::size_t spans_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace tailcap::report

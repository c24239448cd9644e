// Spans of somebody else's: OTLP in JSON, as SDKs and collectors write it. What is read stays as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/spans/identities.h"

namespace tailcap::spans {

struct Imported {
  static constexpr std::size_t kMaxBytes = 256u << 20, kMaxSpans = 1'000'000, kMaxDepth = 64;

  std::vector<std::string> resource_spans;  // members of resourceSpans, as JSON, in order
  std::vector<ForeignSpan> spans;           // in order
  std::uint64_t without_ids = 0;            // spans whose ids are none: they are kept, and match nothing
};

// One object, or one per line. Throws std::runtime_error that names the file and says what is wrong.
Imported imported_of(std::string_view text, const std::string& name);

}  // namespace tailcap::spans

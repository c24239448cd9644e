// Searches a redacted capture for what redaction replaced.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/redact/rules/rules.h"

namespace tailcap::redact {

struct Leak {
  std::string original;  // as it was in the original
  std::string place;     // "task_info.comm", or "the file"
  std::string form;      // "as it was", "in base64", …
};

struct Verification {
  std::uint64_t originals = 0;  // different words that were replaced and are long enough to be searched for
  std::uint64_t also_kept = 0;  // of those: also at places where the rules keep them
  std::uint64_t events = 0, file_bytes = 0;
  std::uint64_t leaks = 0;
  std::vector<Leak> examples;  // a few
};

// `policy`: the rules that `out` was made with. Throws if one of them cannot be read, is damaged or empty, if `out` is
// not marked as redacted, or if it was not made of `in`.
Verification verify(const std::string& out, const std::string& in, const RedactionPolicy& policy);

}  // namespace tailcap::redact

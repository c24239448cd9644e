// Makes a copy of a capture in which nothing is left but what the rules allow (rules.h). Events, their order, times and
// sizes are the same; text and payload are replaced. Memory holds the blocks in flight and what follows connections.
#pragma once

#include <cstdint>
#include <string>

#include "analyze/redact/changes.h"
#include "analyze/redact/rules/rules.h"
#include "formats/file/reader.h"
#include "formats/masking.h"

namespace tailcap::redact {

inline constexpr std::string_view kLevelNote = "tailcap.redacted", kPolicyNote = "tailcap.redacted.policy";

struct RedactionOptions {
  std::string in, out;  // out empty: nothing is written
  RedactionPolicy policy;
  std::string key;  // empty: a random one
  bool force = false;
  unsigned threads = 0;  // 0: as many as there are CPUs. The result is the same for every number.
};

struct RedactionResult {
  FieldChanges fields;
  formats::Masking withheld;
  std::uint64_t events = 0, file_bytes = 0, in_bytes = 0;
  std::string level, policy_hash;
  formats::FileSummary in;
};

// Throws for files that cannot be read or written, for a capture without events, and where the result is damaged: then
// there is no result.
RedactionResult redact(const RedactionOptions& options);

// The key in a file: all of its bytes. Throws if there are fewer than 16.
std::string key_from_file(const std::string& path);

}  // namespace tailcap::redact

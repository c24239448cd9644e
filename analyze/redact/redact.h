// Makes a copy of a capture in which nothing is left but what the rules allow (rules.h). Events, their order, times and
// sizes are the same; text and payload are replaced. Memory holds the blocks in flight and what follows connections.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "analyze/redact/rules/rules.h"
#include "formats/event.h"
#include "formats/file/reader.h"

namespace tailcap::redact {

inline constexpr std::string_view kLevelNote = "tailcap.redacted", kPolicyNote = "tailcap.redacted.policy";

struct Options {
  std::string in, out;  // out empty: nothing is written
  Policy policy;
  std::string key;  // empty: a random one
  bool force = false;
};

// What became of a field's text or payload.
struct FieldChange {
  std::uint64_t values = 0, changed = 0;  // that were not empty
  std::uint64_t bytes = 0, left = 0;      // that said something, before and after
  std::string before, after;              // an example of a change; of payload none
};

struct Result {
  std::map<std::string, FieldChange> fields;  // "kind.field"
  formats::Masking withheld;
  std::uint64_t events = 0, file_bytes = 0, in_bytes = 0;
  std::string level, policy_hash;
  formats::FileSummary in;
};

// Throws for files that cannot be read or written, for a capture without events, and where the result is damaged: then
// there is no result.
Result redact(const Options& options);

// The key in a file: all of its bytes. Throws if there are fewer than 16.
std::string key_from_file(const std::string& path);

}  // namespace tailcap::redact

// What is known before the first event: the first block of every capture, on disk before any probe attaches.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "formats/time.h"

namespace tailcap::formats {

// How socket I/O was observed: a: socket tracepoints, b: fexit, c: syscall exits.
enum class HookTier : std::uint8_t { unknown = 0, a = 1, b = 2, c = 3 };

constexpr const char* name_of(HookTier tier) {
  switch (tier) {
    case HookTier::a:
      return "a";
    case HookTier::b:
      return "b";
    case HookTier::c:
      return "c";
    case HookTier::unknown:
      break;
  }
  return "unknown";
}

enum class Redaction : std::uint8_t {
  masked_headers = 0,  // of older versions: values of five credential headers are overwritten, bodies are not
  none = 1,            // of older versions, with --unsafe-headers: everything as it was on the wire
  allow_list = 2,      // nothing is kept but what is known to be needed, and header values by a list
  header_values = 3,   // --unsafe-headers: likewise, but the values of all header fields are kept
  payload_raw = 4,     // --payload-raw: everything as it was on the wire
};

constexpr const char* name_of(Redaction redaction) {
  switch (redaction) {
    case Redaction::masked_headers:
      return "masked_headers";
    case Redaction::none:
      break;
    case Redaction::allow_list:
      return "allow_list";
    case Redaction::header_values:
      return "header_values";
    case Redaction::payload_raw:
      return "payload_raw";
  }
  return "none";
}

struct Preamble {
  std::string capture_id;  // 32 hex digits, random
  std::string tool_version;
  std::vector<std::string> command_line;
  std::string host;
  std::string kernel;        // uname -r
  std::string architecture;  // uname -m
  std::string boot_id;
  std::uint32_t cpus = 0;
  HookTier tier = HookTier::unknown;
  std::string tier_reason;  // why this tier and no better one
  Redaction redaction = Redaction::masked_headers;
  std::uint32_t payload_limit = 0;  // bytes kept of what follows a message start
  std::uint64_t ring_bytes = 0;
  std::vector<std::string> targets;                        // "pid 17", "cgroup /x", "comm nginx", "port 80", "all"
  std::vector<std::string> programs;                       // BPF programs attached, by name
  std::vector<std::pair<std::string, std::string>> notes;  // --note K=V, in order
  Time started = kNoTime;
  std::int64_t started_realtime = 0;  // ns since 1970
  bool operator==(const Preamble&) const = default;

  // The note with this key has that value; "": there is none.
  void replace_note(const std::string& key, const std::string& value) {
    std::erase_if(notes, [&](const auto& note) { return note.first == key; });
    if (!value.empty()) notes.emplace_back(key, value);
  }
};

}  // namespace tailcap::formats

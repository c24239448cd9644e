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

enum class Redaction : std::uint8_t {
  masked_headers = 0,  // values of credential headers are overwritten, length kept
  none = 1,            // --unsafe-headers: everything as it was on the wire
};

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
};

}  // namespace tailcap::formats

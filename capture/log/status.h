// The recorder's messages to its user, on stderr.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "capture/mask/gate.h"
#include "formats/event.h"

namespace tailcap::capture {

struct Tally {
  std::array<std::uint64_t, formats::kKinds> by_kind{};  // events recorded, by formats::Kind; calls, however many parts
  std::uint64_t events = 0;
  std::uint64_t lost = 0;
  formats::Masking masking{};                                 // as last recorded
  std::vector<std::pair<std::string, std::uint64_t>> losses;  // what, how many
  std::set<formats::LossCause> causes;                        // of these losses
  std::uint64_t quotas_unread =
      0;  // processes and cgroups whose CPU quota was left to a later round; the maximum of all rounds
  std::uint64_t looks_dropped = 0;              // processes that the finder did not examine
  std::uint64_t probe_facts_dropped = 0;        // places of probes, and facts about Go programs
  std::uint64_t sampled = 0, left_out = 0;      // ends of TCP connections, where connections are sampled
  std::vector<std::string> unrecorded;          // traffic that is not recorded, a line each
  std::map<std::string, std::string> tls_ways;  // how connections are read, by file or process, where that is chosen
  std::optional<mask::Passed> passed;           // requests so far; none: heads are not read
  std::uint64_t encrypted = 0, plaintexts = 0;  // connections with TLS; TLS sessions whose plaintext is recorded
  std::vector<std::string> unwatched;           // "at SSL_read in /usr/lib/…: why": the first few
};

// What one second shows: "12 s  1,204 requests served (31 × 5xx), 600 calls  0.4 MB  0 lost".
std::string progress(std::chrono::nanoseconds elapsed, const Tally& tally, std::uint64_t file_bytes);

// That line, rewritten each second; nothing unless stderr is a terminal.
class StatusLine {
 public:
  StatusLine();
  ~StatusLine();
  void show(std::chrono::nanoseconds elapsed, const Tally& tally, std::uint64_t file_bytes);
  void clear();

 private:
  bool terminal_, shown_ = false;
};

// Warns that the recording continues, but not as the user may expect.
void warn(const std::string& what);

// "recorded 12.3 s …", then "lost nothing" or what was lost and how to avoid that.
std::string summary(const std::string& path, std::chrono::nanoseconds elapsed, const Tally& tally,
                    std::uint64_t file_bytes, const std::string& reason, std::uint64_t ring_bytes);

}  // namespace tailcap::capture

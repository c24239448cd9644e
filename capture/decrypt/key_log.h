// What recorded processes derived keys from, until their connections need it. Found only by what both the process and
// the connection know: the hash of the hellos, both randoms, or the client's. A process finds its own entries only, so
// one that makes entries up spoils no connection but its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "capture/decrypt/handshake.h"
#include "capture/decrypt/schedule.h"
#include "capture/decrypt/secret.h"

namespace tailcap::capture::decrypt {

class KeyLog {
 public:
  // Far more handshakes than a process has under way at once; four entries each.
  static constexpr std::size_t kMaxEntries = 8192;
  static constexpr std::size_t kMaxProcesses = 4096;

  struct Entry {
    std::string id;     // of what it is found by
    std::string label;  // as in record_tls_secret
    Secret secret;      // from which it derives
    std::string data;   // the hash at that point, both randoms, or the client's
    bool go = false;    // derived by Go's crypto/tls
    std::uint32_t pid = 0;
    std::uint64_t session = 0;  // as in record_tls_secret
    mutable bool met = false;   // the hellos that it belongs to were seen
    bool first() const;         // of a connection
  };

  // A record_tls_secret; null: it is none, or is not kept. A full process forgets its oldest entry.
  const Entry* add(std::span<const std::byte> record);
  // What a connection's first derivation may be found by: each library has its own.
  static std::vector<std::string> ids_of(const Hellos& hellos);
  // Null: not known (yet).
  const Entry* handshake(std::uint32_t pid, std::string_view label, std::string_view hash) const;
  const Entry* application(std::uint32_t pid, std::string_view label, const Secret& master) const;
  const Entry* expansion(std::uint32_t pid, std::string_view randoms) const;
  // A traffic secret of TLS 1.3 itself, by the client's random: from Go.
  const Entry* traffic(std::uint32_t pid, std::string_view label, std::string_view client_random) const;
  // No connection needs it any more: wiped.
  void spend(std::uint32_t pid, const std::string& id);
  // The process has made entries.
  bool knows(std::uint32_t pid) const { return processes_.contains(pid); }
  void forget(std::uint32_t pid) { processes_.erase(pid); }
  const Entry* find(std::uint32_t pid, const std::string& id) const;

 private:
  struct Process {
    std::deque<Entry> entries;
    std::unordered_map<std::string, Entry*> by_id;  // deque: entries stay where they are
  };

  std::map<std::uint32_t, Process> processes_;
};

}  // namespace tailcap::capture::decrypt

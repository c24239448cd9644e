// Plaintext of TLS connections from their records and the secrets of their processes: events as the probes at a TLS
// library's calls make them. Sessions have numbers of their own.
//
// Secrets, keys and ciphertext stay in memory: secrets are wiped where they are no longer needed, and nothing here is
// written but through the gate (capture/mask).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "capture/decrypt/connection.h"
#include "capture/decrypt/key_log.h"
#include "formats/event.h"

namespace tailcap::capture::decrypt {

class Decryptor {
 public:
  static constexpr std::size_t kMaxConnections = 1u << 16;
  static constexpr std::size_t kMaxLive = 1u << 13;     // read at a time: 12 KiB each
  static constexpr std::size_t kMaxMemory = 64u << 20;  // of records that wait for keys, and of handshakes
  // What processes have not read yet of connections that ended with an error.
  static constexpr std::size_t kMaxBroken = 1024;
  static constexpr formats::Duration kUnread = std::chrono::seconds{30};

  // What keys cannot read is left to probes (bpf/tls/way.bpf.h).
  struct Other {
    std::function<void(std::uint32_t pid)> wanted;    // a connection of this process needs probes
    std::function<void(std::uint64_t session)> take;  // a session, or a process with TLS_PROCESS_BIT
    bool all_seen = true;  // every handshake of a process is on a socket that is recorded, if it is on one at all
  };
  static constexpr formats::Duration kUnmet = std::chrono::seconds{2};  // until a derivation belongs to no hellos

  // heads_suffice: called with a socket that carries HTTP/1: of long records the beginning and the end are enough.
  // other: nothing is read of connections that probes may read; none: there are none.
  explicit Decryptor(std::function<void(formats::SocketId)> heads_suffice, std::optional<Other> other = {})
      : heads_(std::move(heads_suffice)), other_(std::move(other)) {}

  // Keeps memory from being written to a swap device, if the rights suffice. Call before they are given up. False:
  // there is such a device, and they do not.
  static bool lock_memory();

  void secret(std::span<const std::byte> record, formats::Time now);  // a record_tls_secret
  // Derivations of this process are seen from then on only: connections that are older are left to probes.
  void keys_from(std::uint32_t pid, formats::Time since);
  // Any event, as it came from the kernel: with the bytes that are on the wire.
  void take(const formats::Event& event);
  // What this socket carries is, or may be, TLS that is read here.
  bool covers(formats::SocketId socket) const;
  // An event that follows from these; null: that was all. Valid until the next call of any function.
  formats::Event* next();

  // Connections of processes whose secrets are seen: read, and not or not to their end, by the reason.
  struct Counts {
    std::uint64_t read = 0, no_keys = 0, unsupported = 0, damaged = 0;
    bool operator==(const Counts&) const = default;
  };
  Counts counts() const;
  // Calls by direction whose bytes could not be read, since the beginning (Connection::take_unread_calls).
  const std::array<std::uint64_t, 2>& lost() const { return lost_; }
  // Secrets were lost: any connection that is not read may be one of those that could be.
  void secrets_lost();
  // No more events come: what still waits for keys is not read, and what was closed is freed.
  void finish(formats::Time now);

 private:
  struct Output {
    formats::Event event;
    std::string head, tail;
    Output() = default;
    Output(Output&&) noexcept = default;
    Output& operator=(Output&&) = delete;
    ~Output();
  };
  void moved(const formats::Event& event, const formats::Io& io);
  // null: it is not to be read. memory: as counted in memory_. known: so is its process.
  struct Entry {
    std::unique_ptr<Connection> connection;
    formats::TlsSessionId session = 0;
    std::size_t memory = 0;
    unsigned plain = 0;  // I/Os before its first record
    bool waits = false, known = false, live = false, met = false;
    std::vector<std::string> derivations;  // that were met, or would have been
  };
  void gather(formats::SocketId socket, Entry& entry);
  void emit(formats::SocketId socket, formats::TlsSessionId session, formats::TlsLibrary library, Content&& content);
  void settle(formats::SocketId socket, Entry& entry);
  void end(Entry& entry);
  struct Process {
    std::array<std::uint64_t, 5> connections{};  // that were not read, by Unread
    std::array<std::uint64_t, 2> calls{};        // lost if it is one that shows secrets, and not counted yet
    bool known = false;                          // it has shown secrets
  };
  Process& process(std::uint32_t pid);
  void tally(Connection& connection);
  void count_calls(Process& process);
  std::unique_ptr<Connection> begin(formats::SocketId socket, std::uint32_t pid);
  void leave(Connection& connection);
  void hand_over(const KeyLog::Entry& entry);
  void leave_process(std::uint32_t pid);
  void derived(const KeyLog::Entry& entry, formats::Time now);
  void meet(Entry& entry);
  void look_for_unmet(formats::Time now);
  void closed(const formats::StateChange& change, formats::Time now);
  void forget(formats::SocketId socket, formats::Time now);
  void forget_broken(formats::Time now);

  std::function<void(formats::SocketId)> heads_;
  std::optional<Other> other_;
  std::set<std::uint32_t> others_;                   // processes that are left to probes
  std::map<std::uint32_t, formats::Time> late_;      // by process: keys_from()
  std::unordered_set<formats::SocketId> fresh_;      // connections that began while their processes were targets
  using Id = std::pair<std::uint32_t, std::string>;  // of a derivation: its process, KeyLog::Entry::id
  std::set<Id> awaited_, met_;              // of connections that keys do not read; of those whose hellos were seen
  formats::Time began_ = formats::kNoTime;  // the first derivation
  std::deque<std::pair<formats::Time, Id>> unmet_;  // perhaps: with the time of the decision
  KeyLog keys_;
  std::unordered_map<formats::SocketId, Entry> connections_;
  std::unordered_set<formats::SocketId> waiting_;
  std::deque<std::pair<formats::Time, formats::SocketId>> broken_;  // in the order in which they are forgotten
  std::size_t memory_ = 0, live_ = 0;
  std::vector<Output> outputs_;
  std::size_t given_ = 0;  // how many next() has returned
  std::map<std::uint32_t, Process> processes_;
  std::uint64_t sessions_begun_ = 0, read_ = 0;
  std::array<std::uint64_t, 2> lost_{};
  bool secrets_lost_ = false;
  const Entry* settling_ = nullptr;
};

}  // namespace tailcap::capture::decrypt

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
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "capture/decrypt/connection.h"
#include "capture/decrypt/key_log.h"
#include "formats/event.h"

namespace tailcap::capture::decrypt {

class Decryptor {
 public:
  static constexpr std::size_t kMaxConnections = 1u << 16;
  static constexpr std::size_t kMaxLive = 1u << 13;     // read at a time: 12 KiB each
  static constexpr std::size_t kMaxMemory = 64u << 20;  // of records that wait for keys, and of handshakes

  // heads_suffice: called with a socket that carries HTTP/1: of long records the beginning and the end are enough.
  explicit Decryptor(std::function<void(formats::SocketId)> heads_suffice) : heads_(std::move(heads_suffice)) {}

  // Keeps memory from being written to a swap device, if the rights suffice. Call before they are given up.
  static bool lock_memory();

  void secret(std::span<const std::byte> record, formats::Time now);  // a record_tls_secret
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
  // No more events come: what still waits for keys is not read.
  void finish();

 private:
  struct Output {
    formats::Event event;
    std::string head, tail;
    Output() = default;
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    ~Output();
  };
  void moved(const formats::Event& event, const formats::Io& io);
  // null: it is not to be read. memory: as counted in memory_. known: so is its process.
  struct Entry {
    std::unique_ptr<Connection> connection;
    formats::TlsSessionId session = 0;
    std::size_t memory = 0;
    bool waits = false, known = false, live = false;
  };
  void gather(formats::SocketId socket, Entry& entry);
  void emit(formats::SocketId socket, formats::TlsSessionId session, Content&& content);
  void settle(formats::SocketId socket, Entry& entry);
  void end(Entry& entry);
  struct Process {
    std::array<std::uint64_t, 4> connections{};  // that were not read, by Unread
    std::array<std::uint64_t, 2> calls{};        // lost if it is one that shows secrets, and not counted yet
    bool known = false;                          // it has shown secrets
  };
  Process& process(std::uint32_t pid);
  void tally(Connection& connection);
  void count_calls(Process& process);
  void closed(formats::SocketId socket, const formats::Event& event);

  std::function<void(formats::SocketId)> heads_;
  KeyLog keys_;
  std::unordered_map<formats::SocketId, Entry> connections_;
  std::unordered_set<formats::SocketId> waiting_;
  std::size_t memory_ = 0, live_ = 0;
  std::deque<Output> outputs_;
  bool given_ = false;  // the first one was returned by next()
  std::map<std::uint32_t, Process> processes_;
  std::uint64_t sessions_begun_ = 0, read_ = 0;
  std::array<std::uint64_t, 2> lost_{};
  bool secrets_lost_ = false;
};

}  // namespace tailcap::capture::decrypt

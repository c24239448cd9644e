// Adds up TLS connections by peer: handshakes, how they ended and how long they took, bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/message.h"

namespace tailcap::tail {

class TlsConnections {
 public:
  // Messages of kind handshake and closed; connection: where the message came from, nullptr: forgotten.
  void push(const model::Message& message, const model::Connection* connection);
  // Plaintext of this connection was recorded. At any time.
  void has_plaintext(model::ConnectionId id);
  std::vector<model::TlsPeer> list() const;  // most connections first
  // Connections without plaintext.
  std::uint64_t encrypted() const;

 private:
  struct Open {
    std::uint32_t peer = 0;  // index into peers_
    std::uint8_t ended = 0;  // directions, as bits
  };
  struct Peer {
    model::TlsPeer sums;
    std::uint16_t version = 0;
    bool several_versions = false;
    std::vector<std::int64_t> durations;  // ns
    std::map<std::string, std::uint64_t> failures;
  };
  Peer& peer_of(const model::TlsFacts& facts, const model::Connection* connection, std::uint32_t& index);

  std::map<std::string, std::uint32_t> index_;
  std::vector<Peer> peers_;
  std::unordered_map<model::ConnectionId, Open> open_;
  std::unordered_map<model::ConnectionId, std::uint32_t> of_;  // peer of those that may turn out to have plaintext
  std::unordered_map<model::ConnectionId, bool> plain_;
};

}  // namespace tailcap::tail

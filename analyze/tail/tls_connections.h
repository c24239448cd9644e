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
  // Plaintext of this connection was recorded; or only a session of it was seen, which moved none. At any time.
  void has_plaintext(model::ConnectionId id);
  void has_session(model::ConnectionId id);
  std::vector<model::TlsPeer> list() const;  // most connections first
  // Connections without plaintext.
  std::uint64_t encrypted() const;
  // Those whose handshake did not fail, at which the recorded end was the client, or was not.
  std::uint64_t unread(bool client) const;

 private:
  struct Open {
    std::uint32_t peer = 0;  // index into peers_
    std::uint8_t ended = 0;  // directions, as bits
    model::Direction client = model::Direction::out;
    bool asked = false;  // the client sent more than the handshake and an alert
  };
  struct Peer {
    model::TlsPeer sums;
    std::uint16_t version = 0;
    bool several_versions = false;
    std::vector<std::int64_t> durations;  // ns
    std::map<std::string, std::uint64_t> failures;
  };
  void settle(model::ConnectionId id, bool plaintext);
  void nothing_asked(model::ConnectionId id);
  Peer& peer_of(const model::TlsFacts& facts, const model::Connection* connection, std::uint32_t& index);

  std::map<std::string, std::uint32_t> index_;
  std::vector<Peer> peers_;
  std::unordered_map<model::ConnectionId, Open> open_;
  struct Unread {
    std::uint32_t peer = 0;                // index into peers_
    bool encrypted = true, unread = true;  // counted as such
  };
  std::unordered_map<model::ConnectionId, Unread> of_;   // those that may turn out to have plaintext
  std::unordered_map<model::ConnectionId, bool> plain_;  // has plaintext; false: a session without
};

}  // namespace tailcap::tail

// The last stage before the file: all payload of sockets and of TLS sessions passes it, and only bytes proved to be
// needed are kept. Lengths and positions do not change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "capture/mask/http/header_list.h"
#include "capture/mask/sheet/keep.h"
#include "formats/event_names.h"
#include "formats/mask/connection.h"
#include "formats/mask/connection_table.h"
#include "formats/masking.h"
#include "formats/sheet.h"
#include "formats/socket_event.h"
#include "formats/tls_event.h"

namespace tailcap::capture::mask {

using formats::Sheet;

// HTTP that passed, as far as heads were read while it passed: what a user sees while it records.
struct Passed {
  std::uint64_t served = 0, called = 0;  // requests that came in, that went out
  std::uint64_t server_errors = 0;       // responses of 500 and more that went out; of HTTP/1 only
  bool http2 = false;                    // some of it is HTTP/2, whose statuses are not read here
};

class Gate {
 public:
  using Connections = formats::mask::ConnectionTable<formats::mask::Connection>;

  // most: connections; most_waiting: bytes of text that waits for what follows it.
  explicit Gate(const Keep& keep = {}, std::size_t most = Connections::kMost,
                std::size_t most_waiting = formats::mask::Waiting::kMost)
      : keep_(keep), list_(keep), waiting_(most_waiting), connections_(most) {}

  // A new connection begins at the positions in info. Only those of the connections in a keyframe that existed before
  // belong here: the others are in the middle of their streams. Datagram sockets: at any time.
  void begin(const formats::SocketInfo& info);

  // All sockets that a keyframe lists. It says what those are that a gap left without a description.
  void listed(const std::vector<formats::SocketInfo>& sockets);

  // Since sockets were last listed, a connection moved bytes that nothing has described: it is read once it is listed.
  bool misses_description() const { return undescribed_; }

  // Masks an event: the payload's head and tail are replaced by the bytes that are kept, valid until the next call.
  void take(formats::Event& event);

  // Covers all connections and sessions so far that moved bytes.
  const formats::Masking& statement() const { return sum_; }
  const Passed& passed() const { return passed_; }
  // Connections with records of TLS; TLS sessions whose plaintext was seen.
  std::uint64_t encrypted() const { return encrypted_; }
  std::uint64_t plaintexts() const { return plaintexts_; }
  std::size_t waiting() const { return waiting_.total(); }

 private:
  void begin(const formats::TlsStep& step);
  void describe(formats::mask::Connection& connection, const formats::SocketInfo& info) const;
  template <class AnyIo>
  void apply_to(std::uint64_t id, AnyIo& io);

  Keep keep_;
  HeaderList list_;
  formats::mask::Waiting waiting_;  // outlives the connections
  Connections connections_;
  bool undescribed_ = false;
  std::unordered_set<std::uint16_t> listening_;  // ports, when sockets were last listed
  formats::Masking sum_;
  std::uint64_t encrypted_ = 0, plaintexts_ = 0;
  Passed passed_;
  Sheet sheet_;
  std::string datagram_;
};

}  // namespace tailcap::capture::mask

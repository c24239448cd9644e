// The last stage before the file: all payload of sockets and of TLS sessions passes it, and only bytes proved to be
// needed are kept. Lengths and positions do not change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "capture/mask/connection.h"
#include "capture/mask/http/header_list.h"
#include "capture/mask/sheet/keep.h"
#include "formats/event.h"
#include "formats/sheet.h"

namespace tailcap::capture::mask {

using formats::Sheet;

class Gate {
 public:
  // Beyond this, the least recently used connection is forgotten. If it is used again, it is in doubt.
  static constexpr std::size_t kMaxConnections = 1u << 16;

  explicit Gate(const Keep& keep = {}, std::size_t most = kMaxConnections) : keep_(keep), list_(keep), most_(most) {}

  // A new connection begins at the positions in info. Of the connections in a keyframe, only those that existed before
  // belong here: the others are in the middle of their streams. Datagram sockets: at any time.
  void begin(const formats::SocketInfo& info);

  // All sockets that a keyframe lists. Of those that a gap left without a description, it says what they are.
  void listed(const std::vector<formats::SocketInfo>& sockets);

  // Masks an event: the payload's head and tail are replaced by the bytes that are kept, valid until the next call.
  void take(formats::Event& event);

  // Covers all connections and sessions so far that moved bytes.
  const formats::Masking& statement() const { return sum_; }

 private:
  // Calls in flight when a connection is reset or a session freed are recorded after that, and continue where others
  // stopped. Far more than threads that are in such a call:
  static constexpr std::size_t kClosedKept = 1024;

  struct Entry {
    Connection connection;
    std::list<std::uint64_t>::iterator used;
  };
  void begin(const formats::TlsStep& step);
  void describe(Connection& connection, const formats::SocketInfo& info) const;
  void forget_later(std::uint64_t id);
  void forget(std::uint64_t id);
  Connection& connection(std::uint64_t id);
  template <class AnyIo>
  void apply_to(std::uint64_t id, AnyIo& io);

  Keep keep_;
  HeaderList list_;
  std::size_t most_;
  std::unordered_map<std::uint64_t, Entry> connections_;
  std::list<std::uint64_t> order_;               // most recently used first
  std::deque<std::uint64_t> closed_;             // oldest first
  std::unordered_set<std::uint16_t> listening_;  // ports, when sockets were last listed
  formats::Masking sum_;
  Sheet sheet_;
};

}  // namespace tailcap::capture::mask

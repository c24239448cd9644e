// Packets that the kernel dropped, by reason and destination.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/event_names.h"
#include "formats/recorder_event.h"
#include "formats/socket_event.h"
#include "formats/time.h"

namespace tailcap::model {

// For one reason, with one destination.
struct DroppedPackets {
  std::string reason;  // the kernel's name
  std::string to;      // the destination in the packets' headers; empty: not known
  std::uint64_t count = 0;
  formats::Time first = formats::kNoTime;  // the second with the first of them
  std::uint64_t most = 0;                  // in one second
};

class DropTable {
 public:
  static constexpr std::size_t kMaxDrops = 10'000;  // others of a reason are added up as one, without a destination
  static constexpr std::size_t kMaxEnds = 1u << 16;

  void push(const formats::PacketDrops& drops);
  // An end of a recorded connection, or a listener.
  void push(const formats::SocketInfo& socket);
  void clear() { drops_.clear(); }
  // Most first.
  std::vector<DroppedPackets> all() const;
  // Those whose destination was an end of a recorded connection, or a port on which a recorded process listened.
  std::vector<DroppedPackets> to_recorded() const;

 private:
  using End = std::pair<std::array<std::uint8_t, 16>, std::uint16_t>;  // IPv4 as IPv6 writes it
  struct Drops {
    DroppedPackets packets;
    End end{};
  };
  using Key = std::pair<std::string, std::string>;  // reason, destination
  static End end_of(formats::Family family, const formats::Address& address);
  template <class Wanted>
  std::vector<DroppedPackets> list(Wanted wanted) const;

  std::map<Key, Drops> drops_;
  std::set<End> ends_;
};

}  // namespace tailcap::model

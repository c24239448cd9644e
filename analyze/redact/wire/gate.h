// All payload of sockets and of TLS sessions passes here, and only bytes proved to be needed are kept. Lengths and
// positions do not change. What is kept of which connection: connection.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <unordered_map>

#include "analyze/redact/rules/header_list.h"
#include "analyze/redact/wire/connection.h"
#include "formats/event.h"
#include "formats/sheet.h"

namespace tailcap::redact::wire {

using formats::Sheet;

class Gate {
 public:
  // Beyond this, the least recently used connection is forgotten. If it is used again, it is in doubt.
  static constexpr std::size_t kMaxConnections = 1u << 16;

  explicit Gate(const HeaderList& list, std::size_t most = kMaxConnections) : list_(list), most_(most) {}

  // Redacts the payload of an event: head and tail are replaced, valid until the next call.
  void take(formats::Event& event);

  // Of what was visible before, and is withheld because its meaning is not known.
  const formats::Masking& withheld() const { return sum_; }

 private:
  // Calls in flight when a connection is reset or a session freed are recorded after that.
  static constexpr std::size_t kClosedKept = 1024;

  struct Entry {
    Connection connection;
    bool begun = false, doubtful = false;
    std::list<std::uint64_t>::iterator used;
  };
  void begin(const formats::SocketInfo& info);
  void begin(const formats::TlsStep& step);
  void forget_later(std::uint64_t id);
  void forget(std::uint64_t id);
  Entry& entry(std::uint64_t id);
  template <class AnyIo>
  void apply_to(std::uint64_t id, AnyIo& io);

  HeaderList list_;
  std::size_t most_;
  bool forgot_ = false;
  std::unordered_map<std::uint64_t, Entry> connections_;
  std::list<std::uint64_t> order_;    // most recently used first
  std::deque<std::uint64_t> closed_;  // oldest first
  formats::Masking sum_;
  Sheet sheet_;
  std::string datagram_;
};

}  // namespace tailcap::redact::wire

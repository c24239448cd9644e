// All payload of sockets and of TLS sessions passes here, and only bytes proved to be needed are kept. Lengths and
// positions do not change. What is kept of which connection: formats/mask/connection.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>

#include "analyze/redact/wire/header_list.h"
#include "formats/event_names.h"
#include "formats/mask/connection.h"
#include "formats/mask/connection_table.h"
#include "formats/masking.h"
#include "formats/sheet.h"
#include "formats/socket_event.h"
#include "formats/tls_event.h"

namespace tailcap::redact::wire {

using formats::Sheet;

class RedactionGate {
 public:
  static constexpr std::size_t kConnections = formats::mask::ConnectionTable<int>::kMost;
  explicit RedactionGate(const HeaderList& list, std::size_t connections = kConnections)
      : list_(list), connections_(connections) {}

  // Redacts the payload of an event: head and tail are replaced, valid until the next call.
  void take(formats::Event& event);

  // What was visible before, and is withheld because its meaning is not known.
  const formats::Masking& withheld() const { return sum_; }

 private:
  struct Entry {
    formats::mask::Connection connection;
    bool begun = false, doubtful = false;
  };
  void begin(const formats::SocketInfo& info);
  void describe(formats::mask::Connection& connection, const formats::SocketInfo& info);
  void begin(const formats::TlsStep& step);
  template <class AnyIo>
  void apply_to(std::uint64_t id, AnyIo& io);

  HeaderList list_;
  formats::mask::ConnectionTable<Entry> connections_;
  std::unordered_set<std::uint16_t> listening_;  // ports
  formats::Masking sum_;
  Sheet sheet_;
  std::string datagram_;
};

}  // namespace tailcap::redact::wire

// Joins the first request of a connection with what came before it: the lookup of its name, the connect, TLS.
//
// The lookup of a connection is of the same process, was answered before the connect, and one of its addresses is the
// remote one; of several the last. It belongs to one connection: a second to the same address has its name from memory.
// Only if the first failed may the next have it.
#pragma once

#include <memory>
#include <optional>

#include "analyze/model/request.h"
#include "analyze/model/setup.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/lookup.h"
#include "analyze/model/wire/tls.h"
#include "formats/event_names.h"

namespace tailcap::causes {

class SetupFinder {
 public:
  SetupFinder();
  ~SetupFinder();
  // Connects and their ends; every event, after the lookups that it ended.
  void push(const formats::Event& event);
  void push(const model::Lookup& lookup);
  // The handshake of a connection that carries TLS.
  void push(model::ConnectionId id, std::shared_ptr<const model::TlsFacts> facts);
  // An exchange of this connection; carrier: the TCP connection that carries it, which is the same without TLS.
  void push(const model::Exchange& exchange, const model::Connection& connection, const model::Connection& carrier,
            model::TextPool& texts);
  // The plaintext of a TLS session has ended: its carrier may have become known since.
  void ended(const model::Connection& session, const model::Connection& carrier, model::TextPool& texts);
  // Fills table.setups; its rows are sorted by start.
  void settle(model::RequestTable& table);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::causes

// Joins the first request of a connection with what came before it: the lookup of its name, the connect, TLS.
//
// The lookup of a connection is of the same process, was answered before the connect, and one of its addresses is the
// remote one; of several the last. It belongs to one connection: a second to the same address has its name from memory.
// Only if the first failed may the next have it.
#pragma once

#include <memory>
#include <optional>

#include "analyze/flow/connection.h"
#include "analyze/flow/lookup.h"
#include "analyze/flow/request.h"
#include "analyze/flow/setup.h"
#include "analyze/flow/tls.h"

namespace tailcap::causes {

class SetupFinder {
 public:
  SetupFinder();
  ~SetupFinder();
  // Connects and their ends; every event, after the lookups that it ended.
  void push(const formats::Event& event);
  void push(const flow::Lookup& lookup);
  // The handshake of a connection that carries TLS.
  void push(flow::ConnectionId id, std::shared_ptr<const flow::TlsFacts> facts);
  // An exchange of this connection; carrier: the TCP connection that carries it, which is the same without TLS.
  void push(const flow::Exchange& exchange, const flow::Connection& connection, const flow::Connection& carrier,
            flow::TextPool& texts);
  // The plaintext of a TLS session has ended: its carrier may have become known since.
  void ended(const flow::Connection& session, const flow::Connection& carrier, flow::TextPool& texts);
  // Fills table.setups; its rows are sorted by start.
  void settle(flow::RequestTable& table);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::causes

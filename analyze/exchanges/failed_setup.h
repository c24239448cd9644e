// A connect, a TLS handshake or the look-up of a name that failed, as a call of the client: what was asked for never
// came to be.
#pragma once

#include <optional>

#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/lookup.h"
#include "analyze/model/wire/tls.h"

namespace tailcap::exchanges {

// The end of a connection. None where this end did not connect, or was connected.
std::optional<model::Exchange> failed_connect(const model::Connection& connection, model::End how);
// A handshake that failed. None where this end is not the client's.
std::optional<model::Exchange> failed_handshake(const model::Connection& connection, const model::TlsFacts& facts);
// connection: with the name server.
model::Exchange failed_lookup(const model::Connection& connection, const model::FailedName& name);

}  // namespace tailcap::exchanges

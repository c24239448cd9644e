// What the first half of the first reading makes of events, in order: of each event first the event itself with the
// lookups that it ended, then names that were asked for in vain, then what its bytes have become.
#pragma once

#include <memory>
#include <span>

#include "analyze/model/wire/byte_run.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/lookup.h"
#include "analyze/model/wire/message.h"
#include "formats/event_names.h"

namespace tailcap::pipeline {

class WireSink {
 public:
  virtual ~WireSink() = default;
  virtual void push(const formats::Event& event, std::span<const model::Lookup> ended) = 0;
  virtual void failed(const model::FailedName& name, const model::Connection& connection) = 0;
  // A handshake, or the end of a direction. connection and its carrier may be null. The sink may swap the message for
  // another.
  virtual void push(std::unique_ptr<model::Message>& message, const model::Connection* connection,
                    const model::Connection* carrier) = 0;
  // Likewise.
  virtual void push(std::unique_ptr<model::Exchange>& exchange, const model::Connection* connection,
                    const model::Connection* carrier) = 0;
  // A direction of the connection has ended. carrier: of a TLS session; may be null.
  virtual void ended(const model::Connection& connection, const model::Connection* carrier, model::End how) = 0;
};

}  // namespace tailcap::pipeline

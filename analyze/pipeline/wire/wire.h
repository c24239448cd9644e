// What crosses the wire, from events to messages and exchanges: the only composition of these stages, so that every
// reading of a capture gives connections and exchanges the same numbers.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "analyze/exchanges/exchanges.h"
#include "analyze/model/wire/byte_run.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/lookup.h"
#include "analyze/model/wire/message.h"
#include "analyze/names/lookups.h"
#include "analyze/protocols/protocols.h"
#include "analyze/streams/streams.h"
#include "formats/event.h"
#include "ground/slots.h"

namespace tailcap::pipeline {

class Wire {
 public:
  explicit Wire(model::PartlyRead partly = {}) : streams_(std::move(partly)) {}

  // The bytes that this event completed; none of datagrams. Valid until the next push.
  std::span<const model::ByteRun> push(const formats::Event& event) {
    lookups_ = names_.push(event);
    failed_.clear();
    for (const model::FailedName& name : names_.failed()) failed_.push_back({&name, streams_.add(name)});
    names_failed_ += failed_.size();
    if (names_.took()) return {};
    return streams_.push(event);
  }
  // The lookups that the event pushed last ended, and whether that event is of a datagram socket.
  std::span<const model::Lookup> lookups() const { return lookups_; }
  bool datagram() const { return names_.took(); }
  // The names that were asked for in vain, as far as that is known since this event; each as a connection end.
  struct Failed {
    const model::FailedName* name;
    const model::Connection* connection;
  };
  std::span<const Failed> failed_names() const { return failed_; }
  std::uint64_t names_failed() const { return names_failed_; }  // so far
  bool names_pending() const { return names_.pending(); }

  // The messages that these bytes complete, as Parsers::push() says.
  ground::Slots<model::Message>& messages(const model::ByteRun& run) { return parsers_.push(run); }

  const model::Connection* connection(model::ConnectionId id) const { return streams_.connection(id); }
  std::uint32_t connections() const { return streams_.connections(); }
  streams::Streams& streams() { return streams_; }
  const streams::Streams& streams() const { return streams_; }
  const protocols::Parsers& parsers() const { return parsers_; }

 private:
  names::Lookups names_;
  std::span<const model::Lookup> lookups_;
  std::vector<Failed> failed_;
  std::uint64_t names_failed_ = 0;
  streams::Streams streams_;
  protocols::Parsers parsers_;
};

// The same with the exchanges, on one thread.
class ExchangeWire : public Wire {
 public:
  explicit ExchangeWire(const model::PartlyRead& partly = {}, exchanges::Exchanges::Numbers numbers = {})
      : Wire(partly), exchanges_(partly, std::move(numbers)) {}

  // Calls each(exchange) for every exchange that these bytes complete.
  template <class Each>
  void exchanges(const model::ByteRun& run, Each each) {
    for (const model::Message& message : messages(run))
      for (const model::Exchange& exchange : exchanges_.push(message)) each(exchange);
  }

 private:
  exchanges::Exchanges exchanges_;
};

}  // namespace tailcap::pipeline

// The first reading: events become bytes in order, messages, exchanges, and what is made of each.
//
//   Event → Streams → Parsers → Exchanges → Requests
//                                         → Connections
//                                         → Recording
#pragma once

#include <cstdint>

#include "analyze/exchanges/exchanges.h"
#include "analyze/names/lookups.h"
#include "analyze/pipeline/connections.h"
#include "analyze/pipeline/recording.h"
#include "analyze/pipeline/requests.h"
#include "analyze/protocols/protocols.h"
#include "analyze/streams/streams.h"
#include "formats/file/read_limits.h"

namespace tailcap::pipeline {

class WirePass {
 public:
  // Without an allowance there may be as many requests as there are.
  WirePass(const formats::Preamble& preamble, const Options& options, formats::RequestAllowance* allowance);

  void push(const formats::Event& event);
  // After the last event: all requests are known.
  void end() { requests_.settle(recording_.facts()); }

  Requests& requests() { return requests_; }
  Connections& connections() { return connections_; }
  const Recording& recording() const { return recording_; }
  // Counts and findings of the stages. table: that of the requests.
  void fill(const model::RequestTable& table, model::Study& study);

 private:
  bool admit(const model::Message& message);
  void note_tls(const model::Message& message);
  void announce(const model::Exchange& exchange);
  void ended(const model::ByteRun& run);

  formats::RequestAllowance* const allowance_;
  std::uint64_t begun_ = 0;  // requests
  bool full_ = false;        // there may be no more requests: what follows is not looked at
  names::Lookups names_;
  streams::Streams streams_;
  protocols::Parsers parsers_;
  exchanges::Exchanges exchanges_;
  Recording recording_;
  Requests requests_;
  Connections connections_;
};

}  // namespace tailcap::pipeline

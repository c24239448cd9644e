// Events in, exchanges out, through the stages up to exchanges/ in the pipeline's order.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analyze/exchanges/exchanges.h"
#include "analyze/protocols/protocols.h"
#include "analyze/streams/streams.h"
#include "formats/event.h"

namespace tailcap::synth {

struct Chain {
  streams::Streams streams;
  protocols::Parsers parsers;
  exchanges::Exchanges exchanges;

  // Calls each(exchange) for every exchange that this event completed.
  template <class Each>
  void push(const formats::Event& event, Each each) {
    for (const model::ByteRun& run : streams.push(event))
      for (const model::Message& message : parsers.push(run))
        for (const model::Exchange& exchange : exchanges.push(message)) each(exchange);
  }
  model::Findings findings() const;
};

struct Result {
  std::vector<model::Exchange> exchanges;  // sorted by id
  model::Findings findings;
};

// Adds a CaptureEnd if there is none.
Result analyse(std::span<const formats::Event> events);

// All fields of an exchange, one per line, for readable comparisons.
std::string describe(const model::Exchange& exchange);
std::string describe(const std::vector<model::Exchange>& exchanges);

}  // namespace tailcap::synth

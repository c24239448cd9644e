// Bytes in order in, messages out: decides per connection what it carries and keeps one parser for both directions.
//
// push() returns the messages that this run completed; valid until the next push for the same part of the connections
// (ground::part_of). They may be swapped out. Different parts may be pushed at the same time.
#pragma once

#include <memory>

#include "analyze/model/wire/findings.h"
#include "analyze/model/wire/message.h"
#include "ground/slots.h"

namespace tailcap::protocols {

class Parsers {
 public:
  Parsers();
  ~Parsers();
  ground::Slots<model::Message>& push(const model::ByteRun& run);
  model::Findings findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::protocols

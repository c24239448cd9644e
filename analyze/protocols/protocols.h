// Bytes in order in, messages out: decides per connection what it carries and keeps one parser for both directions.
//
// push() returns the messages that this run completed; valid until the next push. They may be swapped out.
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
  const model::Findings& findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::protocols

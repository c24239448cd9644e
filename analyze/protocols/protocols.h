// Bytes in order in, messages out: decides per connection what it carries and keeps one parser for both directions.
//
// push() returns the messages that this run completed; valid until the next push.
#pragma once

#include <memory>
#include <span>

#include "analyze/flow/findings.h"
#include "analyze/flow/message.h"

namespace tailcap::protocols {

class Parsers {
 public:
  Parsers();
  ~Parsers();
  std::span<const flow::Message> push(const flow::ByteRun& run);
  const flow::Findings& findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::protocols

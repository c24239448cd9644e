// How a message's body ends: RFC 9112 section 6.3.
#pragma once

#include "analyze/protocols/http1/lane.h"

namespace tailcap::protocols {

struct BodyRule {
  BodyFraming framing = BodyFraming::none;
  std::uint64_t length = 0;
};

// What is known of the request that a response answers.
struct AnsweredRequest {
  bool head = false;     // its method is HEAD
  bool connect = false;  // or CONNECT
};

BodyRule request_body(const Framing& framing);
BodyRule response_body(const Framing& framing, int status, const AnsweredRequest& question);

}  // namespace tailcap::protocols

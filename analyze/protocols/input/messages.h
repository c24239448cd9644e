// The messages of one push. Slots are used again with the memory of their strings.
#pragma once

#include "analyze/model/wire/message.h"
#include "ground/slots.h"

namespace tailcap::protocols {

class Messages : public ground::Slots<model::Message> {
 public:
  // Takes the message and leaves a fresh one in its place.
  void take(model::Message& message) {
    model::hand_over(message, add());
    model::renew(message);
  }
};

}  // namespace tailcap::protocols

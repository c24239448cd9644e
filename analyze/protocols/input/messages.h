// The messages of one push. Slots are used again with the memory of their strings.
#pragma once

#include "analyze/model/wire/byte_run.h"
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

// The direction ended with this run.
inline model::Message closed_by(const model::ByteRun& run, model::Protocol protocol) {
  model::Message closed;
  closed.kind = model::MessageKind::closed;
  closed.connection = run.connection;
  closed.direction = run.direction;
  closed.protocol = protocol;
  closed.closed = run.end;
  closed.closed_at = run.done;
  closed.begin = closed.end = run.offset + run.length;
  closed.instants.first_done = closed.instants.last_done = run.done;
  closed.taints = run.taints;
  return closed;
}

}  // namespace tailcap::protocols

#include "analyze/model/wire/message.h"

#include <utility>

namespace tailcap::model {

void renew(Message& m) {
  static_cast<MessageFacts&>(m) = {};
  m.method.clear();
  m.target.clear();
  m.headers.clear();
  m.trailers.clear();
  m.tls.reset();
  m.grpc.reset();
  m.store.reset();
  m.window_waits = {};
}

void hand_over(Message& from, Message& to) {
  static_cast<MessageFacts&>(to) = static_cast<const MessageFacts&>(from);
  to.method.swap(from.method);
  to.target.swap(from.target);
  to.headers.swap(from.headers);
  to.trailers.swap(from.trailers);
  to.tls.swap(from.tls);
  to.grpc.swap(from.grpc);
  to.store.swap(from.store);
  std::swap(to.window_waits, from.window_waits);
}

}  // namespace tailcap::model

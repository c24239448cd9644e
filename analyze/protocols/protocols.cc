#include "analyze/protocols/protocols.h"

#include <vector>

#include "analyze/protocols/talk.h"

namespace tailcap::protocols {

struct Parsers::Impl {
  http2::Held held;
  HeldHeads heads;
  std::vector<std::unique_ptr<Talk>> connections;  // by number; empty where ended
  Messages out;
  model::Findings findings;
};

Parsers::Parsers() : impl_(std::make_unique<Impl>()) {}
Parsers::~Parsers() = default;

ground::Slots<model::Message>& Parsers::push(const model::ByteRun& run) {
  Impl& i = *impl_;
  i.out.clear();
  if (run.connection >= i.connections.size()) i.connections.resize(run.connection + 1);
  std::unique_ptr<Talk>& c = i.connections[run.connection];
  if (!c) c = std::make_unique<Talk>(run.connection, i.held, i.heads);
  c->push(run, i.out, i.findings);
  if (c->done()) c.reset();
  return i.out;
}

const model::Findings& Parsers::findings() const { return impl_->findings; }

}  // namespace tailcap::protocols

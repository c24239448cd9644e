#include "analyze/protocols/protocols.h"

#include <vector>

#include "analyze/protocols/talk.h"
#include "ground/threads/parts.h"

namespace tailcap::protocols {

namespace {

struct Part {
  http2::Held held;
  HeldHeads heads;
  std::vector<std::unique_ptr<Talk>> connections;  // by place in the part; empty where ended
  Messages out;
  model::Findings findings;
};

}  // namespace

struct Parsers::Impl {
  ground::Parts<Part> parts;
};

Parsers::Parsers() : impl_(std::make_unique<Impl>()) {}
Parsers::~Parsers() = default;

ground::Slots<model::Message>& Parsers::push(const model::ByteRun& run) {
  Part& part = impl_->parts[ground::part_of(run.connection)];
  part.out.clear();
  const std::size_t place = ground::place_in_part(run.connection);
  if (place >= part.connections.size()) part.connections.resize(place + 1);
  std::unique_ptr<Talk>& c = part.connections[place];
  if (!c) c = std::make_unique<Talk>(run.connection, part.held, part.heads);
  c->push(run, part.out, part.findings);
  if (c->done()) c.reset();
  return part.out;
}

model::Findings Parsers::findings() const {
  model::Findings all;
  for (const Part& part : impl_->parts) all.add(part.findings);
  return all;
}

}  // namespace tailcap::protocols

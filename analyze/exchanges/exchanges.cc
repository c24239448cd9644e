#include "analyze/exchanges/exchanges.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "analyze/exchanges/by_stream.h"
#include "analyze/exchanges/conversation.h"
#include "ground/threads/parts.h"

namespace tailcap::exchanges {

namespace {

// One connection: HTTP/1, HTTP/2, or the one and then, upgraded, the other.
struct Pairing {
  std::unique_ptr<Conversation> in_order;
  std::unique_ptr<ByStream> by_stream;
};

struct Part {
  std::vector<Pairing> pairings;  // by place in the part; empty where ended
  Exchanged out;
  model::Findings findings;
};

}  // namespace

struct Exchanges::Impl {
  const model::PartlyRead partly;
  const Numbers numbers;
  ground::Parts<Part> parts;

  std::uint32_t numbered(model::ConnectionId id) const {
    if (!partly.contains(id)) return 0;
    const auto at = numbers.find(id);
    return at == numbers.end() ? model::kProvisional : at->second;
  }
};

Exchanges::Exchanges(model::PartlyRead partly, Numbers numbers)
    : impl_(new Impl{std::move(partly), std::move(numbers), {}}) {}
Exchanges::~Exchanges() = default;
Exchanges::Exchanges(Exchanges&&) noexcept = default;

ground::Slots<model::Exchange>& Exchanges::push(const model::Message& m) {
  Part& part = impl_->parts[ground::part_of(m.connection)];
  part.out.clear();
  if (m.kind == model::MessageKind::handshake) return part.out.all();
  const std::size_t place = ground::place_in_part(m.connection);
  if (place >= part.pairings.size()) part.pairings.resize(place + 1);
  Pairing& p = part.pairings[place];
  const bool closed = m.kind == model::MessageKind::closed;
  // The answer to the request with which a connection was upgraded comes on stream 1.
  const bool upgraded = m.stream == 1 && m.kind != model::MessageKind::request && p.in_order && p.in_order->waiting();
  if (m.stream != 0 && !upgraded && !p.by_stream)
    p.by_stream =
        std::make_unique<ByStream>(m.connection, p.in_order ? p.in_order->numbers() : impl_->numbered(m.connection));
  if (m.stream == 0 && !p.in_order && !(closed && p.by_stream))
    p.in_order = std::make_unique<Conversation>(m.connection, impl_->numbered(m.connection));
  if (p.in_order && (m.stream == 0 || upgraded)) {
    p.in_order->push(m, part.out, part.findings);
    if (p.in_order->done()) p.in_order.reset();
  }
  if (p.by_stream && (closed || (m.stream != 0 && !upgraded))) {
    p.by_stream->push(m, part.out, part.findings);
    if (p.by_stream->done()) p.by_stream.reset();
  }
  return part.out.all();
}

model::Findings Exchanges::findings() const {
  model::Findings all;
  for (const Part& part : impl_->parts) all.add(part.findings);
  return all;
}

void Exchanges::each_under_way(const std::function<void(const model::Exchange&)>& use) const {
  std::size_t most = 0;
  for (const Part& part : impl_->parts) most = std::max(most, part.pairings.size());
  for (std::size_t place = 0; place < most; ++place)
    for (const Part& part : impl_->parts) {
      if (place >= part.pairings.size()) continue;
      const Pairing& p = part.pairings[place];
      if (p.in_order) p.in_order->each_under_way(use);
      if (p.by_stream) p.by_stream->each_under_way(use);
    }
}

}  // namespace tailcap::exchanges

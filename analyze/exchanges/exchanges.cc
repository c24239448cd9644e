#include "analyze/exchanges/exchanges.h"

#include <utility>
#include <vector>

#include "analyze/exchanges/by_stream.h"
#include "analyze/exchanges/conversation.h"

namespace tailcap::exchanges {

namespace {

// One connection: HTTP/1, HTTP/2, or the one and then, upgraded, the other.
struct Pairing {
  std::unique_ptr<Conversation> in_order;
  std::unique_ptr<ByStream> by_stream;
};

}  // namespace

struct Exchanges::Impl {
  const model::PartlyRead partly;
  const Numbers numbers;
  std::vector<Pairing> pairings;  // by connection; empty where ended
  Exchanged out;
  model::Findings findings;

  std::uint32_t numbered(model::ConnectionId id) const {
    if (!partly.contains(id)) return 0;
    const auto at = numbers.find(id);
    return at == numbers.end() ? model::kProvisional : at->second;
  }
};

Exchanges::Exchanges(model::PartlyRead partly, Numbers numbers)
    : impl_(new Impl{std::move(partly), std::move(numbers), {}, {}, {}}) {}
Exchanges::~Exchanges() = default;
Exchanges::Exchanges(Exchanges&&) noexcept = default;

ground::Slots<model::Exchange>& Exchanges::push(const model::Message& m) {
  Impl& i = *impl_;
  i.out.clear();
  if (m.kind == model::MessageKind::handshake) return i.out.all();
  if (m.connection >= i.pairings.size()) i.pairings.resize(m.connection + 1);
  Pairing& p = i.pairings[m.connection];
  const bool closed = m.kind == model::MessageKind::closed;
  // The answer to the request with which a connection was upgraded comes on stream 1.
  const bool upgraded = m.stream == 1 && m.kind != model::MessageKind::request && p.in_order && p.in_order->waiting();
  if (m.stream != 0 && !upgraded && !p.by_stream)
    p.by_stream =
        std::make_unique<ByStream>(m.connection, p.in_order ? p.in_order->numbers() : i.numbered(m.connection));
  if (m.stream == 0 && !p.in_order && !(closed && p.by_stream))
    p.in_order = std::make_unique<Conversation>(m.connection, i.numbered(m.connection));
  if (p.in_order && (m.stream == 0 || upgraded)) {
    p.in_order->push(m, i.out, i.findings);
    if (p.in_order->done()) p.in_order.reset();
  }
  if (p.by_stream && (closed || (m.stream != 0 && !upgraded))) {
    p.by_stream->push(m, i.out, i.findings);
    if (p.by_stream->done()) p.by_stream.reset();
  }
  return i.out.all();
}

const model::Findings& Exchanges::findings() const { return impl_->findings; }

void Exchanges::each_under_way(const std::function<void(const model::Exchange&)>& use) const {
  for (const Pairing& p : impl_->pairings) {
    if (p.in_order) p.in_order->each_under_way(use);
    if (p.by_stream) p.by_stream->each_under_way(use);
  }
}

}  // namespace tailcap::exchanges

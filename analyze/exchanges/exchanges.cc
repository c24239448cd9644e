#include "analyze/exchanges/exchanges.h"

#include <vector>

#include "analyze/exchanges/conversation.h"

namespace tailcap::exchanges {

struct Exchanges::Impl {
  std::vector<std::unique_ptr<Conversation>> conversations;  // by connection; empty where ended
  Exchanged out;
  flow::Findings findings;
};

Exchanges::Exchanges() : impl_(std::make_unique<Impl>()) {}
Exchanges::~Exchanges() = default;

std::span<const flow::Exchange> Exchanges::push(const flow::Message& m) {
  Impl& i = *impl_;
  i.out.clear();
  if (m.connection >= i.conversations.size()) i.conversations.resize(m.connection + 1);
  std::unique_ptr<Conversation>& c = i.conversations[m.connection];
  if (!c) {
    c = std::make_unique<Conversation>(m.connection);
  }
  c->push(m, i.out, i.findings);
  if (c->done()) c.reset();
  return i.out.all();
}

const flow::Findings& Exchanges::findings() const { return impl_->findings; }

}  // namespace tailcap::exchanges

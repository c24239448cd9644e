// The exchanges of one connection end of HTTP/2, or of a store that numbers its calls: request and response share a
// number, and come in any order. Either side may ask.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "analyze/exchanges/conversation.h"

namespace tailcap::exchanges {

class ByStream {
 public:
  // numbered: exchanges of this connection that have a number already (it was upgraded).
  ByStream(model::ConnectionId id, std::uint32_t numbered) : id_(id), numbered_(numbered) {}
  void push(const model::Message& message, Exchanged& out, model::Findings& findings);
  bool done() const { return closed_[0] && closed_[1]; }
  void each_under_way(const std::function<void(const model::Exchange&)>& use) const;

 private:
  using Drafts = std::map<std::uint32_t,
                          std::unique_ptr<ExchangeDraft>>;  // bounded: the parser gives up streams, and says so of each

  void message(const model::Message& m, Exchanged& out, model::Findings& findings);
  void close(const model::Message& m, Exchanged& out, model::Findings& findings);
  Drafts::iterator finish(Drafts::iterator draft, Exchanged& out, model::Findings& findings);
  void unanswered(ExchangeDraft& draft) const;

  model::ConnectionId id_;
  std::uint32_t numbered_;
  Drafts drafts_;
  bool closed_[2] = {false, false};
  model::End ends_[2] = {model::End::none, model::End::none};
  model::Taints end_taints_[2] = {0, 0};
  model::Time ended_at_[2] = {model::kNoTime, model::kNoTime};
};

}  // namespace tailcap::exchanges

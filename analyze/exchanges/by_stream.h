// The exchanges of one HTTP/2 connection end: request and response share a stream number, and come in any order.
#pragma once

#include <cstdint>
#include <map>

#include "analyze/exchanges/conversation.h"

namespace tailcap::exchanges {

class ByStream {
 public:
  // numbered: exchanges of this connection that have a number already (it was upgraded).
  ByStream(flow::ConnectionId id, std::uint32_t numbered) : id_(id), numbered_(numbered) {}
  void push(const flow::Message& message, Exchanged& out, flow::Findings& findings);
  bool done() const { return closed_[0] && closed_[1]; }

 private:
  using Drafts = std::map<std::uint32_t, ExchangeDraft>;  // bounded: the parser gives up streams, and says so of each

  void message(const flow::Message& m, Exchanged& out, flow::Findings& findings);
  void close(const flow::Message& m, Exchanged& out, flow::Findings& findings);
  Drafts::iterator finish(Drafts::iterator draft, Exchanged& out, flow::Findings& findings);
  void unanswered(ExchangeDraft& draft) const;

  flow::ConnectionId id_;
  std::uint32_t numbered_;
  flow::Role role_ = flow::Role::server;
  Drafts drafts_;
  bool closed_[2] = {false, false};
  flow::End ends_[2] = {flow::End::none, flow::End::none};
  flow::Taints end_taints_[2] = {0, 0};
};

}  // namespace tailcap::exchanges

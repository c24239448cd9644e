// The exchanges of one connection end, in order: HTTP/1 answers in the order in which it was asked.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "analyze/flow/exchange.h"
#include "analyze/flow/findings.h"

namespace tailcap::exchanges {

// A send is stamped when the call returns: the client may have the last byte and ask again before that. Only a
// request that was there longer before the stamp counts as pipelined.
inline constexpr flow::Duration kSendReturn = std::chrono::milliseconds{1};

// An exchange in the making.
struct ExchangeDraft {
  flow::Exchange exchange;
  bool asked = false, answered = false;
  flow::Ending request_ending = flow::Ending::complete, response_ending = flow::Ending::complete;
  flow::End broken_by = flow::End::none;  // what truncated the response, or came in its place
  flow::Taints end_taints = 0;            // of the end that came in its place
};

// Finished exchanges and drafts, with the memory of their strings used again.
class Exchanged {
 public:
  void clear() { used_ = 0; }
  void take(flow::Exchange& exchange) {
    if (used_ == slots_.size()) slots_.emplace_back();
    std::swap(slots_[used_++], exchange);
  }
  std::span<const flow::Exchange> all() const { return std::span(slots_).first(used_); }
  std::unique_ptr<ExchangeDraft> fresh();
  void give_back(std::unique_ptr<ExchangeDraft> draft);

 private:
  std::vector<flow::Exchange> slots_;
  std::size_t used_ = 0;
  std::vector<std::unique_ptr<ExchangeDraft>> pool_;
};

class Conversation {
 public:
  explicit Conversation(flow::ConnectionId id) : id_(id) {}
  void push(const flow::Message& message, Exchanged& out, flow::Findings& findings);
  // Both directions have ended and everything was handed on.
  bool done() const { return closed_[0] && closed_[1]; }
  // A request waits for its response.
  bool waiting() const { return head_ < drafts_.size() && drafts_[head_]->asked && !drafts_[head_]->answered; }
  // Numbers given, and to be given to what is open.
  std::uint32_t numbers() const { return numbered_ + static_cast<std::uint32_t>(drafts_.size() - head_); }

 private:
  void request(const flow::Message& m, Exchanged& out);
  void response(const flow::Message& m, Exchanged& out, flow::Findings& findings);
  void interim(const flow::Message& m, Exchanged& out);
  void close(const flow::Message& m);
  void hand_on(Exchanged& out, flow::Findings& findings);
  void finish(ExchangeDraft& draft, flow::Findings& findings);
  ExchangeDraft& draft_for_request(Exchanged& out);
  ExchangeDraft& draft_for_response(Exchanged& out);
  ExchangeDraft& add(Exchanged& out);
  void pop(Exchanged& out, flow::Findings& findings);
  // The direction in which responses come.
  std::size_t answering() const { return role_ == flow::Role::server ? 0 : 1; }

  flow::ConnectionId id_;
  std::uint32_t numbered_ = 0;
  flow::Role role_ = flow::Role::server;
  bool closed_[2] = {false, false};
  flow::End ends_[2] = {flow::End::none, flow::End::none};
  flow::Taints end_taints_[2] = {0, 0};
  std::uint64_t opaque_[2] = {0, 0};
  std::vector<std::unique_ptr<ExchangeDraft>> drafts_;  // from head_ on
  std::size_t head_ = 0;
  // Of the exchange before.
  flow::Time asked_before_ = flow::kNoTime, answering_before_ = flow::kNoTime, answered_before_ = flow::kNoTime;
};

}  // namespace tailcap::exchanges

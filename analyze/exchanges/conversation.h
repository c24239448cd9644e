// The exchanges of one connection end, in order: HTTP/1 answers in the order in which it was asked.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/findings.h"
#include "ground/slots.h"

namespace tailcap::exchanges {

// A send is stamped when the call returns: the client may have the last byte and ask again before that. Only a
// request that was there longer before the stamp counts as pipelined.
inline constexpr model::Duration kSendReturn = std::chrono::milliseconds{1};

// An exchange in the making.
struct DraftFacts {
  bool asked = false, answered = false;
  model::Ending request_ending = model::Ending::complete, response_ending = model::Ending::complete;
  model::End broken_by = model::End::none;  // what truncated the response, or came in its place
  model::Taints end_taints = 0;             // of the end that came in its place
};

struct ExchangeDraft : DraftFacts {
  std::unique_ptr<model::Exchange> exchange = std::make_unique<model::Exchange>();  // never empty
};

// Finished exchanges and drafts, with the memory of their strings used again.
class Exchanged {
 public:
  void clear() { finished_.clear(); }
  void take(ExchangeDraft& draft) { finished_.add_swapped(draft.exchange); }
  ground::Slots<model::Exchange>& all() { return finished_; }
  std::unique_ptr<ExchangeDraft> fresh();
  void give_back(std::unique_ptr<ExchangeDraft> draft);

 private:
  ground::Slots<model::Exchange> finished_;
  std::vector<std::unique_ptr<ExchangeDraft>> pool_;
};

class Conversation {
 public:
  // numbered: the number before that of its first exchange.
  Conversation(model::ConnectionId id, std::uint32_t numbered) : id_(id), numbered_(numbered) {}
  void push(const model::Message& message, Exchanged& out, model::Findings& findings);
  // Both directions have ended and everything was handed on.
  bool done() const { return closed_[0] && closed_[1]; }
  // A request waits for its response.
  bool waiting() const { return head_ < drafts_.size() && drafts_[head_]->asked && !drafts_[head_]->answered; }
  void each_under_way(const std::function<void(const model::Exchange&)>& use) const;
  // Numbers given, and to be given to what is open.
  std::uint32_t numbers() const { return numbered_ + static_cast<std::uint32_t>(drafts_.size() - head_); }

 private:
  void request(const model::Message& m, Exchanged& out);
  void response(const model::Message& m, Exchanged& out, model::Findings& findings);
  void interim(const model::Message& m, Exchanged& out);
  void close(const model::Message& m);
  void hand_on(Exchanged& out, model::Findings& findings);
  void finish(ExchangeDraft& draft, model::Findings& findings);
  ExchangeDraft& draft_for_request(Exchanged& out);
  ExchangeDraft& draft_for_response(Exchanged& out);
  ExchangeDraft& add(Exchanged& out);
  void pop(Exchanged& out, model::Findings& findings);
  // The direction in which responses come.
  std::size_t answering() const { return role_ == model::Role::server ? 0 : 1; }

  model::ConnectionId id_;
  std::uint32_t numbered_;
  model::Role role_ = model::Role::server;
  bool closed_[2] = {false, false};
  bool settles_ = false;  // some requests have no response: drafts with one do not all come first
  model::End ends_[2] = {model::End::none, model::End::none};
  model::Taints end_taints_[2] = {0, 0};
  model::Time ended_at_[2] = {model::kNoTime, model::kNoTime};
  std::uint64_t opaque_[2] = {0, 0};
  std::vector<std::unique_ptr<ExchangeDraft>> drafts_;  // from head_ on
  std::size_t head_ = 0;
  // The times of the exchange before.
  model::Time asked_before_ = model::kNoTime, answering_before_ = model::kNoTime, answered_before_ = model::kNoTime;
};

}  // namespace tailcap::exchanges

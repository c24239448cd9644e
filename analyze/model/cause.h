// Which server-side request of the same process made a client-side one, and how that is known.
//
// Beside the request table: most requests make none. A call without a known parent is left out, or has alternatives and
// no parent.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

enum class CauseMethod : std::uint8_t {
  none = 0,       // undecided: several are possible
  trace_id = 1,   // both carry the same trace id
  thread = 2,     // one thread read the request, made the call, and answered; or at least the latter two
  turn = 3,       // event loop: its thread had just read bytes of this request and of no other
  goroutine = 4,  // the goroutine that works on the request made it, or one that it made, or one that that made, …
  channel = 5,    // a goroutine made it that had taken something to do from the request's, through a channel
  content = 6,    // it says what only this request says: a request id, parts of the path
  message = 7,    // a delivery: the request is what published its message
};
std::string_view name_of(CauseMethod method);  // "trace_id", "thread", "turn", …; empty for none

struct Cause {
  ExchangeId parent;  // connection 0: undecided
  CauseMethod method = CauseMethod::none;
  bool certain = false;            // otherwise it is likely
  std::uint32_t alternatives = 0;  // other requests that could be meant; undecided: all of them
  bool lost = false;               // undecided because relevant events were lost
  bool operator==(const Cause&) const = default;
};

class Causes {
 public:
  using Link = std::pair<ExchangeId, Cause>;  // the client-side request, and its cause
  // Ascending by request.
  void assign(std::vector<Link> sorted) { all_ = std::move(sorted); }
  const Cause* find(ExchangeId request) const;  // valid while this lives and is not assigned to
  std::size_t size() const { return all_.size(); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

 private:
  std::vector<Link> all_;
};

}  // namespace tailcap::model

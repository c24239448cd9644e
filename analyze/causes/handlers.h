// Finds the handler of a Go program that served each request: the last one that the request's goroutine entered.
// Middleware is entered before the handler that it wraps.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "analyze/causes/goroutines.h"
#include "analyze/causes/stream_goroutines.h"
#include "analyze/model/request.h"
#include "analyze/model/wire/served.h"

namespace tailcap::causes {

class HandlerFinder {
 public:
  static constexpr std::size_t kMaxServed = 1u << 22;  // requests with their goroutine kept
  static constexpr std::size_t kMaxStreams =
      1u << 19;  // requests over HTTP/2 that wait for the end; later ones have no handler

  // goroutines: must get every event before this gets the event's exchange, and must outlive this.
  explicit HandlerFinder(const Goroutines& goroutines) : goroutines_(goroutines) {}
  void push(const model::Exchange& exchange);
  // Once: fills table.handlers and table.handler_goroutines.
  void settle(model::RequestTable& table);
  // The goroutine of each request of a Go server, by process and time; once, after settle.
  std::vector<model::Served> take_served();

 private:
  void keep(const model::Served& served);

  const Goroutines& goroutines_;
  struct Entered {
    model::Handlers::Entry handler;
    formats::Time from = formats::kNoTime, to = formats::kNoTime;  // the request, and its answer; kNoTime: not seen
  };
  std::vector<Entered> entered_;
  std::vector<model::Handlers::Entry> found_;
  std::map<std::pair<std::uint32_t, model::ConnectionId>, std::vector<StreamGoroutine>>
      streams_;                                   // by process and connection
  std::vector<model::Served> served_, streamed_;  // streamed: whose goroutine is known at the end
  std::size_t kept_ = 0;
};

}  // namespace tailcap::causes

// Which events of the past of a window are kept, see past.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "analyze/model/wire/exchange.h"
#include "analyze/pipeline/window/kept_events.h"
#include "analyze/pipeline/window/past.h"
#include "analyze/pipeline/wire/wire.h"
#include "formats/event_choice.h"

namespace tailcap::pipeline {

class PastChoice : public formats::EventChoice {
 public:
  // id: the request to search for; connection 0: none. Then all connections are read whole whose parts cannot be
  // understood without their beginning: those with HTTP/2, and those that are upgraded.
  PastChoice(model::ExchangeId id, std::set<model::ConnectionId> whole, const std::vector<Numberless>& numberless);

  Answer wants(formats::Kind kind, formats::SocketId socket) override;
  void take(const formats::Event& event) override;

  KeptEvents& kept() { return kept_; }
  bool has_tls() const { return has_tls_; }
  // When a name has failed is known only where everything is read.
  bool has_failed_names() const { return wire_.names_failed() > 0; }
  bool has_pending_names() const { return wire_.names_pending(); }
  bool found() const { return found_; }
  // Its connection is only counted, and then it turned out that its parts cannot be understood without its beginning.
  bool needs_whole() const { return needs_whole_; }
  // Where its connection is only counted: what is known of it so far. Nothing where a request is under way on it.
  std::optional<Counted> counted() const;
  bool numbered() const { return parsed_ == 0; }
  const exchanges::Exchanges::Numbers& numbers() const { return numbers_; }
  formats::Time start() const { return start_; }
  formats::Duration duration() const { return duration_; }
  formats::SocketId socket() const { return socket_; }
  std::uint32_t connections() const { return wire_.connections(); }
  const std::set<model::ConnectionId>& whole() const { return whole_; }

 private:
  // fresh: nothing was sent or received yet, and what that is decides whether it is read whole.
  // closing: what still comes of it decides whether the number of its socket is used again.
  enum class Is : std::uint8_t { fresh, open, closing, counted, whole, datagram };

  // As it is to be read later. False: it is not.
  bool choose(formats::Event& event);
  bool is_whole(formats::SocketId socket) const;
  void follow(const formats::Event& event);
  void number_connections();
  Is opened() const { return id_.connection == 0 ? Is::fresh : Is::open; }
  void found(const model::Exchange& exchange);

  const model::ExchangeId id_;
  std::set<model::ConnectionId> whole_;
  KeptEvents kept_;
  std::unordered_map<formats::SocketId, Is> sockets_;
  std::unordered_map<formats::SocketId, model::ConnectionId>
      ids_;  // the last of each socket, where no request is meant
  // Makes exchanges of the connection of the request, and of those whose numbers are searched for.
  ExchangeWire wire_;
  std::unordered_map<model::ConnectionId, std::vector<Numberless>> searched_;
  std::size_t parsed_;  // of those, not found yet
  exchanges::Exchanges::Numbers numbers_;
  std::uint32_t numbered_ = 0;  // connections
  bool opens_counted_ = false;  // nothing but this event says that there is this connection, which is counted
  bool has_tls_ = false, found_ = false, needs_whole_ = false;
  std::uint32_t exchanges_ = 0;  // of the connection of the request, until now
  bool between_ = false;         // nothing came on it since the last of them ended
  formats::Time start_ = formats::kNoTime;
  formats::Duration duration_{};
  formats::SocketId socket_ = 0;
};

}  // namespace tailcap::pipeline

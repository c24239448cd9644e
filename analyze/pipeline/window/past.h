// What came before a window of a long capture, without what a request in the window does not need. It takes a fraction
// of the time that reading everything takes.
//
// Kept is what is rare and describes processes, programs and sockets; of the connections that are read whole every
// event; and of every other connection what opens, describes and closes it, so that connections get the numbers that
// they have in the whole capture. Those are joined in the window, like connections that are older than a recording. The
// connection of a request that comes after many others on it is one of those, if it speaks HTTP/1.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analyze/exchanges/exchanges.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/pipeline/window/kept_events.h"

namespace tailcap::pipeline {

// What came before a window on a connection that is partly read, between two requests.
struct Counted {
  std::uint32_t exchanges = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0, lost_in = 0, lost_out = 0;
  std::uint32_t retransmits = 0, events_missed = 0;
};

struct Past {
  KeptEvents events;
  std::size_t place = 0;                   // of the first block of the window: formats::Reader::begin_at()
  std::uint64_t left_behind = 0;           // events of the blocks before it
  formats::Time until = formats::kNoTime;  // the latest of those: what begins later is in the window
  model::PartlyRead partly;
  exchanges::Exchanges::Numbers numbers;  // of some of the connections that are partly read
  formats::SocketId socket = 0;           // of the connection whose request was searched for; 0: none was
  // Where that connection is partly read, too: what came before, and the request as it was found.
  std::optional<Counted> counted;
  formats::Time start = formats::kNoTime;
  formats::Duration duration{};

  exchanges::Exchanges exchanges() const { return exchanges::Exchanges(partly, numbers); }
  // The number of the last request before the window, on a connection that is partly read.
  std::uint32_t number_before(model::ConnectionId id) const {
    const auto at = numbers.find(id);
    return at == numbers.end() ? model::kProvisional : at->second;
  }
};

inline constexpr formats::Duration kWindowBefore = std::chrono::seconds{10};

// past: may be null.
inline model::PartlyRead partly_read(const Past* past) { return past ? past->partly : model::PartlyRead{}; }

// A request with a provisional number, as it was found in a window.
struct Numberless {
  model::ExchangeId id;
  formats::Time start = formats::kNoTime;
  formats::Duration duration{};
};

struct PastOptions {
  unsigned threads = 0;  // as of Reader
  // The window begins this time before the request. What is under way longer is known from its own connection at most.
  formats::Duration before = kWindowBefore;
  std::uint64_t least_before = 0;  // events to leave behind, or it is not worth it
  std::uint64_t least_events = 0;  // of the window, up to the end of the request
  // After this many exchanges on the connection of the request they are counted: to read them all again takes longer.
  std::uint32_t most_exchanges = 20'000;
  // Connections to be read from their beginning, beside that of the request.
  std::set<model::ConnectionId> whole{};
  // As far as known before. They are searched for in the connections of these requests, at most up to this time.
  exchanges::Exchanges::Numbers numbers{};
  std::vector<Numberless> numberless{};
  formats::Time search_until = formats::kNoTime;
  std::function<void(std::uint64_t events)> passed{};  // called after each block, with the events so far
};

// The past of a window that begins some time before this request. Null where everything has to be read: the request was
// not found, too little comes before it, a block before it is damaged or missing, TLS sessions came before it (which
// connection carries a session follows from all that its threads did), names were asked for in vain before it, or too
// much would have to be kept.
std::shared_ptr<const Past> past_of(const std::string& path, model::ExchangeId id, const PastOptions& options);
// The same of a window that begins some time before `from`. Connections with HTTP/2 are read whole: their header
// fields refer to earlier ones.
std::shared_ptr<const Past> past_before(const std::string& path, formats::Time from, const PastOptions& options);

}  // namespace tailcap::pipeline

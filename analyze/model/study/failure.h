// What went wrong while requests were under way that failed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

enum class TroubleKind : std::uint8_t {
  name,     // a name was not found
  connect,  // a connection was not established, or ended before it carried anything
  tls,      // a TLS handshake failed
  call,     // a request to another service failed
  stale,    // it was sent on a connection that its peer had closed before
  goaway,   // its connection was ended with an error (HTTP/2 GOAWAY)
  ended,    // the process that served it ended
};
std::string_view name_of(TroubleKind kind);

// A failure of a kind that is no request.
struct Trouble {
  TroubleKind kind = TroubleKind::connect;
  Time at = kNoTime;            // when it had failed
  formats::Thread thread;       // asked, connected, or began the handshake; tid 0: not known
  std::string what;             // the name; otherwise the peer, "10.0.0.2:443"
  std::string cause;            // "NXDOMAIN", "refused", "unknown CA (alert 48) sent by the client"
  std::uint64_t goroutine = 0;  // connected; 0: none, or not known
  ExchangeId request = {};      // it was made for this request; connection 0: not known
  ExchangeId row = {};          // name: it as a call; connection 0: it is none
};

// A way in which requests failed.
struct FailedEnd {
  std::uint16_t status = 0;  // as in Request, and the following
  std::int32_t grpc_status = -1;
  Outcome outcome = Outcome::unknown;
  std::uint64_t requests = 0;
  std::string error_code = {};     // of a store, or of a set-up that failed; empty: none
  std::string message = {};        // grpc-message, the most frequent; empty: none
  std::uint64_t with_message = 0;  // requests that have it
};

// What happened while requests of a route failed.
struct FailureCause {
  TroubleKind kind = TroubleKind::call;
  std::string what;   // as in Trouble; a call: "GET /stock at down"; stale, goaway: the peer, by name where known;
                      // ended: the name of the process
  std::string cause;  // as in Trouble; goaway: the error's name; ended: how; empty for the others
  FailedEnd end;      // of the calls, the most frequent
  std::uint64_t failed = 0;  // failed requests with it
  std::uint64_t others = 0;  // other requests of the route with it
  bool by_thread = true;     // a trouble of the thread that served the request; false: of its process
  ExchangeId example = {};   // one of the calls; connection 0: none
  std::int64_t idle = -1;    // stale: ns for which the connection was idle before, at most; -1: not known
};

}  // namespace tailcap::model

// The set-up of a connection before its first request: name, connection, TLS.
//
// All of it lies before the request's start and is no part of its duration. What was not seen is kNoTime.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "analyze/model/text_pool.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

struct Setup {
  // Client. From the first question for the name to the last answer before the connect: a resolver asks for both
  // families and waits for both.
  Time dns_began = kNoTime, dns_done = kNoTime;
  TextId dns_name = 0;
  std::uint32_t dns_attempts = 0;  // the most that one question was asked
  // Client. From connect() until the connection was established: SYN sent to SYN-ACK received.
  Time connect_began = kNoTime, connect_done = kNoTime;
  // Either end; see TlsFacts for what `began` and `done` are.
  Time tls_began = kNoTime, tls_done = kNoTime;
  std::uint16_t tls_version = 0, tls_cipher = 0;
  TextId tls_server_name = 0;
  std::optional<bool> tls_resumed;
  bool tls_exact = true;

  // Negative: not known.
  Duration dns() const { return between(dns_began, dns_done); }
  Duration connect() const { return between(connect_began, connect_done); }
  Duration tls() const { return between(tls_began, tls_done); }
  Time began() const;  // of the earliest part; kNoTime: there is none
  bool empty() const { return dns().count() < 0 && connect().count() < 0 && tls().count() < 0; }

 private:
  static Duration between(Time from, Time to) {
    return formats::known(from) && formats::known(to) && to >= from ? Duration{to - from} : Duration{-1};
  }
};

// Beside the request table: few requests are the first on their connection.
class Setups {
 public:
  // At the end, when all is there: ascending by request.
  void assign(std::vector<std::pair<ExchangeId, Setup>> sorted) { all_ = std::move(sorted); }
  const Setup* find(ExchangeId request) const;  // valid while this lives and is not assigned to
  std::size_t size() const { return all_.size(); }

 private:
  std::vector<std::pair<ExchangeId, Setup>> all_;
};

}  // namespace tailcap::model

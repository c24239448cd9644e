// Connections that were asked for and never came to be, TLS handshakes that failed, names that were not found.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/lookup.h"
#include "analyze/model/wire/tls.h"
#include "formats/event_names.h"

namespace tailcap::tail {

class Troubles {
 public:
  static constexpr std::size_t kMaxListed = 65536;  // later ones are only counted

  void push(const formats::Event& event);
  // row: its request.
  void push(const model::FailedName& name, model::ExchangeId row);
  // Its handshake failed.
  void push(const model::TlsFacts& facts, const model::Connection& connection);
  // It was established, and broke before it carried anything.
  void broke(const model::Connection& connection);
  // Its peer ended it with an error (HTTP/2 GOAWAY).
  void dismissed(const model::Connection& connection, std::uint32_t code);

  std::vector<model::ConnectionFailure> connections() const;  // by peer and cause, most first
  std::uint64_t failed_connections() const { return total_; }
  std::vector<model::Trouble> take();  // in order of time

 private:
  struct Opened {
    std::string peer;
    formats::Thread by;
    std::uint64_t goroutine = 0;
  };
  void add(model::Trouble trouble);
  formats::Thread opener(formats::SocketId socket) const;

  std::unordered_map<formats::SocketId, Opened> opened_;  // by this machine's programs, and not closed
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  std::vector<model::Trouble> listed_;
};

}  // namespace tailcap::tail

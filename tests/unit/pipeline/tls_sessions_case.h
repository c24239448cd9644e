// TLS sessions as the streams report them: what their tests share.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"
#include "tests/synth/tls_session.h"

namespace tailcap::tls_sessions {

using namespace std::chrono_literals;
using formats::Direction;
using formats::TlsLibrary;
using formats::TlsStepKind;
using model::BindingHow;
using model::Finding;
using model::Outcome;
using model::Taint;
using synth::Endpoint;
using synth::kStart;
using synth::Opening;
using synth::Scenario;
using synth::TlsSession;

constexpr formats::Thread kThread{100, 100}, kOther{100, 101};

inline std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"; }
inline std::string answer(int status, const std::string& body = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

inline Opening opening(int n) {
  Opening o;
  o.remote = "10.0.0.2:" + std::to_string(40000 + n);
  return o;
}

// Every session as the streams report it, in order, and the resulting exchanges.
struct Seen {
  explicit Seen(const std::vector<formats::Event>& events) {
    synth::Chain chain;
    for (const auto& event : events) {
      chain.push(event, [&](const model::Exchange& x) { exchanges.push_back(x); });
      for (std::uint32_t id = 1; id <= chain.streams.connections(); ++id) {
        const model::Connection* c = chain.streams.connection(id);
        if (!c || !c->tls) continue;
        const auto at = std::find_if(sessions.begin(), sessions.end(), [&](const auto& s) { return s.id == id; });
        if (at == sessions.end())
          sessions.push_back(*c);
        else
          *at = *c;
      }
    }
    counts = chain.streams.tls();
    findings = chain.findings();
    std::sort(exchanges.begin(), exchanges.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  }
  std::vector<model::Connection> sessions;
  std::vector<model::Exchange> exchanges;
  model::TlsSessions counts;
  model::Findings findings;
};

}  // namespace tailcap::tls_sessions

// The protocol of one connection: HTTP/1, HTTP/2 from its first byte, HTTP/2 after an upgrade, TLS, or one of them
// begun earlier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analyze/protocols/calls/late_start.h"
#include "analyze/protocols/calls/reader.h"
#include "analyze/protocols/http1/http1.h"
#include "analyze/protocols/http1/http1_trial.h"
#include "analyze/protocols/http2/connection.h"
#include "analyze/protocols/tls/connection.h"
#include "analyze/protocols/tls/late_start.h"

namespace tailcap::protocols {

class Talk {
 public:
  Talk(model::ConnectionId id, http2::Held& held, HeldHeads& heads) : id_(id), held_all_(held), heads_all_(heads) {}
  void push(const model::ByteRun& run, Messages& out, model::Findings& findings);
  // Both directions have ended.
  bool done() const;

 private:
  enum class State : std::uint8_t {
    undecided,  // runs are held until the first bytes decide
    late,       // recording began in the middle: both are tried, and the first that finds something stays
    http1,
    upgrading,  // HTTP/1, and the last request asked for h2c: runs are held until it is answered
    http2,
    tls,
    calls,  // of a database, cache or queue
  };
  enum class Verdict : std::uint8_t { undecided, late, http1, http2, tls, calls };

  Verdict judge(const model::ByteRun& whole);
  bool begins_calls(std::string_view begin, model::Direction direction);
  Verdict judge_begin(std::string_view begin, model::Direction direction);
  model::ByteRun behind_preamble(const model::ByteRun& run) const;
  void hand_on(const model::ByteRun& run, Messages& out, model::Findings& findings);
  void decide(Verdict verdict, Messages& out, model::Findings& findings);
  void push_late(const model::ByteRun& run, Messages& out, model::Findings& findings);
  void push_calls(const model::ByteRun& run, Messages& out, model::Findings& findings);
  void join_calls(const model::ByteRun& run, Messages& out, model::Findings& findings);
  void begin_late();
  void push_http1(const model::ByteRun& run, Messages& out, model::Findings& findings);
  void upgrade(const model::Message& response, Messages& out, model::Findings& findings);
  // False: the limit is reached.
  bool hold(const model::ByteRun& run);
  void release();

  model::ConnectionId id_;
  http2::Held& held_all_;
  HeldHeads& heads_all_;
  State state_ = State::undecided;
  std::unique_ptr<Http1> http1_;
  std::unique_ptr<Http1Trial> trial_;  // late: of http1_
  std::unique_ptr<http2::Http2Connection> http2_;
  std::unique_ptr<tls::TlsConnection> tls_;
  std::unique_ptr<tls::TlsLateStart> late_tls_;
  std::unique_ptr<calls::Reader> calls_;
  std::unique_ptr<calls::CallsLateStart> late_calls_;
  std::unique_ptr<model::Findings> late_findings_;  // of http2_, which may be discarded
  std::uint64_t begins_[2] = {0, 0};                // where a direction begins, behind its preamble
  std::string begin_[2];                            // undecided: the first bytes from there on
  model::Direction client_ = model::Direction::in;
  formats::calls::Kind kind_{};  // verdict calls
  bool foreign_calls_ = false;   // they are none
  std::vector<HeldRun> held_;
  std::size_t held_bytes_ = 0;
  std::string settings_;           // upgrading: the request's HTTP2-Settings
  std::uint64_t asked_until_ = 0;  // and the end of that request
};

}  // namespace tailcap::protocols

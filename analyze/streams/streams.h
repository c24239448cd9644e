// Events of sockets and TLS sessions in, bytes in order out. A session's plaintext is a connection end of its own.
//
// push() returns the runs that this event completed, in byte order per direction; they and their views are valid
// until the next push. A view is of the event's payload, or of payload that was held: this one lives longer with who
// takes it. CaptureEnd releases everything that is still held.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>

#include "analyze/model/wire/byte_run.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/findings.h"
#include "analyze/model/wire/lookup.h"
#include "formats/event_names.h"

namespace tailcap::streams {

class Streams {
 public:
  // partly: connections that are partly read; no description says where they begin.
  explicit Streams(model::PartlyRead partly = {});
  ~Streams();
  std::span<const model::ByteRun> push(const formats::Event& event);
  // After a push: payload that was held and that its runs view, at the same addresses. Empty: they view none.
  using Held = std::deque<std::string>;
  bool views_held() const;
  Held take_held();
  // Facts about a connection end, valid while it is live and until kept-for-the-record limits; nullptr: unknown id.
  const model::Connection* connection(model::ConnectionId id) const;
  // Makes a connection end of what was asked of a name server; it moves no bytes.
  const model::Connection* add(const model::FailedName& name);
  // All connection ends so far, in order of id.
  std::uint32_t connections() const;
  // Counts of the TLS sessions that have ended; after CaptureEnd, of all sessions.
  const model::TlsSessions& tls() const;
  const model::Findings& findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::streams

// What happened around one request: the waits of its thread, the events of its connection, the segments that named its
// trace. When it was over is known only with its exchange, so what may belong to it is held until then.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/study/detail.h"
#include "analyze/timeline/binding_finder.h"
#include "formats/event.h"

namespace tailcap::pipeline {

class RequestSurroundings {
 public:
  explicit RequestSurroundings(const model::Request& row);

  void push(const formats::Event& event);
  // Its connection is known: from the same event on, which is pushed afterwards.
  void on(formats::SocketId socket) { socket_ = socket; }
  formats::SocketId socket() const { return socket_; }
  // Its exchange is known.
  void settle(const model::Exchange& exchange, const model::Connection& connection);
  // After the last event. detail: with its exchange and its connection.
  void fill(model::RequestDetail& detail);

 private:
  struct Happened {
    model::ConnectionEvent event;
    formats::SocketId socket = 0;  // 0: of the whole recording
    formats::Time since = formats::kNoTime;
  };
  struct Held {  // of its socket; the texts of an event live only as long as its block
    formats::Event event;
    std::string head, tail;
  };

  template <class Body>
  void take(const formats::Event& event, const Body& body);
  void hold(const formats::Event& event);
  void happened(const formats::Event& event, model::ConnectionEvent::Kind kind, formats::SocketId socket,
                formats::Time since, std::uint32_t bytes, std::int32_t error);

  const model::Request row_;
  const formats::Time from_;
  formats::Time to_ = formats::kMaxTime;  // the latest that may count
  formats::SocketId socket_ = 0;
  std::vector<model::ThreadWait> waits_;
  std::vector<Happened> events_;
  std::uint64_t dropped_waits_ = 0, dropped_events_ = 0;
  std::deque<Held> held_;
  std::size_t held_bytes_ = 0;
  std::optional<timeline::BindingFinder> binding_;
};

}  // namespace tailcap::pipeline

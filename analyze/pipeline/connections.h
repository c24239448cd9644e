// First reading: what is said of connections, those without requests too.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/text_pool.h"
#include "analyze/model/wire/byte_run.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/message.h"
#include "analyze/partition/history/observed.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/tail/listen_queues.h"
#include "analyze/tail/tls_connections.h"
#include "analyze/tail/troubles.h"

namespace tailcap::pipeline {

class Connections {
 public:
  // all: keep the facts of every connection.
  explicit Connections(bool all = false) : keep_all_(all) {}

  void push(const formats::Event& event) {
    troubles_.push(event);
    queues_.push(event);
  }
  void push(const model::FailedName& name, const model::Connection& connection) {
    troubles_.push(name, {connection.id, 1});
  }
  // A TLS handshake, or the end of its connection. connection may be null.
  void push(const model::Message& message, const model::Connection* connection);
  // A request was announced on it; setup: no more than the set-up of the connection, which failed.
  void carries(const model::Connection& connection, bool setup, model::TextPool& texts);
  // Its bytes have ended.
  void ended(const model::Connection& connection, model::End how, model::TextPool& texts);

  model::TextId local(model::ConnectionId id) const { return id < endpoints_.size() ? endpoints_[id].local : 0; }
  // By ConnectionId, of those with requests; must not change while a partitioner uses them.
  const std::vector<partition::ByteCarrier>& carriers() const { return carriers_; }
  void name_remotes(model::RequestTable& table) const;
  // Those whose requests have the numbers that they have on the wire.
  void name_whole_calls(model::RequestTable& table) const { table.whole_calls = whole_calls_; }
  std::vector<Endpoints> take_endpoints() { return std::move(endpoints_); }
  std::vector<model::Connection> take_all();
  // The study's processes are set.
  void fill(model::Study& study);
  // How many were not read. The quality's TLS sessions are set.
  void fill_unread(model::Quality& quality) const;

 private:
  void set_endpoints(const model::Connection& connection, model::TextPool& texts);
  void set_carrier(const model::Connection& connection);
  void note_failure(const model::Connection& connection);
  void note_moved(const model::Connection& connection);
  void note_whole(const model::Connection& connection);

  std::vector<Endpoints> endpoints_;
  std::vector<partition::ByteCarrier> carriers_;
  std::vector<bool> failed_, moved_;  // by ConnectionId
  std::vector<model::SocketId> whole_calls_;
  std::uint64_t accepted_moved_ = 0, made_moved_ = 0;
  bool keep_all_;
  std::map<model::ConnectionId, model::Connection> all_;
  std::uint64_t with_requests_ = 0;
  tail::Troubles troubles_;
  tail::TlsConnections tls_;
  tail::ListenQueues queues_;
};

}  // namespace tailcap::pipeline

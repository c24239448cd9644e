// First reading: exchanges become rows of the request table, and causes join them.
#pragma once

#include <set>
#include <vector>

#include "analyze/causes/attempts.h"
#include "analyze/causes/connection_uses.h"
#include "analyze/causes/goroutines.h"
#include "analyze/causes/handlers.h"
#include "analyze/causes/parents/from_peer.h"
#include "analyze/causes/parents/parents.h"
#include "analyze/causes/setup.h"
#include "analyze/model/request.h"
#include "analyze/partition/history/windows.h"
#include "analyze/pipeline/connections.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/wire/end_matcher.h"
#include "analyze/tail/quality.h"
#include "analyze/tail/rows/groups.h"
#include "analyze/tail/rows/header_collector.h"
#include "analyze/tail/rows/routes.h"
#include "analyze/tail/rows/rows.h"

namespace tailcap::pipeline {

class Requests {
 public:
  Requests(const formats::Preamble& preamble, const Options& options);

  void push(const formats::Event& event);
  // The same event, after the lookups that it ended.
  void push(const model::Lookup& lookup) { setups_.push(lookup); }
  void looked_up(const formats::Event& event) { setups_.push(event); }
  void push(const model::Message& message);  // a TLS handshake, or the end of a connection
  // An exchange is announced. connection and its carrier may be null.
  void add(const model::Exchange& exchange, const model::Connection* connection, const model::Connection* carrier,
           Connections& connections);
  // As add() of one that has no response yet, to another table.
  void add_under_way(const model::Exchange& exchange, model::RequestTable& table) const;
  // A TLS session has ended. carrier may be null.
  void ended(const model::Connection& session, const model::Connection* carrier);
  std::size_t left_out() const { return unbound_.size(); }
  // What can be said only when everything is known: losses, the other ends, routes.
  void settle(const tail::QualityFacts& facts);

  model::RequestTable& table() { return table_; }
  std::vector<partition::ExchangeNote> take_notes() { return std::move(notes_); }
  std::vector<model::Served> take_served() { return handlers_.take_served(); }
  // Which request each of these was for, as far as its row or its goroutine shows that. served: all.
  void own(const model::RequestTable& table, std::vector<model::Trouble>& troubles,
           const std::vector<model::Served>& served) const;
  void add(const model::Findings& findings) { findings_.add(findings); }
  model::Findings findings() const;
  std::vector<model::ProcessSummary> processes(const model::RequestTable& table, const Connections& connections) const {
    return tasks_.summaries(table, [&](model::ConnectionId c) { return connections.local(c); });
  }
  // Headers, trace states and the number of grouped requests, and the table.
  void give(Analysis& out);

 private:
  void settle_binding(const model::Connection& session);
  std::vector<std::uint32_t> without_left_out(const std::vector<std::uint32_t>& from);

  const Options& options_;
  const std::vector<tail::RouteTemplate> templates_;
  model::RequestTable table_;
  std::vector<RequestHeaders> headers_;
  std::vector<std::pair<model::ExchangeId, model::TextId>> trace_states_;
  std::vector<partition::ExchangeNote> notes_;
  bool calls_ = false;  // there are rows of gRPC
  tail::Groups groups_;
  tail::HeaderCollector field_sets_;
  tail::ServiceTasks tasks_;
  EndMatcher ends_;
  causes::SetupFinder setups_;
  causes::FieldsFromPeer from_peer_;
  causes::Attempts attempts_;
  const bool sampled_;
  std::set<model::ConnectionId> unbound_;  // where connections are sampled: TLS sessions whose connection is not known
  causes::UseFinder uses_;
  causes::Goroutines goroutines_;
  causes::Parents parents_{goroutines_};
  causes::HandlerFinder handlers_{goroutines_};
  model::Findings findings_;
};

}  // namespace tailcap::pipeline

#include "analyze/pipeline/row_stage.h"

#include "analyze/exchanges/failed_setup.h"

namespace tailcap::pipeline {

void RowStage::push(const formats::Event& event, std::span<const model::Lookup> ended) {
  const bool past = past_ > 0;
  if (past) {
    recording_.push_past(event, window_, --past_ == 0);
  } else {
    recording_.push(event);
    connections_.push(event);
  }
  requests_.push(event);
  for (const model::Lookup& lookup : ended) {
    requests_.push(lookup);
    if (past) continue;
    recording_.push(lookup);
  }
  requests_.looked_up(event);
}

void RowStage::failed(const model::FailedName& name, const model::Connection& connection) {
  if (past_ > 0 || partly_.contains(connection.id)) return;
  connections_.push(name, connection);
  add(exchanges::failed_lookup(connection, name), &connection, nullptr);
}

void RowStage::push(std::unique_ptr<model::Message>& message, const model::Connection* connection,
                    const model::Connection* carrier) {
  connections_.push(*message, connection);
  requests_.push(*message);
  if (message->tls && connection && past_ == 0 && !partly_.contains(connection->id))
    if (const auto failed = exchanges::failed_handshake(*connection, *message->tls)) add(*failed, connection, carrier);
}

void RowStage::add(const model::Exchange& exchange, const model::Connection* connection,
                   const model::Connection* carrier) {
  recording_.push(exchange, connection);
  requests_.add(exchange, connection, carrier, connections_);
}

void RowStage::ended(const model::Connection& connection, const model::Connection* carrier, model::End how) {
  if (partly_.contains(connection.id)) return;  // what it comes to is not known
  if (connection.tls) requests_.ended(connection, carrier);
  connections_.ended(connection, how, requests_.table().texts);
  // Where it has an endpoint, it has a row: its other direction has ended before.
  if (past_ > 0 || connections_.local(connection.id) != 0) return;
  if (const auto failed = exchanges::failed_connect(connection, how)) add(*failed, &connection, carrier);
}

void RowStage::fill(const model::RequestTable& table, model::Study& study) {
  const std::vector<model::Served> served = requests_.take_served();
  recording_.fill(
      table, served, [&](model::ConnectionId c) { return connections_.local(c); }, study);
  study.quality.processes = requests_.processes(table, connections_);
  connections_.fill(study);
  requests_.own(table, study.troubles, served);
  study.quality.findings = requests_.findings();
}

}  // namespace tailcap::pipeline

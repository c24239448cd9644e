#include "analyze/pipeline/wire_pass.h"

#include <algorithm>
#include <variant>

#include "analyze/tail/study.h"

namespace tailcap::pipeline {

WirePass::WirePass(const formats::Preamble& preamble, const Options& options, formats::RequestAllowance* allowance)
    : allowance_(allowance),
      recording_(preamble, options.go),
      requests_(preamble, options),
      connections_(options.keep_connections) {}

void WirePass::push(const formats::Event& event) {
  if (full_ && !std::holds_alternative<formats::CaptureEnd>(event.body)) return;
  recording_.push(event);
  connections_.push(event);
  requests_.push(event);
  for (const model::Lookup& lookup : names_.push(event)) {
    requests_.push(lookup);
    recording_.push(lookup);
    connections_.push(lookup);
  }
  requests_.looked_up(event);
  if (names_.took()) return;
  for (const model::ByteRun& run : streams_.push(event)) {
    for (const model::Message& message : parsers_.push(run)) {
      note_tls(message);
      if (!admit(message)) break;
      for (const model::Exchange& exchange : exchanges_.push(message)) announce(exchange);
    }
    if (run.end != model::End::none) ended(run);
  }
}

// Requests count from their beginning on: one that waits for its response takes more memory than its row.
bool WirePass::admit(const model::Message& message) {
  if (message.kind == model::MessageKind::request)
    ++begun_;
  else if (message.kind != model::MessageKind::response)
    return true;
  if (!allowance_ || allowance_->admits(std::max<std::uint64_t>(begun_, requests_.table().rows.size()))) return true;
  full_ = true;
  return false;
}

void WirePass::note_tls(const model::Message& message) {
  if (message.kind != model::MessageKind::handshake && message.kind != model::MessageKind::closed) return;
  connections_.push(message, streams_.connection(message.connection));
  requests_.push(message);
}

void WirePass::announce(const model::Exchange& exchange) {
  const model::Connection* const connection = streams_.connection(exchange.id.connection);
  recording_.push(exchange, connection);
  requests_.add(exchange, connection, connection ? streams_.connection(connection->carrier) : nullptr, connections_);
}

void WirePass::ended(const model::ByteRun& run) {
  const model::Connection* const connection = streams_.connection(run.connection);
  if (!connection) return;
  if (connection->tls) requests_.ended(*connection, streams_.connection(connection->carrier));
  connections_.ended(*connection, run.end, requests_.table().texts);
}

void WirePass::fill(const model::RequestTable& table, model::Study& study) {
  model::Quality& quality = study.quality;
  recording_.fill(
      table, requests_.take_served(), [&](model::ConnectionId c) { return connections_.local(c); }, study);
  connections_.fill(study);
  quality.findings = requests_.findings();
  for (const model::Findings* f : {&streams_.findings(), &parsers_.findings(), &exchanges_.findings()})
    quality.findings.add(*f);
  quality.tls = streams_.tls();
  // Requests of unbound sessions are left out; some of those may be of connections of the sample, short ones above all.
  quality.sampling.chosen = quality.sampling.chosen || (quality.sampling.some() && quality.tls.unbound > 0);
  quality.connections = streams_.connections() - quality.tls.seen;
  quality.connections_other = quality.findings[model::Finding::not_http];
  quality.processes = requests_.processes(table);
  tail::count_requests(table, quality);
}

}  // namespace tailcap::pipeline

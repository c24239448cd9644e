#include "analyze/pipeline/wire/wire_stage.h"

#include <algorithm>
#include <variant>

namespace tailcap::pipeline {

void WireStage::push(const formats::Event& event, WireSink& sink) {
  if (full_ && !std::holds_alternative<formats::CaptureEnd>(event.body)) return;
  sink.push(event, names_.push(event));
  if (names_.took()) return;
  for (const model::ByteRun& run : streams_.push(event)) {
    for (const model::Message& message : parsers_.push(run)) {
      if (message.kind == model::MessageKind::handshake || message.kind == model::MessageKind::closed)
        sink.push(message, streams_.connection(message.connection));
      if (!admit(message)) break;
      for (model::Exchange& exchange : exchanges_.push(message)) {
        ++announced_;
        const model::Connection* const connection = streams_.connection(exchange.id.connection);
        sink.announce(exchange, connection, connection ? streams_.connection(connection->carrier) : nullptr);
      }
    }
    if (run.end == model::End::none) continue;
    if (const model::Connection* const connection = streams_.connection(run.connection))
      sink.ended(*connection, connection->tls ? streams_.connection(connection->carrier) : nullptr, run.end);
  }
}

// Requests count from their beginning on: one that waits for its response takes more memory than its row.
bool WireStage::admit(const model::Message& message) {
  if (message.kind == model::MessageKind::request)
    ++begun_;
  else if (message.kind != model::MessageKind::response)
    return true;
  if (!allowance_ || allowance_->admits(std::max(begun_, announced_))) return true;
  full_ = true;
  return false;
}

void WireStage::fill(model::Quality& quality) const {
  for (const model::Findings* f : {&streams_.findings(), &parsers_.findings(), &exchanges_.findings()})
    quality.findings.add(*f);
  quality.tls = streams_.tls();
  quality.connections = streams_.connections() - quality.tls.seen;
}

}  // namespace tailcap::pipeline

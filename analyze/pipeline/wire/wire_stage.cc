#include "analyze/pipeline/wire/wire_stage.h"

#include <variant>

namespace tailcap::pipeline {

void WireStage::push(const formats::Event& event, WireSink& sink) {
  if (full_ && !std::holds_alternative<formats::CaptureEnd>(event.body)) return;
  const std::span<const model::ByteRun> runs = wire_.push(event);
  sink.push(event, wire_.lookups());
  for (const auto& [name, connection] : wire_.failed_names()) sink.failed(*name, *connection);
  for (const model::ByteRun& run : runs) {
    ground::Slots<model::Message>& messages = wire_.messages(run);
    if (messages.empty() && run.end == model::End::none) continue;
    const model::Connection* const connection = wire_.connection(run.connection);
    const model::Connection* const carrier = connection ? wire_.connection(connection->carrier) : nullptr;
    for (std::size_t i = 0; i < messages.size() && admit(messages[i]); ++i) {
      const model::MessageKind kind = messages[i].kind;
      ground::Slots<model::Exchange>& exchanges = exchanges_.push(messages[i]);
      if (kind == model::MessageKind::handshake || kind == model::MessageKind::closed)
        sink.push(messages.slot(i), connection, carrier);
      for (std::size_t e = 0; e < exchanges.size(); ++e) sink.push(exchanges.slot(e), connection, carrier);
    }
    if (connection && run.end != model::End::none)
      sink.ended(*connection, connection->tls ? carrier : nullptr, run.end);
  }
}

// Requests count from their beginning on: one that waits for its response takes more memory than its row.
bool WireStage::admit(const model::Message& message) {
  if (message.kind != model::MessageKind::request && message.kind != model::MessageKind::response) return true;
  requests_ += message.kind == model::MessageKind::request || message.answers_unknown;
  if (!allowance_ || allowance_->admits(requests_)) return true;
  full_ = true;
  return false;
}

void WireStage::fill(model::Quality& quality) const {
  for (const model::Findings* f : {&wire_.streams().findings(), &wire_.parsers().findings(), &exchanges_.findings()})
    quality.findings.add(*f);
  quality.tls = wire_.streams().tls();
  quality.connections = wire_.connections() - quality.tls.seen - wire_.names_failed();
}

}  // namespace tailcap::pipeline

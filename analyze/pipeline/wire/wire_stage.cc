#include "analyze/pipeline/wire/wire_stage.h"

#include <variant>

namespace tailcap::pipeline {

void WireStage::push(const formats::Event& event, WireSink& sink) {
  if (full_ && !std::holds_alternative<formats::CaptureEnd>(event.body)) return;
  sink.push(event, names_.push(event));
  if (names_.took()) return;
  for (const model::ByteRun& run : streams_.push(event)) {
    ground::Slots<model::Message>& messages = parsers_.push(run);
    if (messages.empty() && run.end == model::End::none) continue;
    const model::Connection* const connection = streams_.connection(run.connection);
    const model::Connection* const carrier = connection ? streams_.connection(connection->carrier) : nullptr;
    for (std::size_t i = 0; i < messages.size() && admit(messages[i]); ++i)
      sink.push(messages.slot(i), connection, carrier);
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
  for (const model::Findings* f : {&streams_.findings(), &parsers_.findings()}) quality.findings.add(*f);
  quality.tls = streams_.tls();
  quality.connections = streams_.connections() - quality.tls.seen;
}

}  // namespace tailcap::pipeline

#include "analyze/pipeline/wire/wire_stage.h"

#include <variant>

namespace tailcap::pipeline {
namespace {

// Requests count from their beginning on: one that waits for its response takes more memory than its row.
bool counts(const model::Message& message) {
  return message.kind == model::MessageKind::request ||
         (message.kind == model::MessageKind::response && message.answers_unknown);
}

}  // namespace

// What these bytes become, until admit(message) is false. use: of a handshake, the end of a direction and an exchange.
template <class Admit, class Use>
void WireStage::make(const model::ByteRun& run, Admit admit, Use use) {
  ground::Slots<model::Message>& messages = wire_.messages(run);
  for (std::size_t i = 0; i < messages.size() && admit(messages[i]); ++i) {
    const model::MessageKind kind = messages[i].kind;
    ground::Slots<model::Exchange>& exchanges = exchanges_.push(messages[i]);
    if (kind == model::MessageKind::handshake || kind == model::MessageKind::closed) use(messages.slot(i));
    for (std::size_t e = 0; e < exchanges.size(); ++e) use(exchanges.slot(e));
  }
}

// The event, names that were asked for in vain, then use(run, connection, carrier) of the bytes that it completed.
template <class To, class Use>
void WireStage::pass(const formats::Event& event, To& to, Use use) {
  if (full_ && !std::holds_alternative<formats::CaptureEnd>(event.body)) return;
  const std::span<const model::ByteRun> runs = wire_.push(event);
  to.push(event, wire_.lookups());
  for (const auto& [name, connection] : wire_.failed_names()) to.failed(*name, *connection);
  for (const model::ByteRun& run : runs) {
    const model::Connection* const connection = wire_.connection(run.connection);
    use(run, connection, connection ? wire_.connection(connection->carrier) : nullptr);
  }
}

void WireStage::push(const formats::Event& event, WireSink& sink) {
  pass(event, sink,
       [&](const model::ByteRun& run, const model::Connection* connection, const model::Connection* carrier) {
         make(
             run,
             [&](const model::Message& message) {
               const bool exchanged =
                   message.kind == model::MessageKind::request || message.kind == model::MessageKind::response;
               return !exchanged || admit(requests_ + counts(message));
             },
             [&](auto& made) { sink.push(made, connection, carrier); });
         if (connection && run.end != model::End::none) sink.ended(*connection, carrier, run.end);
       });
}

void WireStage::take(const formats::Event& event, WireBatch& batch) {
  pass(event, batch,
       [&](const model::ByteRun& run, const model::Connection* connection, const model::Connection* carrier) {
         batch.add(run, connection, carrier);
       });
  if (wire_.streams().views_held()) batch.add(wire_.streams().take_held());
}

void WireStage::make(WireBatch& batch, std::size_t part) {
  batch.each(part, [&](WireBatch::Part& into, std::size_t number, const model::ByteRun& run) {
    make(
        run,
        [&](const model::Message& message) {
          into.requests += counts(message);
          return true;
        },
        [&](auto& made) { into.add(number, made); });
  });
}

bool WireStage::admit(std::uint64_t requests) {
  requests_ = requests;
  full_ = full_ || (allowance_ && !allowance_->admits(requests_));
  return !full_;
}

void WireStage::admit_counted() {
  while (requests_ < made_ && admit(requests_ + 1)) {
  }
}

void WireStage::fill(model::Quality& quality) const {
  quality.findings.add(wire_.streams().findings());
  quality.findings.add(wire_.parsers().findings());
  quality.findings.add(exchanges_.findings());
  quality.tls = wire_.streams().tls();
  quality.connections = wire_.connections() - quality.tls.seen - wire_.names_failed();
}

}  // namespace tailcap::pipeline

#include "analyze/pipeline/wire/wire_batch.h"

#include "formats/event.h"
#include "ground/memory.h"

namespace tailcap::pipeline {
namespace {

// Events are fetched this many steps before they are read: another CPU has written them.
constexpr std::size_t kAhead = 6;

}  // namespace

void WireBatch::keep(const model::Connection* connection) {
  if (connection) next(connection_slots_, connections_) = *connection;
}

void WireBatch::push(const formats::Event& event, std::span<const model::Lookup> ended) {
  steps_.push_back(
      {Step::Kind::event, false, false, model::End::none, static_cast<std::uint32_t>(ended.size()), &event});
  for (const model::Lookup& lookup : ended) next(lookup_slots_, lookups_) = lookup;
}

void WireBatch::add(Step::Kind kind, const model::Connection* connection, const model::Connection* carrier,
                    model::End how) {
  steps_.push_back({kind, connection != nullptr, carrier != nullptr, how});
  keep(connection);
  keep(carrier);
}

void WireBatch::failed(const model::FailedName& name, const model::Connection& connection) {
  add(Step::Kind::failed, &connection, nullptr);
  failed_.push_back(name);
}

void WireBatch::push(std::unique_ptr<model::Message>& message, const model::Connection* connection,
                     const model::Connection* carrier) {
  add(Step::Kind::message, connection, carrier);
  messages_.add_swapped(message);
}

void WireBatch::push(std::unique_ptr<model::Exchange>& exchange, const model::Connection* connection,
                     const model::Connection* carrier) {
  add(Step::Kind::exchange, connection, carrier);
  exchanges_.add_swapped(exchange);
}

void WireBatch::ended(const model::Connection& connection, const model::Connection* carrier, model::End how) {
  add(Step::Kind::ended, &connection, carrier, how);
}

void WireBatch::replay(WireSink& sink) {
  std::size_t lookup = 0, failed = 0, message = 0, exchange = 0, at = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (const formats::Event* const next = i + kAhead < steps_.size() ? steps_[i + kAhead].event : nullptr)
      ground::prefetch(*next);
    const model::Connection* const connection = step.connection ? &connection_slots_[at++] : nullptr;
    const model::Connection* const carrier = step.carrier ? &connection_slots_[at++] : nullptr;
    switch (step.kind) {
      case Step::Kind::event:
        sink.push(*step.event, std::span(lookup_slots_).subspan(lookup, step.lookups));
        lookup += step.lookups;
        break;
      case Step::Kind::failed:
        if (connection) sink.failed(failed_[failed++], *connection);  // there always is one
        break;
      case Step::Kind::message:
        sink.push(messages_.slot(message++), connection, carrier);
        break;
      case Step::Kind::exchange:
        if (exchange + 1 < exchanges_.size()) ground::prefetch(exchanges_[exchange + 1]);
        sink.push(exchanges_.slot(exchange++), connection, carrier);
        break;
      case Step::Kind::ended:
        if (connection) sink.ended(*connection, carrier, step.how);  // there always is one
        break;
    }
  }
}

}  // namespace tailcap::pipeline

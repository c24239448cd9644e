#include "analyze/redact/parts.h"

#include <type_traits>

#include "formats/fields/tables.h"

namespace tailcap::redact {

using namespace formats;

namespace {

// Connections are spread unevenly: a part may have twice its share of them.
constexpr std::size_t kConnections = 2 * wire::RedactionGate::kConnections / kParts;

std::size_t part_of(std::uint64_t id) { return (id * 0x9e3779b97f4a7c15u >> 32) % kParts; }

std::size_t part_of(const Event& event) {
  return std::visit(
      [&]<class B>(const B& body) {
        if constexpr (std::is_same_v<B, Io> || std::is_same_v<B, SocketInfo> || std::is_same_v<B, StateChange>)
          return part_of(body.socket);
        else if constexpr (std::is_same_v<B, TlsIo> || std::is_same_v<B, TlsStep>)
          return part_of(body.session);
        else
          return part_of(event.thread.tid);
      },
      event.body);
}

// All parts know the port of a socket that listens.
bool concerns_all(const Event& event) {
  const auto* info = std::get_if<SocketInfo>(&event.body);
  return info && info->origin == Origin::listener;
}

// Calls f(text) for each text of an event.
template <class F>
void each_text(Event& event, F&& f) {
  std::visit(
      [&]<class B>(B& body) {
        if constexpr (is_stored(Table<B>::kinds[0].kind))
          each_field(body, [&]<class T>(const auto&, T& value) {
            if constexpr (std::is_same_v<T, std::string_view>) f(value);
          });
      },
      event.body);
}

}  // namespace

void Batch::begin(std::uint64_t first) {
  first_ = first;
  bytes_ = 0;
  before_.clear();
  after_.clear();
  texts_.clear();
  for (OfPart& part : parts_) {
    part.events.clear();
    part.texts.clear();
  }
}

void Batch::add(const Event& event, bool redacted) {
  const auto index = static_cast<std::uint32_t>(before_.size());
  Event& added = before_.emplace_back(event);
  each_text(added, [&](std::string_view& text) {
    bytes_ += text.size();
    text = texts_.keep(text);
  });
  after_.push_back(added);
  if (!redacted) return;
  if (!concerns_all(event)) return parts_[part_of(event)].events.push_back(index);
  for (OfPart& part : parts_) part.events.push_back(index);
}

Parts::Part::Part(const RedactionPolicy& policy, Pseudonyms& names) : redactor(policy, names, {}, kConnections) {}

Parts::Parts(const RedactionPolicy& policy, std::string_view key) : names_(key) {
  for (auto& part : parts_) part = std::make_unique<Part>(policy, names_);
}

void Parts::apply(Batch& batch, std::size_t number) {
  Part& part = *parts_[number];
  Batch::OfPart& of_part = batch.parts_[number];
  for (const std::uint32_t index : of_part.events) {
    const Event& before = batch.before_[index];
    Event after = before;
    part.redactor.apply(after);
    if (part_of(before) != number) continue;
    part.changes.add(before, after, batch.first_ + index);
    each_text(after, [&](std::string_view& text) { text = of_part.texts.keep(text); });
    batch.after_[index] = after;
  }
}

Masking Parts::withheld() const {
  Masking sum;
  for (const auto& part : parts_) {
    const Masking& one = part->redactor.withheld();
    sum.doubtful += one.doubtful;
    sum.withheld += one.withheld;
    sum.sends += one.sends;
    sum.receives += one.receives;
  }
  return sum;
}

FieldChanges Parts::changes() const {
  FieldChanges sum;
  for (const auto& part : parts_) part->changes.add_to(sum);
  return sum;
}

}  // namespace tailcap::redact

// What the rules say for each field of an event.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "analyze/redact/rules/pseudonym.h"
#include "analyze/redact/rules/rules.h"
#include "analyze/redact/wire/gate.h"
#include "formats/event_names.h"
#include "formats/fields/tables.h"
#include "formats/masking.h"
#include "formats/preamble.h"

namespace tailcap::redact {

class EventRedactor {
 public:
  // connections: that are remembered at most.
  EventRedactor(const RedactionPolicy& policy, Pseudonyms& names, wire::HeaderList::Seen seen = {},
                std::size_t connections = wire::RedactionGate::kConnections)
      : policy_(policy), names_(names), gate_({policy_, names, std::move(seen)}, connections) {}

  EventRedactor(const EventRedactor&) = delete;
  EventRedactor& operator=(const EventRedactor&) = delete;

  // In place; text is valid until the next call. Events that a reader makes stay as they are.
  void apply(formats::Event& event);
  formats::Preamble preamble(const formats::Preamble& original);
  // A text field, and an element of a list in the preamble.
  std::string text(std::string_view text, Treatment treatment);
  const formats::Masking& withheld() const { return gate_.withheld(); }

 private:
  struct Visitor;
  // The fields of a kind, in the order of formats/fields; empty: not looked up yet.
  struct OfKind {
    std::vector<Treatment> treatments;
    bool kept = false;  // all of them, payload aside
  };
  std::string route_text(std::string_view route);
  std::string cut_value(std::string_view value, Treatment treatment);
  std::string note_value(std::string_view key, std::string_view value, Treatment treatment);

  const RedactionPolicy policy_;
  Pseudonyms& names_;
  wire::RedactionGate gate_;
  std::array<OfKind, formats::kKindEntries.size()> kinds_;
  std::string texts_[8];
};

// The recorder's notes and those of merging keep their keys.
bool is_note_of_tailcap(std::string_view key);

}  // namespace tailcap::redact

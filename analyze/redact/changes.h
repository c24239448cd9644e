// Compares the fields of events before and after redaction.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/event.h"
#include "formats/fields/tables.h"

namespace tailcap::redact {

// What became of a field's text or payload.
struct FieldChange {
  std::uint64_t values = 0, changed = 0;  // that were not empty
  std::uint64_t bytes = 0, left = 0;      // that said something, before and after
  std::string before, after;              // an example of a change; of payload none
  std::uint64_t example = 0;              // the number of its event
};
using FieldChanges = std::map<std::string, FieldChange>;  // "kind.field"

class Changes {
 public:
  // number: of the event in the capture, in increasing order.
  void add(const formats::Event& before, const formats::Event& after, std::uint64_t number);
  // The example is that of the first event, whatever the order of additions.
  void add_to(FieldChanges& sum) const;

 private:
  template <class B>
  void compare(const B& before, const formats::Event& after, std::uint64_t number);
  FieldChange& of(formats::Kind kind, std::size_t at, std::string_view field);

  FieldChanges fields_;
  std::array<std::vector<FieldChange*>, formats::kKindEntries.size()> known_;  // of its text fields
};

}  // namespace tailcap::redact

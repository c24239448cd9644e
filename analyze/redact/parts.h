// Redaction in parts that do not depend on each other, so that threads can share them. All that concerns a connection
// or a TLS session is in one part. The number of parts is fixed, and so the result does not depend on that of the
// threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "analyze/redact/changes.h"
#include "analyze/redact/fields.h"
#include "analyze/redact/texts.h"

namespace tailcap::redact {

inline constexpr std::size_t kParts = 16;

// Some events that follow each other, with their texts.
class Batch {
 public:
  bool full() const { return before_.size() >= kEvents || bytes_ >= kBytes; }
  // As they are when all parts were applied.
  std::span<const formats::Event> events() const { return after_; }
  // first: the number of the first event in the capture.
  void begin(std::uint64_t first);
  // redacted: by the part that it belongs to; otherwise it stays as it is.
  void add(const formats::Event& event, bool redacted);

 private:
  friend class Parts;
  static constexpr std::size_t kEvents = 8192, kBytes = 2u << 20;
  struct OfPart {
    std::vector<std::uint32_t> events;  // by index
    Texts texts;
  };
  std::uint64_t first_ = 0;
  std::size_t bytes_ = 0;
  std::vector<formats::Event> before_, after_;
  Texts texts_;
  std::array<OfPart, kParts> parts_;
};

class Parts {
 public:
  Parts(const RedactionPolicy& policy, std::string_view key);

  formats::Preamble preamble(const formats::Preamble& original) { return parts_[0]->redactor.preamble(original); }
  // One part of a batch. Different parts at the same time; of each part, the batches in their order.
  void apply(Batch& batch, std::size_t part);

  formats::Masking withheld() const;
  FieldChanges changes() const;

 private:
  struct Part {
    Part(const RedactionPolicy& policy, Pseudonyms& names);
    EventRedactor redactor;
    Changes changes;
  };
  Pseudonyms names_;
  std::array<std::unique_ptr<Part>, kParts> parts_;
};

}  // namespace tailcap::redact

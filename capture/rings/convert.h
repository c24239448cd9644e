// Converts ring records (bpf/event.h) to events: the input is bytes, the output a value.
//
// The bytes are not trusted: for any input the result is an event or "no", never a read out of bounds.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "capture/go/names.h"
#include "formats/event_names.h"

namespace tailcap::capture {

class Converter {
 public:
  // names: for the events of Go programs, null if not known; must outlive this.
  explicit Converter(const go::Names* names = nullptr) : names_(names) {}

  // False: not a record. Views in event point into bytes or into this converter, valid until the next call.
  bool convert(std::span<const std::byte> bytes, formats::Event& event);

 private:
  const go::Names* names_;
  std::array<char, 128> path_{};
  std::string stack_, path_text_;
};

// Its number (bpf::record_kind), or one that no record has.
std::uint16_t kind_of_record(std::span<const std::byte> bytes);

// Why there is a RECORD_TASK (bpf::task_reason).
int reason_of_task(std::span<const std::byte> bytes);

formats::Time time_of_record(std::span<const std::byte> bytes);  // kNoTime: it is none

// The length of the record at the beginning of these bytes, if several follow one another (iterators print fixed
// records without separators); 0: no record begins here.
std::size_t listed_size(std::span<const std::byte> bytes);

}  // namespace tailcap::capture

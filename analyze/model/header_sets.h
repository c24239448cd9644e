// Which header fields requests carry: fields with few values only, as numbers, so that requests can be compared.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analyze/model/text_pool.h"

namespace tailcap::model {

struct HeaderSets {
  std::vector<std::vector<TextId>> sets;  // each a set of "name: value"; number 0: none is known
  std::vector<std::uint16_t> of;          // by row: a number; empty: none is known of any

  // The fields of the request in this row.
  std::span<const TextId> fields(std::uint32_t row) const {
    return row < of.size() ? std::span<const TextId>(sets[of[row]]) : std::span<const TextId>();
  }
};

}  // namespace tailcap::model

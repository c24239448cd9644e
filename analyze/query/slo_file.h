// Objectives as YAML: docs/assert.md describes the form, docs/slo.schema.json is its schema.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/gate/slo.h"

namespace tailcap::query {

// what() begins with line and column: "3:5: unknown key 'p98'".
class SloError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline constexpr std::size_t kMostSloBytes = 1 << 20;

// Throws SloError.
std::vector<model::gate::Slo> slos_of(std::string_view yaml);

}  // namespace tailcap::query

// Screening and confirmation: some runs flag what became slower; it fails only where fresh runs show it again.
#pragma once

#include <cstddef>
#include <span>

#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

// A gate fails where all runs together show it at kTogether, and those that did not flag it show it alone at kAlone.
// kTogether bounds false alarms, also where runs are added several times; bench/GATES.md has the rates.
inline constexpr double kTogether = 0.005;
inline constexpr double kAlone = 0.10;
// Fresh runs a side that can show it alone.
inline constexpr std::size_t kLeastAlone = 3;

// Compares all runs, each side in the order of time, of which the first options.screened flagged. Without other runs,
// what would fail is flagged and undecided.
model::gate::Comparison confirm(std::span<const model::gate::Run> base, std::span<const model::gate::Run> fresh,
                                const model::gate::CompareOptions& options);

}  // namespace tailcap::compare

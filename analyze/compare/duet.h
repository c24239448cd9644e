// Method duet-paired: both versions were recorded at once, run by run; notes of the captures say which belong together.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

inline constexpr const char* kDuetNote = "duet";  // its value is the same in both captures of a pair, and in no other

// The value of its note; empty: it has none.
std::string pair_of(const model::gate::Run& run);

// Any run has the note.
bool any_of_duet(std::span<const model::gate::Run> base, std::span<const model::gate::Run> fresh);

// For each run of the base, the run of the new version that was recorded with it; empty: they are no pairs, and the
// obstacles of `out` say why.
std::vector<std::size_t> pairs_of(std::span<const model::gate::Run> base, std::span<const model::gate::Run> fresh,
                                  model::gate::Comparison& out);

}  // namespace tailcap::compare

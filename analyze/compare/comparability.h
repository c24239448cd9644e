// Whether the two sides can be compared at all: machine, recorder, load, order of the runs, versions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

// Runs of the two sides alternate, ABBA or ABAB or nearly so: what drifts hits both alike. Every begin is known.
bool interleaved(std::span<const model::gate::Run> base, std::span<const model::gate::Run> fresh);

// As sentences name them.
struct SideNames {
  std::string base = "the base", fresh = "the new runs";
};

// Fills obstacles, remarks, same_version, interleaved, closed_loop, and the figures of the two sides.
void compare_sides(std::span<const model::gate::Run> base, std::span<const model::gate::Run> fresh,
                   model::gate::Comparison& out, const SideNames& names = {});

}  // namespace tailcap::compare

#include "analyze/flame/folder.h"

namespace tailcap::flame {

namespace {
// Different stacks that are kept; later ones are counted together.
constexpr std::size_t kMaxStacks = 1u << 18;
}  // namespace

void Folder::add(const std::string& frames, std::uint64_t value, bool typical) {
  totals_[typical ? 1 : 0] += value;
  const bool room = sums_.size() < kMaxStacks || sums_.contains(frames);
  sums_[room ? frames : "(other stacks)"].value[typical ? 1 : 0] += value;
}

std::vector<model::FoldedStack> Folder::stacks(std::uint64_t slow, std::uint64_t typical) const {
  std::vector<model::FoldedStack> out;
  for (const auto& [frames, sums] : sums_) {
    const double scaled =
        typical == 0 ? 0
                     : static_cast<double>(sums.value[1]) * static_cast<double>(slow) / static_cast<double>(typical);
    out.push_back({frames, sums.value[0], static_cast<std::uint64_t>(scaled + 0.5)});
  }
  return out;
}

}  // namespace tailcap::flame

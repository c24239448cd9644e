// Past incidents whose time was spent on the same.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::model {

enum class ProfilePart : std::uint8_t { labels, callees, running, waiting };
inline constexpr std::size_t kProfileParts = 4;
constexpr std::string_view name_of(ProfilePart part) {
  constexpr std::string_view names[] = {"labels", "callees", "running", "waiting"};
  return names[static_cast<std::size_t>(part)];
}

struct SharedName {
  ProfilePart part = ProfilePart::labels;
  std::string name;
  double mine = 0, theirs = 0;  // shares of the part
};
struct SimilarSummary {
  std::string file;
  std::optional<double> distance;  // from 0, the same, to 1, nothing in common; none: no part is known of both
  std::array<std::optional<double>, kProfileParts> parts{};
  std::vector<SharedName> shared;  // the largest share of both first
};

struct SimilarityStudy {
  std::string file;
  std::vector<SimilarSummary> nearest;  // the nearest first; those without a distance last
};

}  // namespace tailcap::model

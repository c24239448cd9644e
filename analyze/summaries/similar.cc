#include "analyze/summaries/similar.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analyze/model/request.h"

namespace tailcap::summaries {
namespace {

using model::ProfilePart;
using model::SharedName;
using model::SimilarSummary;

constexpr double kLeastShared = 0.01;  // of a part
constexpr std::size_t kShared = 8;

void normalise(Shares& shares) {
  double sum = 0;
  for (const auto& [name, amount] : shares) sum += amount;
  if (sum <= 0) return shares.clear();
  for (auto& [name, amount] : shares) amount /= sum;
}

double share_of(const Shares& shares, const std::string& name) {
  const auto at = shares.find(name);
  return at == shares.end() ? 0 : at->second;
}

}  // namespace

SummaryProfile profile_of(const formats::Summary& summary) {
  SummaryProfile out;
  const auto part = [&](ProfilePart p) -> Shares& { return out.parts[static_cast<std::size_t>(p)]; };
  const std::string_view server = model::name_of(model::Role::server);
  for (const auto& [start, window] : summary.windows) {
    for (const auto& [route, cell] : window.routes)
      if (route.role == server)
        for (const auto& [label, times] : cell.labels)
          part(ProfilePart::labels)[label] += static_cast<double>(times.sum());
    for (const auto& [edge, cell] : window.edges)
      part(ProfilePart::callees)[edge.to] += static_cast<double>(cell.durations.sum());
    for (const auto& [function, amount] : window.functions)
      part(function.waited ? ProfilePart::waiting : ProfilePart::running)[function.function] +=
          static_cast<double>(amount);
  }
  for (Shares& shares : out.parts) normalise(shares);
  return out;
}

double shannon_distance(const Shares& a, const Shares& b) {
  double divergence = 0;
  const auto add = [&](double p, double q) {
    if (p > 0) divergence += p / 2 * std::log2(2 * p / (p + q));
  };
  for (const auto& [name, p] : a) add(p, share_of(b, name));
  for (const auto& [name, q] : b) add(q, share_of(a, name));
  return std::sqrt(std::clamp(divergence, 0.0, 1.0));
}

SimilarSummary compared(const SummaryProfile& mine, const SummaryProfile& theirs) {
  SimilarSummary out;
  double squares = 0, parts = 0;
  for (std::size_t p = 0; p < model::kProfileParts; ++p) {
    const Shares &a = mine.parts[p], &b = theirs.parts[p];
    if (a.empty() || b.empty()) continue;
    const double distance = shannon_distance(a, b);
    out.parts[p] = distance;
    squares += distance * distance;
    ++parts;
    for (const auto& [name, share] : a)
      if (std::min(share, share_of(b, name)) >= kLeastShared)
        out.shared.push_back({static_cast<ProfilePart>(p), name, share, share_of(b, name)});
  }
  if (parts > 0) out.distance = std::sqrt(squares / parts);
  std::ranges::stable_sort(out.shared, {}, [](const SharedName& s) { return -std::min(s.mine, s.theirs); });
  if (out.shared.size() > kShared) out.shared.resize(kShared);
  return out;
}

}  // namespace tailcap::summaries

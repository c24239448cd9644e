#include "analyze/compare/duet.h"

#include <algorithm>
#include <map>

#include "formats/printable.h"

namespace tailcap::compare {
namespace {

using model::gate::Run;

constexpr double kLeastTogether = 0.9;  // of the shorter of two recordings

bool together(const Run& a, const Run& b) {
  if (a.begin == 0 || b.begin == 0) return false;
  const double both = static_cast<double>(std::min(a.end, b.end) - std::max(a.begin, b.begin));
  return both >= kLeastTogether * static_cast<double>(std::min(a.end - a.begin, b.end - b.begin));
}

}  // namespace

std::string pair_of(const Run& run) {
  for (auto note = run.preamble.notes.rbegin(); note != run.preamble.notes.rend(); ++note)
    if (note->first == kDuetNote) return note->second;
  return {};
}

bool any_of_duet(std::span<const Run> base, std::span<const Run> fresh) {
  for (const auto runs : {base, fresh})
    for (const Run& run : runs)
      if (!pair_of(run).empty()) return true;
  return false;
}

std::vector<std::size_t> pairs_of(std::span<const Run> base, std::span<const Run> fresh, model::gate::Comparison& out) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < fresh.size(); ++i)
    if (const std::string pair = pair_of(fresh[i]); !pair.empty()) places.emplace(pair, i);
  std::vector<std::size_t> pairs;
  for (const Run& run : base) {
    const auto place = places.find(pair_of(run));
    if (place == places.end()) break;
    if (!together(run, fresh[place->second])) {
      out.apart = place->first;
      out.obstacles.push_back("the two recordings of duet " + formats::printable(place->first) +
                              " were not made at the same time");
      return {};
    }
    pairs.push_back(place->second);
    places.erase(place);
  }
  if (pairs.size() == base.size() && base.size() == fresh.size()) return pairs;
  out.obstacles.push_back(
      "not every run has its other version: captures of a duet carry the note duet, with one value for both");
  return {};
}

}  // namespace tailcap::compare

#include "analyze/views/file/probe_facts.h"

#include <algorithm>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::views {

void ProbeFacts::push(const formats::Probe& probe) {
  if (known_ >= kMaxPlaces) return;
  auto& functions = files_[std::string(probe.path)];
  auto function =
      std::find_if(functions.begin(), functions.end(), [&](const Function& f) { return f.name == probe.function; });
  if (function == functions.end()) {
    functions.push_back({std::string(probe.function), {}, std::string(probe.reason)});
    function = std::prev(functions.end());
    known_++;
  }
  if (probe.place.empty()) return;
  const Place place{probe.offset, std::string(probe.place), probe.price};
  if (std::find(function->places.begin(), function->places.end(), place) != function->places.end()) return;
  function->places.push_back(place);
  known_++;
  if (place.price > 0) attached_++;
}

std::vector<std::string> ProbeFacts::lines() const {
  std::vector<std::string> out;
  for (const auto& [path, functions] : files_) {
    std::size_t probed = 0;
    std::uint64_t least = UINT64_MAX, most = 0;
    std::vector<std::string> others;
    for (const auto& function : functions) {
      if (std::ranges::none_of(function.places, [](const Place& p) { return p.price > 0; })) {
        others.push_back("  " + report::printable(function.name) +
                         ": not probed: " + report::printable(function.reason));
        continue;
      }
      // A call passes the first place and one of the others.
      std::uint32_t later = 0;
      for (std::size_t i = 1; i < function.places.size(); i++) later = std::max(later, function.places[i].price);
      const auto price = static_cast<std::uint64_t>(function.places[0].price) + later;
      least = std::min(least, price);
      most = std::max(most, price);
      ++probed;
    }
    std::string line = report::printable(path);
    if (probed > 0) {
      line += ": " + report::count_text(probed, "function", "functions") + ", " + report::count_text(least);
      if (most > least) line += " to " + report::count_text(most);
      line += " ns a call";
    }
    out.push_back(std::move(line));
    for (std::string& other : others) out.push_back(std::move(other));
  }
  return out;
}

std::vector<ProbeFacts::Listed> ProbeFacts::listed() const {
  std::vector<Listed> out;
  for (const auto& [path, functions] : files_) {
    for (const auto& function : functions) {
      const auto add = [&](const Place* place) {
        out.push_back({report::printable(path), report::printable(function.name), report::printable(function.reason),
                       place ? std::optional(report::printable(place->text)) : std::nullopt,
                       place ? std::optional(place->offset) : std::nullopt, place ? place->price : 0});
      };
      for (const auto& place : function.places) add(&place);
      if (function.places.empty()) add(nullptr);
    }
  }
  return out;
}

}  // namespace tailcap::views

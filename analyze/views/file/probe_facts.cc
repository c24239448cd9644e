#include "analyze/views/file/probe_facts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

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
  std::size_t width = 0;
  for (const auto& [path, functions] : files_) {
    for (const auto& function : functions) width = std::max(width, report::printable(function.name).size());
  }
  for (const auto& [path, functions] : files_) {
    out.push_back(report::printable(path));
    for (const auto& function : functions) {
      std::string line = "  " + report::printable(function.name);
      line.resize(std::max(line.size(), width + 4), ' ');
      const bool attached =
          std::any_of(function.places.begin(), function.places.end(), [](auto& p) { return p.price > 0; });
      if (!attached) {
        out.push_back(line + "not probed: " + report::printable(function.reason));
        continue;
      }
      // A call passes the first place and one of the others.
      std::uint32_t later = 0;
      std::string places;
      for (std::size_t i = 0; i < function.places.size(); i++) {
        if (i > 0) later = std::max(later, function.places[i].price);
        places +=
            (i ? ", " : "") + report::printable(function.places[i].text.substr(0, function.places[i].text.find(':')));
      }
      const auto price = static_cast<std::uint64_t>(function.places[0].price) + later;
      out.push_back(line + report::count_text(price) + " ns a call, at " + places);
    }
  }
  return out;
}

std::string ProbeFacts::to_json() const {
  using Json = nlohmann::ordered_json;
  Json all = Json::array();
  for (const auto& [path, functions] : files_) {
    for (const auto& function : functions) {
      const auto add = [&](const Place* place) {
        const bool attached = place && place->price > 0;
        all.push_back({{"path", report::printable(path)},
                       {"function", report::printable(function.name)},
                       {"place", place ? Json(report::printable(place->text)) : Json()},
                       {"offset", place ? Json(place->offset) : Json()},
                       {"price_ns", attached ? Json(place->price) : Json()},
                       {"reason", function.reason.empty() ? Json() : Json(report::printable(function.reason))}});
      };
      for (const auto& place : function.places) add(&place);
      if (function.places.empty()) add(nullptr);
    }
  }
  return all.dump();
}

}  // namespace tailcap::views

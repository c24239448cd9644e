#include "analyze/report/sections/page_flames.h"

#include <algorithm>

#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

constexpr std::string_view kOne = "samples-", kSlow = "flame-slow";

}  // namespace

render::Figure drawn(const model::Plot& figure) { return {figure.name, figure.image, figure.caption}; }

bool is_flame(const model::Plot& figure) { return figure.name == kSlow || figure.name.starts_with(kOne); }

std::optional<render::Figure> slow_flame(const model::PlotSet& figures) {
  const auto found = std::ranges::find(figures.drawn, kSlow, &model::Plot::name);
  if (found == figures.drawn.end()) return std::nullopt;
  return drawn(*found);
}

render::Document sampled_requests(const model::PlotSet& figures) {
  render::Document out;
  for (const auto& figure : figures.drawn) {
    if (!figure.name.starts_with(kOne)) continue;
    if (out.empty()) out.heading(2, "What the processors did for single requests");
    out.add(render::Figures{{drawn(figure)}});
  }
  return out;
}

std::string samples_anchor(const model::PlotSet& figures, model::ExchangeId id) {
  std::string name = std::string(kOne) + id_text(id);
  return std::ranges::find(figures.drawn, name, &model::Plot::name) == figures.drawn.end() ? std::string() : name;
}

}  // namespace tailcap::report

#include "analyze/report/page_flames.h"

#include <algorithm>

#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

constexpr std::string_view kOne = "samples-", kSlow = "flame-slow";

}  // namespace

render::Figure drawn(const flow::Figure& figure) { return {figure.name, figure.image, figure.caption}; }

bool is_flame(const flow::Figure& figure) { return figure.name == kSlow || figure.name.starts_with(kOne); }

std::optional<render::Figure> slow_flame(const flow::Figures& figures) {
  const auto found = std::ranges::find(figures.drawn, kSlow, &flow::Figure::name);
  if (found == figures.drawn.end()) return std::nullopt;
  return drawn(*found);
}

render::Document sampled_requests(const flow::Figures& figures) {
  render::Document out;
  for (const auto& figure : figures.drawn) {
    if (!figure.name.starts_with(kOne)) continue;
    if (out.empty()) out.heading(2, "What the processors did for single requests");
    out.add(render::Figures{{drawn(figure)}});
  }
  return out;
}

std::string samples_anchor(const flow::Figures& figures, flow::ExchangeId id) {
  std::string name = std::string(kOne) + id_text(id);
  return std::ranges::find(figures.drawn, name, &flow::Figure::name) == figures.drawn.end() ? std::string() : name;
}

}  // namespace tailcap::report

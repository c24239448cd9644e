#include "analyze/report/page_flames.h"

#include <algorithm>

#include "analyze/report/html_parts.h"
#include "analyze/report/words.h"

namespace tailcap::report {
namespace {

constexpr std::string_view kOne = "samples-", kSlow = "flame-slow";

std::string figure_html(const flow::Figure& figure) {
  return "<figure class=\"flame\" id=\"" + figure.name + "\">\n" + figure.image +
         element("figcaption", figure.caption) + "</figure>\n";
}

}  // namespace

bool is_flame(const flow::Figure& figure) { return figure.name == kSlow || figure.name.starts_with(kOne); }

std::string slow_flame_html(const flow::Figures& figures) {
  const auto found =
      std::find_if(figures.drawn.begin(), figures.drawn.end(), [](const flow::Figure& f) { return f.name == kSlow; });
  return found == figures.drawn.end() ? std::string() : figure_html(*found);
}

std::string sampled_requests_html(const flow::Figures& figures) {
  std::string out;
  for (const auto& figure : figures.drawn)
    if (figure.name.starts_with(kOne)) out += figure_html(figure);
  return out.empty() ? out : "<h2>What the processors did for single requests</h2>\n" + out;
}

std::string samples_link(const flow::Figures& figures, flow::ExchangeId id) {
  const std::string name = std::string(kOne) + id_text(id);
  const bool has =
      std::any_of(figures.drawn.begin(), figures.drawn.end(), [&](const flow::Figure& f) { return f.name == name; });
  return has ? " <a href=\"#" + name + "\">samples</a>" : std::string();
}

}  // namespace tailcap::report

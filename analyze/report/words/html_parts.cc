#include "analyze/report/words/html_parts.h"

#include <algorithm>

#include "analyze/model/figure/figure.h"
#include "analyze/render/bar.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

constexpr std::int64_t kBarUnits = 10'000;  // width of a bar's coordinates: integers, the same everywhere

// ns * kBarUnits / scale without overflow.
std::int64_t units(std::int64_t ns, std::int64_t scale) {
  if (ns <= 0 || scale <= 0) return 0;
  const double share = static_cast<double>(ns) / static_cast<double>(scale);
  return static_cast<std::int64_t>(std::min(share, 1.0) * static_cast<double>(kBarUnits) + 0.5);
}

}  // namespace

std::string element(std::string_view name, std::string_view text, std::string_view attributes) {
  const std::string tag(name);
  return "<" + tag + (attributes.empty() ? "" : " " + std::string(attributes)) + ">" + html(text) + "</" + tag + ">";
}

std::string bar_svg(const std::vector<Stretch>& stretches, std::int64_t scale) {
  ground::Svg out = render::bar_svg(kBarUnits);
  std::int64_t done = 0;
  for (const auto& s : stretches) {
    if (s.ns <= 0) continue;
    const std::int64_t from = units(done, scale), to = units(done + s.ns, scale);
    done += s.ns;
    render::add_bar(out, from, std::max<std::int64_t>(to - from, 1), s.colour,
                    std::string(s.name) + ": " + exact_text(Duration{s.ns}));
  }
  return out.close("svg").take();
}

std::vector<Stretch> phase_stretches(const model::Request& row) {
  std::vector<Stretch> out;
  const auto phases = model::phases_of(row.role);
  for (std::size_t i = 0; row.has_phases && i < phases.size(); ++i)
    out.push_back({model::text_of(phases[i]), model::colour_of(phases[i]), row.phases[i]});
  return out;
}

std::string made_by_text(const model::Study& study) {
  const auto& p = study.quality.preamble;
  std::string text = "Made by tailcap from one capture; the same capture gives the same report.";
  if (!p.capture_id.empty()) text += " Capture " + printable(p.capture_id) + ".";
  if (!p.tool_version.empty())
    text += std::string(" Recorded by ") + (p.tool_version.starts_with("tailcap") ? "" : "tailcap ") +
            printable(p.tool_version) + ".";
  if (!p.command_line.empty()) {
    text += " Command:";
    for (const auto& word : p.command_line) text += " " + printable(word);
  }
  return text;
}

}  // namespace tailcap::report

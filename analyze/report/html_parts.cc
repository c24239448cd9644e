#include "analyze/report/html_parts.h"

#include <algorithm>

#include "analyze/flow/figure.h"
#include "analyze/report/escape.h"
#include "analyze/report/number.h"
#include "analyze/report/words.h"

namespace tailcap::report {
namespace {

constexpr std::int64_t kBarUnits = 10'000;  // width of a bar's coordinates: integers, the same everywhere

std::string_view class_of(Tone tone) { return tone == Tone::alarm ? "alarm" : tone == Tone::care ? "care" : "plain"; }

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

std::string cell(std::string_view inner, double key, std::string_view hint) {
  // Exact to the nanosecond for 104 days, and no locale.
  const auto whole = static_cast<long long>(key * 1000);
  return "<td data-v=\"" + std::to_string(whole) + "\"" + (hint.empty() ? "" : " title=\"" + html(hint) + "\"") + ">" +
         std::string(inner) + "</td>";
}

std::string quality_box_html(const flow::Study& study) {
  const QualityLine first = verdict(study);
  std::string out = "<div class=\"box\">\n<div class=\"verdict " + std::string(class_of(first.tone)) + "\">" +
                    html(first.text) + "</div>\n<dl class=\"quality\">\n";
  for (const auto& line : quality_lines(study)) {
    const std::string tone = "class=\"" + std::string(class_of(line.tone)) + "\"";
    out += element("dt", line.label, tone) + element("dd", line.text, tone) + "\n";
  }
  return out + "</dl>\n</div>\n";
}

std::string notes_html(const Footnotes& notes) {
  if (notes.texts().empty()) return {};
  std::string out = "<ol class=\"notes\">";
  for (const auto& text : notes.texts()) out += element("li", text);
  return out + "</ol>\n";
}

std::string bar_html(const std::vector<Stretch>& stretches, std::int64_t scale) {
  std::string out = "<svg class=\"bar\" viewBox=\"0 0 " + std::to_string(kBarUnits) +
                    " 10\" preserveAspectRatio=\"none\" role=\"img\">";
  std::int64_t done = 0;
  for (const auto& s : stretches) {
    if (s.ns <= 0) continue;
    const std::int64_t from = units(done, scale), to = units(done + s.ns, scale);
    done += s.ns;
    out += "<rect x=\"" + std::to_string(from) + "\" width=\"" + std::to_string(std::max<std::int64_t>(to - from, 1)) +
           "\" height=\"10\" fill=\"" + std::string(s.colour) + "\"><title>" + html(s.name) + ": " +
           exact_text(Duration{s.ns}) + "</title></rect>";
  }
  return out + "</svg>";
}

std::vector<Stretch> phase_stretches(const flow::Request& row) {
  std::vector<Stretch> out;
  const auto phases = flow::phases_of(row.role);
  for (std::size_t i = 0; row.has_phases && i < phases.size(); ++i)
    out.push_back({flow::text_of(phases[i]), flow::colour_of(phases[i]), row.phases[i]});
  return out;
}

std::string legend_html(const std::vector<Stretch>& entries) {
  std::string out = "<ul class=\"legend\">";
  for (const auto& e : entries)
    out += "<li><i style=\"background:" + std::string(e.colour) + "\"></i>" + html(e.name) + "</li>";
  return out + "</ul>\n";
}

std::string definitions_html() {
  std::string out = "<h2>What the words mean</h2>\n<dl class=\"terms\">\n";
  for (const auto& [term, meaning] : definitions()) out += element("dt", term) + element("dd", meaning) + "\n";
  return out + "</dl>\n";
}

std::string footer_html(const flow::Study& study) {
  const auto& p = study.quality.preamble;
  std::string text = "Made by tailcap from one capture; the same capture makes the same page.";
  if (!p.capture_id.empty()) text += " Capture " + printable(p.capture_id) + ".";
  if (!p.tool_version.empty()) text += " Recorded by tailcap " + printable(p.tool_version) + ".";
  if (!p.command_line.empty()) {
    text += " Command:";
    for (const auto& word : p.command_line) text += " " + printable(word);
  }
  return element("footer", text) + "\n";
}

}  // namespace tailcap::report

#include "analyze/report/tail/tail_html.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "analyze/flow/label_group.h"
#include "analyze/report/bands.h"
#include "analyze/report/escape.h"
#include "analyze/report/html_parts.h"
#include "analyze/report/number.h"
#include "analyze/report/tail/difference_table.h"
#include "analyze/report/tail/lanes.h"
#include "analyze/report/tail/sections.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/words.h"

namespace tailcap::report::tail {
namespace {

using flow::Label;
using flow::RouteStudy;
using flow::TailStudy;
using flow::TailVerdict;

constexpr std::int64_t kUnits = 1000;  // width of a difference bar's coordinates

std::string_view colour_of(Label label) { return flow::colour_of(flow::group_of(label)); }

std::string swatch(std::string_view colour) {
  return "<i class=\"swatch\" style=\"background:" + std::string(colour) + "\"></i>";
}

// Labels as stretches, group by group, so that colours do not alternate.
std::vector<Stretch> stretches_of(std::vector<std::pair<Label, std::int64_t>> labels) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const auto& a, const auto& b) { return flow::group_of(a.first) < flow::group_of(b.first); });
  std::vector<Stretch> out;
  for (const auto& [label, ns] : labels) out.push_back({flow::text_of(label), colour_of(label), ns});
  return out;
}

std::string legend(const TailStudy& tail) {
  std::vector<Stretch> entries;
  for (std::size_t g = 0; g < flow::kLabelGroups; ++g) {
    const auto group = static_cast<flow::LabelGroup>(g);
    const bool occurs = std::any_of(tail.bands.begin(), tail.bands.end(), [&](const auto& band) {
      return std::any_of(band.labels.begin(), band.labels.end(),
                         [&](const auto& l) { return flow::group_of(l.first) == group; });
    });
    if (occurs) entries.push_back({flow::text_of(group), flow::colour_of(group), 1});
  }
  return legend_html(entries);
}

// The axis of all difference bars of a route.
struct Axis {
  std::int64_t low = 0, high = 1;  // ns
  explicit Axis(const TailStudy& tail) {
    for (const auto& d : tail.labels) {
      low = std::min({low, d.difference(), tail.intervals ? d.low : 0});
      high = std::max({high, d.difference(), tail.intervals ? d.high : 0});
    }
  }
  std::int64_t at(std::int64_t ns) const {
    return std::llround(static_cast<double>(ns - low) / static_cast<double>(high - low) * static_cast<double>(kUnits));
  }
};

// A bar from 0 to the difference with a line over its interval.
std::string difference_bar(const flow::LabelDifference& d, const Axis& axis, bool interval) {
  const std::int64_t zero = axis.at(0), to = axis.at(d.difference());
  const auto x = [](std::int64_t n) { return std::to_string(n); };
  std::string out = "<svg class=\"difference\" viewBox=\"0 0 " + x(kUnits) +
                    " 16\" preserveAspectRatio=\"none\" role=\"img\"><title>" + exact_text(Duration{d.difference()}) +
                    "</title><rect x=\"" + x(std::min(zero, to)) + "\" y=\"2\" width=\"" +
                    x(std::max<std::int64_t>(std::abs(to - zero), 1)) + "\" height=\"12\" fill=\"" +
                    std::string(colour_of(d.label)) + "\"/>";
  if (interval && d.high > d.low) {
    const std::string low = x(axis.at(d.low)), high = x(axis.at(d.high));
    out += "<path class=\"whisker\" d=\"M" + low + " 8H" + high + "M" + low + " 4V12M" + high + " 4V12\"/>";
  }
  return out + "<path class=\"zero\" d=\"M" + x(zero) + " 0V16\"/></svg>";
}

std::string differences(const TailStudy& tail) {
  const DifferenceTable table = difference_table(tail);
  const Axis axis(tail);
  const std::string unit = ", " + table.unit;
  std::string out = "<div class=\"wide\"><table class=\"tail\">\n<thead><tr><th class=\"name\">mean of a request" +
                    unit + "</th><th>slow</th><th>typical</th><th>more</th><th class=\"left\">";
  out += std::string(tail.intervals ? "difference, with its 95 % interval" : "difference") +
         "</th><th>interval</th><th>share</th><th>had it</th><th>mainly</th></tr></thead>\n<tbody>\n";
  for (const DifferenceRow& r : table.rows) {
    const bool cause = r.notes.substr(0, 5) == "cause";
    out += std::string("<tr") + (cause ? " class=\"cause\"" : "") + "><td class=\"name\">" + swatch(r.colour) +
           html(r.text);
    if (!r.notes.empty())
      out += std::string("<span class=\"tag") + (cause ? "" : " aside") + "\">" + html(r.notes) + "</span>";
    out += "<span class=\"ci\">" + html(r.name) + "</span></td>" + element("td", r.slow) + element("td", r.typical) +
           element("td", r.more, "class=\"more\"") + "<td>" +
           (r.difference ? difference_bar(*r.difference, axis, tail.intervals) : "") + "</td>" +
           element("td", r.interval) + element("td", r.share) + element("td", r.with) + element("td", r.dominant) +
           "</tr>\n";
  }
  const DifferenceRow& t = table.total;
  return out + "<tr class=\"total\">" + element("td", t.text, "class=\"name\"") + element("td", t.slow) +
         element("td", t.typical) + element("td", t.more, "class=\"more\"") + "<td></td>" + element("td", t.interval) +
         element("td", t.share) + "<td></td><td></td></tr>\n</tbody></table></div>\n";
}

std::string bands(const TailStudy& tail) {
  std::int64_t scale = 1;
  for (const auto& b : tail.bands) scale = std::max(scale, b.mean);
  std::string out = "<h4>By how fast they were</h4>\n<div class=\"wide\"><table class=\"tail stacked\">\n";
  for (const auto& b : tail.bands) {
    if (b.count == 0) continue;
    flow::Band named;
    named.from = b.from, named.to = b.to;
    out += "<tr>" + element("td", band_name(named), "class=\"name\"") +
           element("td", count_text(b.count, "request", "requests")) + "<td class=\"track\">" +
           bar_html(stretches_of(b.labels), scale) + "</td>" + element("td", duration_text(Duration{b.mean})) +
           "</tr>\n";
  }
  return out + "</table></div>\n";
}

std::string exemplars(const TailStudy& tail, const flow::RequestTable& table, std::span<const flow::Course> courses) {
  if (tail.exemplars.empty()) return {};
  std::int64_t scale = 1;
  for (const auto& e : tail.exemplars) scale = std::max<std::int64_t>(scale, table.rows.duration(e.row).count());
  constexpr std::string_view why[] = {"the slowest", "most like all slow ones", "slowest for another reason"};
  std::string out =
      "<h4>Requests to look at, each with a typical one of its kind</h4>\n<div class=\"wide\"><table class=\"tail "
      "stacked\">\n";
  const auto add = [&](std::uint32_t row, std::string_view what, bool first) {
    const flow::Course* course = course_of(courses, table.rows.id(row));
    const std::string bar =
        course ? course_bar(*course, table.partitions.groups(), formats::nanoseconds(table.rows.start(row)), scale)
               : bar_html(label_stretches(table, table.rows.id(row)), scale);
    out += std::string("<tr") + (first ? " class=\"pair\"" : "") + "><td class=\"left\"><code>" +
           id_text(table.rows.id(row)) + "</code></td>" + element("td", what, "class=\"name\"") +
           "<td class=\"track\">" + bar + "</td>" + element("td", duration_text(table.rows.duration(row))) + "</tr>\n";
  };
  for (const auto& e : tail.exemplars) {
    add(e.row, why[static_cast<std::size_t>(e.why)], true);
    add(e.typical, "typical", false);
  }
  out += "</table></div>\n";
  for (const auto& e : tail.exemplars)
    if (const std::string lanes = lanes_html(e.row, table, courses); !lanes.empty())
      out += std::string("<details") + (e.why == flow::Exemplar::Why::slowest ? " open" : "") + "><summary>" +
             id_text(table.rows.id(e.row)) + " in time, with its calls and with whom it waited for</summary>\n" +
             lanes + "</details>\n";
  return out;
}

// The causes' names stand out in what is said.
std::string emphasised(const std::string& text, const TailStudy& tail) {
  std::string out = html(text);
  for (const Label cause : tail.causes) {
    const std::string name = html(flow::text_of(cause));
    if (const auto at = out.find(name); at != out.npos)
      out.insert(at + name.size(), "</strong>").insert(at, "<strong>");
  }
  return out;
}

std::string list(const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  std::string out = "<ul>\n";
  for (const auto& line : lines) out += element("li", line) + "\n";
  return out + "</ul>\n";
}

}  // namespace

std::vector<Stretch> label_stretches(const flow::RequestTable& table, flow::ExchangeId request) {
  std::vector<Stretch> out;
  const auto parts = table.partitions.parts(request);
  for (std::size_t p = 0; p < flow::kPhases; ++p) {
    std::vector<std::pair<Label, std::int64_t>> labels;
    for (const flow::Part& part : parts)
      if (part.phase == static_cast<flow::Phase>(p)) labels.emplace_back(part.label, part.time);
    for (const Stretch& s : stretches_of(std::move(labels))) out.push_back(s);
  }
  return out;
}

std::string group_legend_html() {
  std::vector<Stretch> entries;
  for (std::size_t g = 0; g < flow::kLabelGroups; ++g)
    entries.push_back(
        {flow::text_of(static_cast<flow::LabelGroup>(g)), flow::colour_of(static_cast<flow::LabelGroup>(g)), 1});
  return legend_html(entries);
}

std::string verdicts_html(const flow::Study& study, const flow::TextPool& texts, std::size_t sections) {
  std::string rows;
  for (const Said& said : sentences(study, texts, sections)) {
    if (!said.route) {
      rows += element("li", said.text, "class=\"soft\"") + "\n";
      continue;
    }
    const TailVerdict verdict = said.route->tail->verdict;
    const std::string title = shortened(route_title(*said.route), kTitle);
    const auto section = static_cast<std::size_t>(said.route - study.routes.data()) + 1;
    const std::string linked = section <= sections
                                   ? "<a href=\"#route-" + std::to_string(section) + "\">" + html(title) + "</a>"
                                   : html(title);
    rows += std::string("<li class=\"") +
            (verdict == TailVerdict::cause     ? "cause"
             : verdict == TailVerdict::refused ? "refused"
                                               : "none") +
            "\">" + linked + emphasised(said.text.substr(title.size()), *said.route->tail) + "</li>\n";
  }
  if (rows.empty()) return {};
  return "<h2>Why the slow requests are slow</h2>\n<ul class=\"verdicts\">\n" + rows + "</ul>\n";
}

std::string section_html(const RouteStudy& route, const flow::Study& study, const flow::RequestTable& table,
                         std::span<const flow::Course> courses) {
  if (!route.tail) return {};
  const TailStudy& tail = *route.tail;
  const std::string text = sentence(route, table.texts);
  const std::string said = text.substr(shortened(route_title(route), kTitle).size() + 2);  // after "title: "
  const std::string sentence_html = "<p class=\"verdict-line " +
                                    std::string(tail.verdict == TailVerdict::cause ? "cause" : "none") + "\">" +
                                    emphasised(said, tail) + "</p>\n";
  if (tail.verdict == TailVerdict::refused) return sentence_html;
  std::string out =
      sentence_html + "<h4>Slow against typical</h4>\n" + differences(tail) + list(culprit_lines(tail, table.texts));
  out += legend(tail) + bands(tail) + exemplars(tail, table, courses);
  out += "<details><summary>How this was compared</summary>\n";
  for (const auto& line : notes(tail, study)) out += element("p", line, "class=\"soft\"") + "\n";
  return out + "</details>\n";
}

}  // namespace tailcap::report::tail

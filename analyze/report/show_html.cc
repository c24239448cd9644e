#include <algorithm>

#include "analyze/render/page.h"
#include "analyze/report/escape.h"
#include "analyze/report/html_parts.h"
#include "analyze/report/lanes_svg.h"
#include "analyze/report/masking.h"
#include "analyze/report/number.h"
#include "analyze/report/show.h"
#include "analyze/report/waterfall.h"
#include "analyze/report/words.h"

namespace tailcap::report {
namespace {

constexpr std::size_t kBarsInLane = 2'000;  // drawn; a request can have any number of waits
constexpr std::size_t kWaits = 200;
constexpr std::int64_t kUnits = 100'000;

std::string rectangle(const Bar& bar, Duration span) {
  const auto units = [&](Duration d) {
    return static_cast<std::int64_t>(
        std::clamp(static_cast<double>(d.count()) / static_cast<double>(span.count()), 0.0, 1.0) * kUnits + 0.5);
  };
  const std::int64_t from = std::min(units(bar.from), kUnits - 100), to = units(bar.from + bar.length);
  return "<rect x=\"" + std::to_string(from) + "\" width=\"" + std::to_string(std::max<std::int64_t>(to - from, 100)) +
         "\" height=\"10\" fill=\"" + bar.colour + "\"><title>" + html(bar.name) +
         (bar.note.empty() ? "" : ", " + html(bar.note)) + ": " + exact_text(bar.length) + ", from +" +
         exact_text(bar.from) + "</title></rect>";
}

std::string track(const std::string& rectangles) {
  return "<svg viewBox=\"0 0 " + std::to_string(kUnits) + " 10\" preserveAspectRatio=\"none\" role=\"img\">" +
         rectangles + "</svg>";
}

std::string lane_html(const Lane& lane, Duration span) {
  std::string all, rows;
  for (std::size_t i = 0; i < std::min(lane.bars.size(), kBarsInLane); ++i) all += rectangle(lane.bars[i], span);
  std::string out = element("h3", lane.title) +
                    "\n<div class=\"wide\"><table class=\"time\"><tbody>\n<tr><td "
                    "class=\"name\">all</td><td></td><td></td><td class=\"track\">" +
                    track(all) + "</td></tr>\n";
  for (const std::size_t i : lane.listed) {
    const auto& bar = lane.bars[i];
    out += "<tr>" + element("td", bar.name + (bar.note.empty() ? "" : ": " + bar.note), "class=\"name\"") +
           "<td title=\"" + exact_text(bar.from) + "\">" + place_text(bar.from, span) + "</td><td title=\"" +
           exact_text(bar.length) + "\">" + duration_text(bar.length) + "</td><td class=\"track\">" +
           track(rectangle(bar, span)) + "</td></tr>\n";
  }
  out += "</tbody></table></div>\n";
  if (!lane.others.empty()) out += element("p", "And " + lane.others + ".", "class=\"soft\"") + "\n";
  return out;
}

std::string place(Duration d, Duration span) {
  return "<td title=\"" + exact_text(d) + "\">" + place_text(d, span) + "</td>";
}

std::string messages_html(const Waterfall& w) {
  if (w.messages.listed.empty()) return {};
  std::string out =
      "<h2>Messages</h2>\n<div class=\"wide\"><table>\n<thead><tr><th class=\"name\"></th><th>size</th><th "
      "class=\"name\">client</th>"
      "<th class=\"name\">server</th></tr></thead>\n<tbody>\n";
  for (const auto& m : w.messages.listed)
    out += "<tr>" + element("td", m.name, "class=\"name\"") + element("td", m.size) +
           element("td", m.client.empty() ? "not recorded" : m.client, "class=\"name\"") +
           element("td", m.server.empty() ? "not recorded" : m.server, "class=\"name\"") + "</tr>\n";
  out += "</tbody></table></div>\n";
  return out +
         (w.messages.others.empty() ? "" : element("p", "And " + w.messages.others + ".", "class=\"soft\"") + "\n");
}

std::string files_html(const Waterfall& w) {
  if (w.files.empty() && w.files_notes.empty()) return {};
  std::string out = "<h2>Files</h2>\n";
  if (!w.files.empty()) {
    out +=
        "<div class=\"wide\"><table>\n<thead><tr><th>from</th><th>for</th><th class=\"name\"></th><th "
        "class=\"name\"></th></tr></thead>\n<tbody>\n";
    for (const auto& f : w.files)
      out += "<tr>" + place(f.from, w.span) + "<td title=\"" + exact_text(f.length) + "\">" + duration_text(f.length) +
             "</td>" + element("td", f.end, "class=\"name\"") + element("td", f.what, "class=\"name\"") + "</tr>\n";
    out += "</tbody></table></div>\n";
  }
  for (const auto& note : w.files_notes) out += element("p", note + ".", "class=\"soft\"") + "\n";
  return out;
}

std::string waits_html(const Waterfall& w) {
  if (w.waits.empty()) return {};
  std::string out =
      "<h2>Off the CPU</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>left the CPU</th><th>waited</th><th>queued "
      "for a CPU</th>"
      "<th class=\"name\">for</th><th class=\"name\">woken by</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < std::min(w.waits.size(), kWaits); ++i) {
    const auto& wait = w.waits[i];
    out += "<tr>" + place(wait.left, w.span) + element("td", duration_text(wait.waited)) +
           element("td", wait.runnable_known ? duration_text(wait.queued) : "?") +
           element("td", wait.what + (wait.missed == 0 ? "" : "; " + count_text(wait.missed) + " before it lost"),
                   "class=\"name\"") +
           element("td", wait.woken_by.empty() ? "–" : wait.woken_by, "class=\"name\"") + "</tr>\n";
  }
  out += "</tbody></table></div>\n";
  const std::uint64_t more = w.waits_left_out + (w.waits.size() > kWaits ? w.waits.size() - kWaits : 0);
  return out + (more == 0 ? "" : element("p", count_text(more) + " more.", "class=\"soft\"") + "\n");
}

std::string around_html(const flow::Lanes& around, const Waterfall& w) {
  if (around.lanes.empty()) return {};
  LanesPicture how;
  how.zero = how.marked_from = w.zero, how.marked_to = w.zero + w.span, how.alone = false;
  std::string out =
      "<h2>Around it</h2>\n<p class=\"soft\">What its processes did meanwhile; its own time is shaded. Point at a "
      "stretch for what it is.</p>\n<div class=\"wide\">" +
      lanes_svg(around, how) + "</div>\n";
  const std::string notes = lanes_notes(around);
  return out + (notes.empty() ? "" : element("p", notes, "class=\"soft\"") + "\n");
}

}  // namespace

std::string html_show(const flow::Detail& detail, const flow::Study& study, const flow::Lanes& around,
                      const ReportOptions& options) {
  const Waterfall w = waterfall(detail, study);
  const std::string id = id_text(detail.request.row.id);
  std::string body = element("h1", shortened(w.title, 400)) + "\n" +
                     element("p", "Request " + id + " of " + printable(options.file), "class=\"soft\"") +
                     "\n<div class=\"box\">\n";
  if (unsafe(study.quality))
    body +=
        "<div class=\"alarm verdict\">UNSAFE: header values were recorded as sent, credentials too. Do not pass this "
        "on.</div>\n";
  body += "<dl class=\"quality\">\n";
  for (const auto& fact : w.facts) {
    const std::string tone = fact.tone == Tone::plain  ? "class=\"plain\""
                             : fact.tone == Tone::care ? "class=\"care\""
                                                       : "class=\"alarm\"";
    body += element("dt", fact.label, tone) + element("dd", fact.text, tone) + "\n";
  }
  body += "</dl>\n</div>\n<h2>Where its time went</h2>\n";
  if (w.lanes.empty() || w.span.count() <= 0)
    body +=
        element("p", "No waterfall: " + (w.no_lanes.empty() ? "it took no time" : w.no_lanes) + ".", "class=\"warn\"") +
        "\n";
  for (const auto& lane : w.lanes)
    if (w.span.count() > 0) body += lane_html(lane, w.span);
  if (!w.beside.empty()) {
    body += "<h3>Beside the critical path</h3>\n";
    for (const auto& line : w.beside) body += element("p", line) + "\n";
  }
  if (!w.milestones.empty()) {
    body += "<h2>Milestones</h2>\n<div class=\"wide\"><table>\n<tbody>\n";
    for (const auto& m : w.milestones)
      body += "<tr>" + place(m.at, w.span) + element("td", m.end, "class=\"left\"") +
              element("td", m.what, "class=\"name\"") + "</tr>\n";
    body += "</tbody></table></div>\n";
  }
  body += around_html(around, w) + messages_html(w) + files_html(w) + waits_html(w);
  if (!w.events.empty()) {
    body += "<h2>On the connection meanwhile</h2>\n";
    for (const auto& e : w.events) body += element("p", e) + "\n";
  }
  for (const auto& head : w.heads) {
    if (head.lines.empty()) continue;
    body += element("h2", head.title + (head.complete ? "" : " (fields may be missing)")) + "\n<pre>";
    for (const auto& line : head.lines) body += html(line) + "\n";
    body += "</pre>\n";
  }
  return render::page("tailcap show " + id + " of " + printable(options.file),
                      body + element("footer", made_by_text(study)) + "\n");
}

}  // namespace tailcap::report

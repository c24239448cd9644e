#include "analyze/report/timeline/lanes_svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

#include "analyze/model/figure/figure.h"
#include "analyze/report/charts/timed.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

using formats::known;
using model::LabelGroup;
using model::Lane;
using model::LaneKind;
using model::LaneMark;
using model::Lanes;

constexpr double kWidth = 1230, kNames = 300, kRow = 18, kBar = 11, kHeading = 26, kTop = 30;
constexpr std::size_t kNameColumns = 46;
constexpr std::size_t kMostDrawn = 4'000;  // of one lane
constexpr std::array<const char*, model::kLaneKinds> kHeadings = {
    "Go's collector", "Connections (▏ arrived, ▾ read, ▴ sent)", "Goroutines", "Threads"};
constexpr std::array<const char*, model::kLaneKinds> kPageHeadings = {
    "Go's collector", "Connections (▏ arrived, ▀ read, ▄ sent)", "Goroutines", "Threads"};
constexpr std::size_t kMostInPage = 300;  // of one lane
constexpr std::string_view kText = "var(--fg,#1b1f24)", kSoft = "var(--soft,#57606a)", kLine = "var(--line,#d8dee4)";

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", x);
  return text;
}

class Axis {
 public:
  Axis(formats::Time from, formats::Time to)
      : from_(from), length_(std::max<double>(1, static_cast<double>((to - from).count()))) {}
  double at(formats::Time t) const {
    return kNames + std::clamp(static_cast<double>((t - from_).count()) / length_, 0.0, 1.0) * (kWidth - kNames - 40);
  }

  // Round numbers, seen from zero; four to nine of them.
  std::vector<formats::Time> ticks(formats::Time zero) const {
    double step = std::pow(10, std::floor(std::log10(length_)));
    if (length_ / step < 4) step /= length_ / step < 2 ? 5 : 2;
    const auto whole = std::max<std::int64_t>(1, static_cast<std::int64_t>(step));
    std::vector<formats::Time> out;
    std::int64_t n = (from_ - zero).count() / whole - 1;
    for (; out.size() < 12; ++n) {
      const formats::Time t = zero + formats::Duration{n * whole};
      if ((t - from_).count() > static_cast<std::int64_t>(length_)) break;
      if (t >= from_) out.push_back(t);
    }
    return out;
  }

 private:
  formats::Time from_;
  double length_;
};

std::string text(double x, double y, std::string_view what, std::string_view fill, std::string_view more = {}) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" style=\"fill:" + std::string(fill) + "\"" +
         std::string(more) + ">" + html(what) + "</text>\n";
}

std::string title(const Lane& lane) {
  const std::string name = printable(lane.name);
  switch (lane.kind) {
    case LaneKind::collector:
      return (lane.number == 0 ? "collections" : "stops of the world") + std::string(name.empty() ? "" : ", " + name) +
             " " + std::to_string(lane.pid);
    case LaneKind::connection:
      return name.empty() ? "socket " + std::to_string(lane.number) : name;
    case LaneKind::goroutine:
      return "goroutine " + std::to_string(lane.number) + (name.empty() ? "" : " of " + name) + " " +
             std::to_string(lane.pid);
    case LaneKind::thread:
      break;
  }
  return "thread " + std::to_string(lane.number) + (name.empty() ? "" : " (" + name + ")");
}

std::string state_text(const Lane& lane, const model::LaneStretch& s) {
  if (s.note.empty()) return std::string(model::text_of(s.what));
  return lane.kind == LaneKind::thread ? std::string(model::text_of(s.what)) + ", " + printable(s.note)
                                       : printable(s.note);
}

std::string stretches_svg(const Lane& lane, const Axis& axis, double y) {
  // What is narrower than can be seen is drawn only where nothing was drawn before.
  std::string out;
  double drawn_to = 0;
  std::size_t drawn = 0;
  for (const auto& s : lane.stretches) {
    const double x = axis.at(s.from), end = axis.at(s.to);
    if (end - x < 0.3 && end < drawn_to + 0.3) continue;
    if (drawn++ >= kMostDrawn) break;
    drawn_to = std::max(end, x + 0.3);
    const bool waits = s.what != LabelGroup::cpu && s.what != LabelGroup::scheduler && lane.kind != LaneKind::collector;
    out += "<rect x=\"" + number(x) + "\" y=\"" + number(waits ? y + 3 : y) + "\" width=\"" +
           number(std::max(0.3, end - x)) + "\" height=\"" + number(waits ? kBar - 6 : kBar) + "\" fill=\"" +
           std::string(model::colour_of(s.what)) + "\"><title>" + html(state_text(lane, s)) + ": " +
           exact_text(s.to - s.from) + "</title></rect>\n";
  }
  return out;
}

std::string marks_svg(const Lane& lane, const Axis& axis, double y) {
  std::string out;
  std::size_t drawn = 0;
  for (const auto& m : lane.marks) {
    if (drawn++ >= kMostDrawn) break;
    const std::string x = number(axis.at(m.at)), top = number(y), bottom = number(y + kBar);
    const char* what = m.kind == LaneMark::Kind::arrived ? "arrived" : m.kind == LaneMark::Kind::read ? "read" : "sent";
    std::string shape;
    if (m.kind == LaneMark::Kind::arrived)
      shape = "M" + x + " " + top + "v" + number(kBar) + "h1.2v-" + number(kBar) + "z\" fill=\"#e69f00";
    else if (m.kind == LaneMark::Kind::read)
      shape = "M" + x + " " + bottom + "l-4 -" + number(kBar) + "h8z\" fill=\"#0072b2";
    else
      shape = "M" + x + " " + top + "l-4 " + number(kBar) + "h8z\" fill=\"#009e73";
    out += "<path d=\"" + shape + "\" fill-opacity=\".8\"><title>" + bytes_text(m.bytes) + " " + what +
           "</title></path>\n";
  }
  return out;
}

// Only what is in the picture, in the order of the list.
std::string legend(const Lanes& lanes, double y) {
  std::array<bool, model::kLabelGroups> there{};
  for (const Lane& lane : lanes.lanes)
    if (lane.kind == LaneKind::thread)
      for (const auto& s : lane.stretches) there[static_cast<std::size_t>(s.what)] = true;
  std::string out;
  double x = kNames;
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (!there[i]) continue;
    const auto what = static_cast<LabelGroup>(i);
    const std::string name(model::text_of(what));
    if (x + 30 + 7.0 * static_cast<double>(columns(name)) > kWidth) {
      x = kNames;
      y += kRow;
    }
    out += "<rect x=\"" + number(x) + "\" y=\"" + number(y - 9) + "\" width=\"12\" height=\"10\" fill=\"" +
           std::string(model::colour_of(what)) + "\"/>" + text(x + 16, y, name, kSoft);
    x += 30 + 7.0 * static_cast<double>(columns(name));
  }
  return out;
}

// In a page the lanes are a plane that its script enlarges: without texts, and marks are lines.
std::string marks_in_plane(const Lane& lane, const charts::TimedFrame& frame, double y) {
  std::string out;
  std::size_t drawn = 0;
  for (const auto& m : lane.marks) {
    if (drawn++ >= kMostInPage) break;
    const bool arrived = m.kind == LaneMark::Kind::arrived, read = m.kind == LaneMark::Kind::read;
    out += "<path class=\"" +
           std::string(arrived ? "ma"
                       : read  ? "mr"
                               : "ms") +
           "\" d=\"M" + charts::coordinate(charts::plane_x(frame, m.at)) + " " +
           number(y + (arrived || read ? 0 : kBar / 2)) + "v" + number(arrived ? kBar : kBar / 2) + "\"><title>" +
           bytes_text(m.bytes) + " " +
           (arrived ? "arrived"
            : read  ? "read"
                    : "sent") +
           ", " + offset_text(m.at, frame.zero) + "</title></path>";
  }
  return out;
}

std::string stretches_in_plane(const Lane& lane, const charts::TimedFrame& frame, double y) {
  constexpr double kThin = 2;  // units of the plane
  std::string out;
  double drawn_to = 0;
  std::size_t drawn = 0;
  for (const auto& s : lane.stretches) {
    const double x = charts::plane_x(frame, s.from), end = charts::plane_x(frame, s.to);
    if (end - x < kThin && end < drawn_to + kThin) continue;
    if (drawn++ >= kMostInPage) break;
    drawn_to = std::max(end, x + kThin);
    const bool waits = s.what != LabelGroup::cpu && s.what != LabelGroup::scheduler && lane.kind != LaneKind::collector;
    out += "<rect x=\"" + charts::coordinate(x) + "\" y=\"" + number(waits ? y + 3 : y) + "\" width=\"" +
           charts::coordinate(std::max(kThin, end - x)) + "\" height=\"" + number(waits ? kBar - 6 : kBar) +
           "\" fill=\"" + std::string(model::colour_of(s.what)) + "\"><title>" + html(state_text(lane, s)) + ": " +
           duration_text(s.to - s.from) + "</title></rect>";
  }
  return out;
}

std::string lanes_in_page(const Lanes& lanes, const LanesPicture& how) {
  charts::TimedFrame frame;
  frame.from = lanes.from;
  frame.to = lanes.to;
  frame.zero = known(how.zero) ? how.zero : lanes.from;
  frame.width = kWidth;
  frame.left = kNames;
  frame.plane_width = kWidth - kNames - 40;
  frame.top = kTop - 6;
  frame.labels = kTop - 12;
  std::string names, plane;
  double y = 6;  // in the plane
  const LaneKind* before = nullptr;
  for (const Lane& lane : lanes.lanes) {
    if (!before || *before != lane.kind) {
      names += "<text class=\"title\" x=\"4\" y=\"" + number(frame.top + y + 17) + "\">" +
               kPageHeadings[static_cast<std::size_t>(lane.kind)] + "</text>";
      y += kHeading;
      before = &lane.kind;
    }
    names += "<g><title>" + html(title(lane)) + "</title><text x=\"12\" y=\"" + number(frame.top + y + kBar - 1) +
             "\">" + html(shortened(title(lane), kNameColumns)) + "</text></g>\n";
    plane += stretches_in_plane(lane, frame, y) + marks_in_plane(lane, frame, y) + "\n";
    y += kRow;
  }
  frame.plane_height = y + 2;
  frame.height = frame.top + frame.plane_height + 4;
  std::string back;
  if (known(how.marked_from) && known(how.marked_to)) {
    const double x = charts::plane_x(frame, how.marked_from);
    back = "<rect class=\"marked\" x=\"" + charts::coordinate(x) + "\" width=\"" +
           charts::coordinate(charts::plane_x(frame, how.marked_to) - x) + "\" height=\"" + number(frame.plane_height) +
           "\"/>";
  }
  return charts::timed_svg(frame, "", back + plane, names);
}

}  // namespace

std::string lanes_svg(const Lanes& lanes, const LanesPicture& how) {
  if (!how.alone) return lanes_in_page(lanes, how);
  const Axis axis(lanes.from, lanes.to);
  const formats::Time zero = known(how.zero) ? how.zero : lanes.from;
  std::string rows;
  double y = kTop;
  const LaneKind* before = nullptr;
  for (const Lane& lane : lanes.lanes) {
    if (!before || *before != lane.kind) {
      rows += text(4, y + 17, kHeadings[static_cast<std::size_t>(lane.kind)], kText, " font-weight=\"600\"");
      y += kHeading;
      before = &lane.kind;
    }
    rows += "<g><title>" + html(title(lane)) + "</title>" +
            text(12, y + kBar - 1, shortened(title(lane), kNameColumns), kSoft) + "</g>\n" +
            stretches_svg(lane, axis, y) + marks_svg(lane, axis, y);
    y += kRow;
  }
  std::string back;
  if (known(how.marked_from) && known(how.marked_to)) {
    const double x = axis.at(how.marked_from);
    back = "<rect x=\"" + number(x) + "\" y=\"" + number(kTop - 6) + "\" width=\"" +
           number(axis.at(how.marked_to) - x) + "\" height=\"" + number(y - kTop + 8) +
           "\" fill=\"#0072b2\" fill-opacity=\".07\"/>\n";
  }
  for (const formats::Time t : axis.ticks(zero)) {
    const double x = axis.at(t);
    back += "<path d=\"M" + number(x) + " " + number(kTop - 6) + "V" + number(y + 2) +
            "\" style=\"stroke:" + std::string(kLine) + "\"/>" +
            text(x, kTop - 12, place_text(t - zero, lanes.to - lanes.from), kSoft, " text-anchor=\"middle\"");
  }
  const double height = y + 3 * kRow;
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) + " " + number(height) +
                    "\" width=\"" + number(kWidth) + "\" height=\"" + number(height) +
                    "\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n";
  out += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  return out + back + rows + legend(lanes, y + 16) + "</svg>\n";
}

std::vector<render::LegendEntry> lanes_legend(const Lanes& lanes) {
  std::array<bool, model::kLabelGroups> there{};
  for (const Lane& lane : lanes.lanes)
    if (lane.kind == LaneKind::thread)
      for (const auto& s : lane.stretches) there[static_cast<std::size_t>(s.what)] = true;
  std::vector<render::LegendEntry> out;
  for (std::size_t i = 0; i < there.size(); ++i)
    if (const auto what = static_cast<LabelGroup>(i); there[i])
      out.push_back({std::string(model::text_of(what)), std::string(model::colour_of(what))});
  return out;
}

std::string lanes_notes(const Lanes& lanes) {
  constexpr std::array<std::pair<const char*, const char*>, model::kLaneKinds> names = {
      {{"collector", "collectors"}, {"connection", "connections"}, {"goroutine", "goroutines"}, {"thread", "threads"}}};
  std::string out;
  const auto say = [&](const std::string& sentence) { out += (out.empty() ? "" : " ") + sentence; };
  for (std::size_t k = 0; k < model::kLaneKinds; ++k) {
    if (lanes.left_out[k] > 0)
      say(count_text(lanes.left_out[k], names[k].first, names[k].second) + " that did less " +
          (lanes.left_out[k] == 1 ? "is" : "are") + " left out.");
    if (lanes.idle[k] > 0) say(count_text(lanes.idle[k], names[k].first, names[k].second) + " waited all the time.");
  }
  if (lanes.stretches_left_out > 0) say("It is too much to be drawn whole: choose less time.");
  const bool goroutines =
      std::any_of(lanes.lanes.begin(), lanes.lanes.end(), [](const Lane& l) { return l.kind == LaneKind::goroutine; });
  if (goroutines && !lanes.goroutine_states)
    say("Only what goroutines read and sent is known; `--profile deep` records their states.");
  if (lanes.lost) say("Events were lost in this time: what is white there is not known.");
  return out;
}

}  // namespace tailcap::report

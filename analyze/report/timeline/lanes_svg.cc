#include "analyze/report/timeline/lanes_svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "analyze/model/figure/figure.h"
#include "analyze/report/charts/ink.h"
#include "analyze/report/charts/timed.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "ground/svg.h"

namespace tailcap::report {
namespace {

using formats::known;
using ground::coordinate;
using ground::Svg;
using model::LabelGroup;
using model::Lane;
using model::LaneKind;
using model::LaneMark;
using model::Lanes;

constexpr double kLanesWidth = 1230, kNames = 300, kRow = 18, kBar = 11, kHeading = 26, kTop = 30;
constexpr std::size_t kNameColumns = 46;
constexpr std::size_t kMostDrawn = 4'000;  // of one lane
constexpr std::array<const char*, model::kLaneKinds> kHeadings = {
    "Go's collector", "Connections (▏ arrived, ▾ read, ▴ sent)", "Goroutines", "Threads"};
constexpr std::array<const char*, model::kLaneKinds> kPageHeadings = {
    "Go's collector", "Connections (▏ arrived, ▀ read, ▄ sent)", "Goroutines", "Threads"};
constexpr std::size_t kMostInPage = 300;  // of one lane
constexpr std::string_view kThinLine = "stroke:var(--line,#d8dee4)";

class LaneAxis {
 public:
  LaneAxis(formats::Time from, formats::Time to)
      : from_(from), length_(std::max<double>(1, static_cast<double>((to - from).count()))) {}
  double at(formats::Time t) const {
    return kNames +
           std::clamp(static_cast<double>((t - from_).count()) / length_, 0.0, 1.0) * (kLanesWidth - kNames - 40);
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

// Those that threads of these lanes have, in the order of the list.
std::vector<LabelGroup> groups_in(const Lanes& lanes) {
  std::array<bool, model::kLabelGroups> there{};
  for (const Lane& lane : lanes.lanes)
    if (lane.kind == LaneKind::thread)
      for (const auto& s : lane.stretches) there[static_cast<std::size_t>(s.what)] = true;
  std::vector<LabelGroup> out;
  for (std::size_t i = 0; i < there.size(); ++i)
    if (there[i]) out.push_back(static_cast<LabelGroup>(i));
  return out;
}

// What is narrower than `thin` is drawn only where nothing was drawn before. along: where a time is; length_text: what
// a time is called.
template <typename Along, typename Text>
void add_stretches(const Lane& lane, Along along, Text length_text, double thin, std::size_t most, double y, Svg& out) {
  double drawn_to = 0;
  std::size_t drawn = 0;
  for (const auto& s : lane.stretches) {
    const double x = along(s.from), end = along(s.to);
    if (end - x < thin && end < drawn_to + thin) continue;
    if (drawn++ >= most) break;
    drawn_to = std::max(end, x + thin);
    const bool waits = s.what != LabelGroup::cpu && s.what != LabelGroup::scheduler && lane.kind != LaneKind::collector;
    out.hinted("rect",
               {{"x", x},
                {"y", waits ? y + 3 : y},
                {"width", std::max(thin, end - x)},
                {"height", waits ? kBar - 6 : kBar},
                {"fill", model::colour_of(s.what)}},
               state_text(lane, s) + ": " + length_text(s.to - s.from))
        .line();
  }
}

std::string_view name_of(LaneMark::Kind kind) {
  return kind == LaneMark::Kind::arrived ? "arrived" : kind == LaneMark::Kind::read ? "read" : "sent";
}

void add_marks(const Lane& lane, const LaneAxis& axis, double y, Svg& out) {
  std::size_t drawn = 0;
  for (const auto& m : lane.marks) {
    if (drawn++ >= kMostDrawn) break;
    const double x = axis.at(m.at), bottom = y + kBar;
    ground::Path shape;
    const char* colour = "#009e73";
    if (m.kind == LaneMark::Kind::arrived) {
      shape('M', {x, y})('v', {kBar})('h', {1.2})('v', {-kBar})('z');
      colour = "#e69f00";
    } else if (m.kind == LaneMark::Kind::read) {
      shape('M', {x, bottom})('l', {-4, -kBar})('h', {8})('z');
      colour = "#0072b2";
    } else {
      shape('M', {x, y})('l', {-4, kBar})('h', {8})('z');
    }
    out.hinted("path", {{"d", shape.take()}, {"fill", colour}, {"fill-opacity", ".8"}},
               bytes_text(m.bytes) + " " + std::string(name_of(m.kind)))
        .line();
  }
}

// Only what is in the picture, in the order of the list.
void add_legend(const Lanes& lanes, double y, Svg& out) {
  double x = kNames;
  for (const LabelGroup what : groups_in(lanes)) {
    const std::string name(model::text_of(what));
    const double wide = 30 + 7.0 * static_cast<double>(columns(name));
    if (x + wide > kLanesWidth) {
      x = kNames;
      y += kRow;
    }
    out.leaf("rect", {{"x", x}, {"y", y - 9}, {"width", 12}, {"height", 10}, {"fill", model::colour_of(what)}})
        .text({{"x", x + 16}, {"y", y}, {"style", kSoftInk}}, name)
        .line();
    x += wide;
  }
}

// In a page the lanes are a plane that its script enlarges: without texts, and marks are lines.
void add_plane_marks(const Lane& lane, const charts::TimedFrame& frame, double y, Svg& out) {
  std::size_t drawn = 0;
  for (const auto& m : lane.marks) {
    if (drawn++ >= kMostInPage) break;
    const bool arrived = m.kind == LaneMark::Kind::arrived, read = m.kind == LaneMark::Kind::read;
    out.hinted("path",
               {{"class", arrived ? "ma"
                          : read  ? "mr"
                                  : "ms"},
                {"d", ground::Path()('M', {charts::plane_x(frame, m.at), y + (arrived || read ? 0 : kBar / 2)})(
                          'v', {arrived ? kBar : kBar / 2})
                          .take()}},
               bytes_text(m.bytes) + " " + std::string(name_of(m.kind)) + ", " + offset_text(m.at, frame.zero));
  }
}

std::string lanes_in_page(const Lanes& lanes, const LanesPicture& how) {
  charts::TimedFrame frame;
  frame.from = lanes.from;
  frame.to = lanes.to;
  frame.zero = known(how.zero) ? how.zero : lanes.from;
  frame.width = kLanesWidth;
  frame.left = kNames;
  frame.plane_width = kLanesWidth - kNames - 40;
  frame.top = kTop - 6;
  frame.labels = kTop - 12;
  Svg names, plane;
  double y = 6;  // in the plane
  const LaneKind* before = nullptr;
  for (const Lane& lane : lanes.lanes) {
    if (!before || *before != lane.kind) {
      names.text({{"class", "title"}, {"x", 4}, {"y", frame.top + y + 17}},
                 kPageHeadings[static_cast<std::size_t>(lane.kind)]);
      y += kHeading;
      before = &lane.kind;
    }
    names.open("g")
        .text({}, title(lane), "title")
        .text({{"x", 12}, {"y", frame.top + y + kBar - 1}}, shortened(title(lane), kNameColumns))
        .close("g")
        .line();
    constexpr double kThin = 2;  // units of the plane
    add_stretches(
        lane, [&](formats::Time t) { return charts::plane_x(frame, t); }, duration_text, kThin, kMostInPage, y, plane);
    add_plane_marks(lane, frame, y, plane);
    plane.line();
    y += kRow;
  }
  frame.plane_height = y + 2;
  frame.height = frame.top + frame.plane_height + 4;
  Svg back;
  if (known(how.marked_from) && known(how.marked_to)) {
    const double x = charts::plane_x(frame, how.marked_from);
    back.leaf("rect", {{"class", "marked"},
                       {"x", x},
                       {"width", charts::plane_x(frame, how.marked_to) - x},
                       {"height", frame.plane_height}});
  }
  return charts::timed_svg(frame, "", back.take() + plane.take(), names.take());
}

}  // namespace

std::string lanes_svg(const Lanes& lanes, const LanesPicture& how) {
  if (!how.alone) return lanes_in_page(lanes, how);
  const LaneAxis axis(lanes.from, lanes.to);
  const formats::Time zero = known(how.zero) ? how.zero : lanes.from;
  Svg rows;
  double y = kTop;
  const LaneKind* before = nullptr;
  for (const model::Lane& lane : lanes.lanes) {
    if (!before || *before != lane.kind) {
      rows.text({{"x", 4}, {"y", y + 17}, {"style", kInk}, {"font-weight", 600}},
                kHeadings[static_cast<std::size_t>(lane.kind)])
          .line();
      y += kHeading;
      before = &lane.kind;
    }
    rows.open("g")
        .text({}, title(lane), "title")
        .text({{"x", 12}, {"y", y + kBar - 1}, {"style", kSoftInk}}, shortened(title(lane), kNameColumns))
        .close("g")
        .line();
    add_stretches(
        lane, [&](formats::Time t) { return axis.at(t); }, exact_text, 0.3, kMostDrawn, y, rows);
    add_marks(lane, axis, y, rows);
    y += kRow;
  }
  const double height = y + 3 * kRow;
  Svg out;
  out.open("svg", {{"xmlns", "http://www.w3.org/2000/svg"},
                   {"viewBox", "0 0 " + coordinate(kLanesWidth) + " " + coordinate(height)},
                   {"width", kLanesWidth},
                   {"height", height},
                   {"font-family", "sans-serif"},
                   {"font-size", 12},
                   {"role", "img"}})
      .line()
      .leaf("rect", {{"width", "100%"}, {"height", "100%"}, {"fill", "#ffffff"}})
      .line();
  if (known(how.marked_from) && known(how.marked_to)) {
    const double x = axis.at(how.marked_from);
    out.leaf("rect", {{"x", x},
                      {"y", kTop - 6},
                      {"width", axis.at(how.marked_to) - x},
                      {"height", y - kTop + 8},
                      {"fill", "#0072b2"},
                      {"fill-opacity", ".07"}})
        .line();
  }
  for (const formats::Time t : axis.ticks(zero)) {
    const double x = axis.at(t);
    out.leaf("path", {{"d", ground::Path()('M', {x, kTop - 6})('V', {y + 2}).take()}, {"style", kThinLine}})
        .text({{"x", x}, {"y", kTop - 12}, {"style", kSoftInk}, {"text-anchor", "middle"}},
              place_text(t - zero, lanes.to - lanes.from))
        .line();
  }
  out.add(rows.take());
  add_legend(lanes, y + 16, out);
  return out.close("svg").line().take();
}

render::Figure lanes_figure(const Lanes& lanes, Time from, Time to) {
  LanesPicture how;
  how.zero = how.marked_from = from;
  how.marked_to = to;
  how.alone = false;
  render::Figure out;
  out.svg = lanes_svg(lanes, how);
  return out;
}

std::vector<render::LegendEntry> lanes_legend(const Lanes& lanes) {
  std::vector<render::LegendEntry> out;
  for (const LabelGroup what : groups_in(lanes))
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
  const bool goroutines = std::any_of(lanes.lanes.begin(), lanes.lanes.end(),
                                      [](const model::Lane& l) { return l.kind == LaneKind::goroutine; });
  if (goroutines && !lanes.goroutine_states)
    say("Only what goroutines read and sent is known; `--profile deep` records their states.");
  if (lanes.lost) say("Events were lost in this time: what is white there is not known.");
  return out;
}

}  // namespace tailcap::report

// Drawings over an axis of time, which the script of a page enlarges: a plane of fixed units, stretched over its place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/figure/chart.h"
#include "analyze/model/study/verdict.h"
#include "formats/time.h"
#include "ground/svg.h"

namespace tailcap::report::charts {

// Drawings over the whole recording are enlarged together.
inline constexpr const char* kRecordingAxis = "recording";

inline constexpr double kPlaneUnits = 10'000;  // of the plane's width

// All in units of the drawing, but for times.
struct TimedFrame {
  formats::Time from = formats::kNoTime, to = formats::kNoTime;
  formats::Time zero = formats::kNoTime;  // where the axis says 0
  std::string axis{};                     // drawings with the same are enlarged together; empty: alone
  double width = 560, height = 250;
  double left = 62, top = 10, plane_width = 485, plane_height = 205;
  double labels = 238;  // height of the ticks' texts
};

// In units of the plane, from 0 to kPlaneUnits.
double plane_x(const TimedFrame& frame, formats::Time t);

// behind and beside: drawn before and after the plane, in units of the drawing; plane: in its own.
std::string timed_svg(const TimedFrame& frame, std::string_view behind, std::string_view plane,
                      std::string_view beside);

// What touches or, where there are more than `most`, lies close becomes one. Within [from, to].
std::vector<model::Burst> joined(std::vector<model::Burst> bursts, formats::Time from, formats::Time to,
                                 std::size_t most = 200);

// The least width of a shade, in units of the plane: a microsecond of a minute must be seen, too.
inline constexpr double kThinnestShade = 25;

// A rectangle with a hint; it ends at `right` at the latest.
void add_hinted_rectangle(std::string_view classes, double from, double width, double right, double top, double high,
                          std::string_view hint, ground::Svg& out);

// In ns from `zero`; the hint of each begins with `what`.
std::vector<model::Shade> shades_of(const std::vector<model::Burst>& bursts, formats::Time zero, std::string_view what);

// The whole recording, in ns since it began.
model::ChartAxis recording_axis(formats::Time begin, formats::Time end);

// The whole recording as a strip on which the bursts are marked, with its ends below; empty: its times are not known.
std::string strip(const std::vector<model::Burst>& bursts, formats::Time begin, formats::Time end);

}  // namespace tailcap::report::charts

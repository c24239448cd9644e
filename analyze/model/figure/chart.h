// A chart before it is drawn: report/charts makes it, and draws it on a page; plot/ draws it into a file.
// Texts are printable(), not escaped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::model {

// ns on an axis of durations, ns since the recording began on one of time, 0 to 1 on one of shares.
struct Tick {
  double at = 0;
  std::string text;
};

struct ChartAxis {
  std::string title;
  double low = 0, high = 1;
  bool logarithmic = false;
  std::vector<Tick> ticks;
};

struct Stroke {
  double from = 0, to = 0;  // on the axis that goes across
  double up = 0;
};

struct ChartSeries {
  enum class Form : std::uint8_t {
    line,       // from place to place, at `from`
    levels,     // level from `from` to `to`, and joined with what begins there
    stretches,  // the same, not joined, and thicker
    impulses,   // from the axis upwards, at `from`
  };
  std::string name;
  std::string colour;  // "#rrggbb"; empty: that of text
  Form form = Form::line;
  bool thin = false;
  std::vector<Stroke> strokes;
};

// A stretch of time, behind the series.
struct Shade {
  double from = 0, to = 0;
  std::string hint;  // under the mouse
};

struct Shades {
  enum class Kind : std::uint8_t { episode, lost, collection };
  Kind kind = Kind::episode;
  std::string name;
  std::vector<Shade> all;
};

struct Chart {
  std::string name;                  // as model::Plot::name
  std::string title, caption;        // the title for a file, which shows nothing else
  std::optional<std::size_t> route;  // as model::Plot::route
  bool over_time = false;            // the axis that goes across is the whole recording
  ChartAxis across, up;
  std::vector<Tick> right;          // on the right side of `up`
  std::vector<Shades> shades;       // each with at least one
  std::vector<ChartSeries> series;  // each with at least one stroke; the first is drawn last
  std::vector<Shade> hints;         // under the mouse, invisible
};

// Bars of equal length, each cut into parts.
struct BarChart {
  struct Part {
    std::string name, colour;
    std::vector<double> shares;  // of each bar, 0 to 1
  };
  struct Panel {
    std::string title;
    std::vector<std::string> bars;  // names, from above
    std::vector<Part> parts;        // from left to right
  };
  std::string name, title, caption;
  std::optional<std::size_t> route;
  std::vector<Panel> panels;  // one above the other
};

struct Charts {
  std::vector<Chart> charts;
  std::vector<BarChart> bars;
};

// "#rrggbb"; on a page its style sheet says it.
std::string_view colour_of(Shades::Kind kind);

}  // namespace tailcap::model

#include "analyze/model/figure/figure.h"

#include "analyze/model/figure/chart.h"

namespace tailcap::model {

std::string_view colour_of(Phase phase) {
  // Slates: the colours are those of labels, on the same page.
  constexpr std::string_view colours[kPhases] = {
      "#b7c3cf",  // arrive
      "#8a9bab",  // read
      "#dde3e8",  // continue
      "#9aa0a6",  // pipelined
      "#46586a",  // work
      "#6f8596",  // respond
      "#8a9bab",  // send
      "#46586a",  // ttfb
      "#b7c3cf",  // pickup
      "#6f8596",  // body
  };
  return colours[static_cast<std::size_t>(phase)];
}

std::string_view curve_colour(std::size_t i) {
  constexpr std::string_view colours[kCurveColours] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                       "#e69f00", "#56b4e9", "#5d3a9b", "#8c564b"};
  return colours[i % kCurveColours];
}

std::string_view colour_of(Shades::Kind kind) {
  switch (kind) {
    case Shades::Kind::episode:
      return "#d55e00";
    case Shades::Kind::lost:
      return "#cc79a7";
    case Shades::Kind::collection:
      return "#56b4e9";
  }
  return {};
}

}  // namespace tailcap::model

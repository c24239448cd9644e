#include "analyze/model/study/figure.h"

namespace tailcap::model {

std::string_view colour_of(Phase phase) {
  constexpr std::string_view colours[kPhases] = {
      "#56b4e9",  // arrive
      "#0072b2",  // read
      "#f0e442",  // continue
      "#999999",  // pipelined
      "#d55e00",  // work
      "#009e73",  // respond
      "#0072b2",  // send
      "#d55e00",  // ttfb
      "#56b4e9",  // pickup
      "#009e73",  // body
  };
  return colours[static_cast<std::size_t>(phase)];
}

std::string_view curve_colour(std::size_t i) {
  constexpr std::string_view colours[kCurveColours] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                       "#e69f00", "#56b4e9", "#5d3a9b", "#8c564b"};
  return colours[i % kCurveColours];
}

}  // namespace tailcap::model

// A quantile as it may be printed: with its interval, marked where few requests carry it, refused where none do.
#pragma once

#include <string>

#include "analyze/model/study/study.h"
#include "analyze/render/document.h"

namespace tailcap::report {

struct QuantileText {
  std::string value;     // "12.3 ms", "~12.3 ms" (low, or without interval), "≥ 12.3 ms", "refused"
  std::string interval;  // "11.9–12.8", in the unit of value; empty: none
  std::string note;      // why it is refused, or has no interval
};

using Quantiles = decltype(model::RouteStudy::latency);

// As they are printed side by side: a lower bound is at least what a smaller quantile is.
Quantiles rising(Quantiles quantiles);

QuantileText quantile_text(const model::Quantile& quantile);
render::Cell quantile_cell(const model::Quantile& quantile);
// With every digit under the mouse.
render::Cell duration_cell(formats::Duration duration);

// What the signs before the values mean, for below a table of the routes of a role; empty: none occurs.
std::string signs_text(const model::Study& study, model::Role role);

// The same in a sentence, every digit of it, for those who want to know exactly.
std::string exact_quantile_text(const model::Quantile& quantile);

std::string quantile_name(double q);  // "p50", "p99.9"

}  // namespace tailcap::report

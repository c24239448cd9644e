// All charts of a study, for files.
#pragma once

#include "analyze/model/figure/chart.h"
#include "analyze/model/study/study.h"

namespace tailcap::report::plots {

// routes: those with most total time, at most this number, get charts of their own.
model::Charts charts_of(const model::Study& study, std::size_t routes);

}  // namespace tailcap::report::plots

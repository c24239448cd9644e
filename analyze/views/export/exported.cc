#include "analyze/views/export/exported.h"

#include <stdexcept>

#include "analyze/model/columns/column.h"
#include "analyze/report/words/escape.h"

namespace tailcap::views {

pipeline::Options of_all(const pipeline::Options& chosen) {
  pipeline::Options options;
  options.threads = chosen.threads;
  options.progress = chosen.progress;
  options.routes = chosen.routes;
  options.max_routes = chosen.max_routes;
  options.study = false;
  for (const auto& filter : chosen.filters) {
    options.partition = options.partition || filter.needs_account();
    options.keep_splits = options.keep_splits || (filter.needs() & model::columns::kSplit) != 0;
  }
  return options;
}

pipeline::Analysis analysed(const std::string& file, const pipeline::Options& options, Exported& out,
                            std::span<pipeline::SecondReading* const> beside) {
  pipeline::Replay replay(file, options.threads, options.progress);
  pipeline::Analysis analysis = pipeline::analyze(replay, options, beside);
  out.damaged = analysis.damaged;
  out.wrong = analysis.wrong;
  return analysis;
}

void need_clock(const std::string& file, const pipeline::Analysis& analysis, const char* whose) {
  if (!analysis.study.quality.clock.known())
    throw std::runtime_error(report::printable(file) + " holds no reading of the wall clock, so that its " + whose +
                             " would have no times.");
}

}  // namespace tailcap::views

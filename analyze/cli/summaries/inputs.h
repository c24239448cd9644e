// Captures and summaries as words of a command line.
#pragma once

#include <string>
#include <vector>

#include "analyze/pipeline/pipeline.h"
#include "analyze/views/summaries/summarise.h"
#include "formats/summary/summary.h"

namespace tailcap::cli {

struct SummarisedFiles {
  formats::Summary summary;
  bool damaged = false;
  std::vector<model::ExchangeId> wrong;  // as in pipeline::Analysis
};

// The sum of all: captures are summarised by windows of this length, ns; 0: of the length that the summaries have,
// otherwise views::kDefaultWindow. ended: which requests of captures count. Throws std::runtime_error.
SummarisedFiles summary_of_files(const char* command, const std::vector<std::string>& files,
                                 const pipeline::Options& options, std::int64_t window,
                                 const views::EndedBetween& ended = {});

}  // namespace tailcap::cli

#include "analyze/cli/summaries/inputs.h"

#include "analyze/cli/output/complain.h"
#include "analyze/report/words/number.h"
#include "analyze/summaries/merge.h"
#include "formats/printable.h"
#include "formats/summary/summary_file.h"

namespace tailcap::cli {

SummarisedFiles summary_of_files(const char* command, const std::vector<std::string>& files,
                                 const pipeline::Options& options, std::int64_t window,
                                 const views::EndedBetween& ended) {
  SummarisedFiles out;
  summaries::Merger merger;
  std::vector<std::string> captures;
  for (const std::string& file : files) {
    if (!formats::is_summary_file(file)) {
      captures.push_back(file);
      continue;
    }
    formats::Summary one = formats::read_summary(file);
    if (window == 0) window = one.window;
    merger.add(std::move(one));
  }
  for (const std::string& file : captures) {
    views::Summarised one = views::summarise(file, options, window == 0 ? views::kDefaultWindow : window, ended);
    if (one.left_out > 0)
      complain(command, formats::printable(file) + ": " +
                            report::count_text(one.left_out, "request is", "requests are") +
                            " left out, whose time is not known.");
    out.damaged = out.damaged || one.damaged;
    out.wrong.insert(out.wrong.end(), one.wrong.begin(), one.wrong.end());
    merger.add(std::move(one.summary));
  }
  out.summary = merger.finish();
  return out;
}

}  // namespace tailcap::cli

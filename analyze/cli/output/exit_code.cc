#include "analyze/cli/output/exit_code.h"

#include <string>

#include "analyze/cli/output/complain.h"
#include "analyze/report/words/words.h"

namespace tailcap::cli {

int exit_code(bool damaged, const std::vector<model::ExchangeId>& wrong, const char* command) {
  for (const model::ExchangeId id : wrong)
    complain(command, "request " + report::id_text(id) +
                          ": its phases or labels do not sum to its duration. This is a defect of tailcap; please "
                          "report it with the capture.");
  return !wrong.empty() ? kFailed : damaged ? kIncomplete : kDone;
}

int exit_code(const pipeline::Analysis& analysis, const char* command) {
  return exit_code(analysis.damaged, analysis.wrong, command);
}

int exit_code(const formats::FileSummary& summary, std::uint64_t lost) {
  return lost > 0 || summary.lost > 0 || summary.damaged_blocks > 0 || summary.state != formats::CaptureState::complete
             ? kIncomplete
             : kDone;
}

int nothing_matches(const char* command, const char* thing) {
  complain(command, "no " + std::string(thing) + " matches");
  return kNoAnswer;
}

}  // namespace tailcap::cli

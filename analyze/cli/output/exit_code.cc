#include "analyze/cli/output/exit_code.h"

#include <string>

#include "analyze/cli/output/complain.h"
#include "analyze/report/words/words.h"

namespace tailcap::cli {

int exit_code(bool damaged, const char* command, Told told) {
  if (damaged && told == Told::no)
    complain(command, "the capture is incomplete: the first line of `tailcap report` says what is missing");
  return damaged ? kIncomplete : kDone;
}

int exit_code(bool damaged, const std::vector<model::ExchangeId>& wrong, const char* command, Told told) {
  for (const model::ExchangeId id : wrong)
    complain(command, "request " + report::id_text(id) +
                          ": its phases or labels do not sum to its duration. This is a defect of tailcap; please "
                          "report it with the capture.");
  return wrong.empty() ? exit_code(damaged, command, told) : kFailed;
}

int exit_code(const pipeline::Analysis& analysis, const char* command, Told told) {
  return exit_code(analysis.damaged, analysis.wrong, command, told);
}

int exit_code(const formats::FileSummary& summary, const char* command, std::uint64_t lost, Told told) {
  const bool whole =
      lost == 0 && summary.lost == 0 && summary.damaged_blocks == 0 && summary.state == formats::CaptureState::complete;
  return exit_code(!whole, command, told);
}

int nothing_matches(const char* command, const char* thing) {
  complain(command, "no " + std::string(thing) + " matches");
  return kNoAnswer;
}

}  // namespace tailcap::cli

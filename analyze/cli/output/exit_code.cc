#include "analyze/cli/output/exit_code.h"

#include "analyze/cli/output/complain.h"
#include "analyze/report/words.h"

namespace tailcap::cli {

int exit_code(bool damaged, const std::vector<flow::ExchangeId>& wrong, const char* command) {
  for (const flow::ExchangeId id : wrong)
    complain(command, "request " + report::id_text(id) +
                          ": its phases or labels do not sum to its duration. This is a defect of tailcap; please "
                          "report it with the capture.");
  return !wrong.empty() ? 1 : damaged ? 3 : 0;
}

int exit_code(const pipeline::Analysis& analysis, const char* command) {
  return exit_code(analysis.damaged, analysis.wrong, command);
}

}  // namespace tailcap::cli

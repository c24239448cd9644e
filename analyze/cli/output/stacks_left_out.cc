#include "analyze/cli/output/stacks_left_out.h"

#include "analyze/cli/output/complain.h"
#include "analyze/report/words/number.h"

namespace tailcap::cli {

using formats::SampleKind;

void complain_of_stacks(const char* command, const views::RequestStacks& stacks) {
  const auto say = [&](SampleKind kind, const char* one, const char* several) {
    if (const std::uint64_t n = stacks.left_out(kind); n > 0)
      complain(command, "there are too many stacks to hold in memory: the last " + report::count_text(n, one, several) +
                            " of the capture are left out. Requests and triggers that they may belong to show none; "
                            "`tailcap flame` reads them all.");
  };
  say(SampleKind::on_cpu, "sample", "samples");
  say(SampleKind::preempted, "preemption", "preemptions");
  say(SampleKind::off_cpu, "wait", "waits");
}

}  // namespace tailcap::cli

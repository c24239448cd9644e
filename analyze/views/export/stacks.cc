#include "analyze/views/export/stacks.h"

#include <utility>

#include "analyze/export/pprof.h"
#include "analyze/pipeline/replay.h"
#include "analyze/views/export/speedscope.h"
#include "formats/printable.h"

namespace tailcap::views {

Exported export_stacks(const std::string& file, FlameChoice choice, StackFormat format, const Write& write) {
  Exported out;
  out.what = "stacks";
  const FlameResult result = flame_of(file, choice);
  out.damaged = result.damaged;
  out.requests = result.requests;
  out.of_requests = choice.of_requests();
  if (result.left_out > 0 || result.waits_with_stack < result.waits)
    out.limits.push_back("not all is known: " + result.flame.subtitle + ".");
  if (format == StackFormat::speedscope) {
    write(speedscope(result.flame));
    return out;
  }
  if (format == StackFormat::pprof) {
    const formats::FileSummary summary = pipeline::Replay(file).summary();
    write(exports::pprof(result.flame, (summary.last - summary.first).count()));
    return out;
  }
  for (const model::FoldedStack& stack : result.flame.stacks)
    write(formats::printable(stack.frames) + " " + std::to_string(stack.value) + "\n");
  return out;
}

}  // namespace tailcap::views

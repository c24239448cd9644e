#include "analyze/views/export/stacks.h"

#include <utility>

#include "analyze/export/pprof.h"
#include "analyze/model/sampling/sample_rate.h"
#include "analyze/pipeline/replay.h"
#include "analyze/views/export/speedscope.h"
#include "formats/printable.h"

namespace tailcap::views {

Exported export_stacks(const std::string& file, FlameChoice choice, StackFormat format, const Write& write) {
  Exported out;
  out.what = "stacks";
  choice.lines = format == StackFormat::pprof || format == StackFormat::speedscope;  // they have a place for them
  const FlameResult result = flame_of(file, choice);
  out.nothing = result.undecided;
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
    const pipeline::Replay replay(file);
    const formats::FileSummary summary = replay.summary();
    const bool on_cpu = !choice.off_cpu && choice.samples == formats::SampleKind::on_cpu;
    const std::uint32_t rate = on_cpu ? model::sample_rate(replay.preamble()) : 0;
    if (on_cpu && rate == 0)
      out.limits.push_back("samples have no CPU time: the capture does not say how often they were taken.");
    write(exports::pprof(result.flame, (summary.last - summary.first).count(), rate == 0 ? 0 : 1'000'000'000 / rate));
    return out;
  }
  for (const model::FoldedStack& stack : result.flame.stacks)
    write(formats::printable(stack.frames) + " " + std::to_string(stack.value) + "\n");
  return out;
}

}  // namespace tailcap::views

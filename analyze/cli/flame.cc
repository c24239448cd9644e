// tailcap flame: what threads did while they ran, or waited for, as a flame graph.
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/event_window.h"
#include "analyze/cli/options/named_request.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/flame/svg.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/views/flame/stacks.h"

namespace tailcap::cli::flame_command {
namespace {

constexpr const char* kAbout =
    "tailcap flame draws a flame graph: which functions the processors' time was spent in (not of captures made with "
    "`tailcap record --no-sample`), or what threads waited for; of everything, of one request, or of those that match.";

constexpr const char* kNotes =
    R"(A request's time is that of the thread that served it; in Go, of the goroutine that sent the response. Where several
requests were under way there, it is not known whose a sample is: such samples are left out and counted. A link to the
picture can search and zoom: OUT.svg#search=EXPRESSION&zoom=FUNCTION. `tailcap tree FILE ID -o OUT.svg` draws a trace:
requests below those that caused them.

examples:
  tailcap record -o slow.tcap -d 30s -p $(pidof shop) && tailcap flame slow.tcap -o shop.svg
  tailcap flame slow.tcap --route 'GET /cart/{}' --cohort diff -o cart.svg
  tailcap flame slow.tcap --measure off-cpu --format folded
  tailcap flame slow.tcap 12.3 -o request.svg
)";

constexpr Definition kCohort{
    "cohort", 0, "",
    "only while these requests were served: all of them, the slowest (1 % of 2,000 or more, 5 % of 200 or more, as in "
    "the report), or typical ones (between the 40th and the 60th percentile). diff compares the slowest with typical "
    "ones: widths are those of the slow ones, red is more than typical, blue less",
    0};
constexpr Definition kPerRequest{
    "per-request", 0, nullptr,
    "make each request the lowest frame of its stacks, by its id and, where it has one, its trace id", 0};

constexpr Definition kLines{"lines", 0, nullptr,
                            "frames with the line that was executed, where it is known: a frame for each line", 0};

struct Arguments {
  std::string file, id, cohort = "all", measure = "cpu", format, output;
  Selection selection;
  bool per_request = false, lines = false;
};

std::string folded_text(const model::Flame& flame) {
  std::string out;
  for (const auto& stack : flame.stacks) {
    out += stack.frames + " ";
    if (flame.comparison) out += std::to_string(stack.typical) + " ";
    out += std::to_string(stack.value) + "\n";
  }
  return out;
}

using model::FoldedStack;
using views::FlameResult;

const report::Shape<FoldedStack, report::Anywhere> kTypical{
    "typical", {{"typical", &FoldedStack::typical, "in as many typical requests as there are slow ones"}}};

const report::Shape<FoldedStack, FlameResult> kStack{
    "stack",
    {
        {"stack", &FoldedStack::frames,
         "frames from the outermost on, joined by `;`; the kernel's end with `_[k]`. With --per-request the lowest is "
         "the request"},
        {"value", &FoldedStack::value},
        {kTypical, [](auto& s, auto& all) { return report::where(all.flame.comparison, s); }},
    }};

const report::Shape<FlameResult, report::Anywhere> kWaits{
    "waits",
    {
        {"waits", &FlameResult::waits,
         "with --measure off-cpu: of the whole capture, without those in which a thread was preempted"},
        {"waits_with_stack", &FlameResult::waits_with_stack},
    }};

const report::Refer kTitle{[](auto& r) { return &r.flame.title; }};
const report::Refer kStacks{[](auto& r) { return &r.flame.stacks; }};

const report::Shape<FlameResult, FlameResult>& flame_shape() {
  static const report::Shape<FlameResult, FlameResult> shape{
      "flame",
      {
          {"schema", [](auto&) { return report::kJsonSchema; }, "", {.is = report::kJsonSchema}},
          {"title", kTitle},
          {"unit",
           [](auto& r) { return r.flame.time    ? "ns"
                                : r.flame.bytes ? "bytes"
                                                : "samples"; },
           "bytes: of allocations",
           {.values = {"samples", "ns", "bytes"}}},
          {"requests", &FlameResult::requests, "whose stacks they are; 0: everybody's"},
          {"left_out", &FlameResult::left_out, "in that unit: it is not known whose it is"},
          {kWaits, [](auto& r) { return report::where(r.flame.time, r); }},
          {"comparison", [](auto& r) { return r.flame.comparison; }},
          {"stacks", kStack, kStacks},
      }};
  return shape;
}

std::string json_text(const FlameResult& result) { return report::json_of(flame_shape(), result, result); }
std::string schema() {
  return report::json_schema(flame_shape(), "tailcap flame --json", "Stacks and what they weigh.");
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("flame", kAbout);
  line.capture(a.file);
  line.word("ID", a.id, nullptr);
  line.group("Whose time?");
  line.option(
      option::kWhere, &a.selection.filters,
      "only while requests were served that match EXPR, like 'status == 5xx && duration > 20ms' (repeatable; all "
      "must match)");
  line.option(option::kRoute, &a.selection.routes);
  line.option(option::kStatus, &a.selection.status);
  line.choice(kCohort, a.cohort, {"all", "slow", "typical", "diff"});
  line.option(kPerRequest, &a.per_request);
  line.group("Which time?");
  line.choice(option::kMeasure, a.measure, {"cpu", "off-cpu", "allocations", "preemptions"});
  add_times(line, a.selection.from, a.selection.to, a.selection.around);
  line.group("In which form?");
  line.format(
      a.format, {"svg", "folded", "json"}, &a.output,
      "svg: a picture with search and zoom that needs nothing else; folded: a stack per line and its samples (or "
      "ns), with diff the typical ones' share first");
  line.option(kLines, &a.lines);
  line.schema(schema);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  const bool diff = a.cohort == "diff";
  views::FlameChoice choice;
  choice.requests = options_of(a.selection);
  if (!a.id.empty()) {
    const auto id = request_named(a.file, a.id);
    if (!id) return no_id("flame", a.file, a.id);
    if (a.cohort != "all") throw UsageError("one request has no cohorts; leave --cohort out");
    choice.ids = {*id};
  }
  if (diff && a.per_request) throw UsageError("--cohort diff compares requests; leave --per-request out");
  if (a.output.empty() && !line.given(option::kFormat) && !line.given(option::kJson))
    throw UsageError("no output given: -o OUT.svg, or --format folded, or --json");
  for (const std::string& route : a.selection.routes)
    choice.title += (choice.title.empty() ? "" : ", ") + report::printable(route);
  choice.lines = a.lines;
  choice.by_request = a.per_request;
  choice.off_cpu = a.measure == "off-cpu";
  choice.samples = a.measure == "allocations"   ? formats::SampleKind::allocation
                   : a.measure == "preemptions" ? formats::SampleKind::preempted
                                                : formats::SampleKind::on_cpu;
  choice.cohort = diff                    ? views::FlameRequests::both
                  : a.cohort == "slow"    ? views::FlameRequests::slow
                  : a.cohort == "typical" ? views::FlameRequests::typical
                                          : views::FlameRequests::all;
  const views::FlameResult result = views::flame_of(a.file, choice);
  if (!result.undecided.empty()) {
    complain("flame", result.undecided);
    return kNoAnswer;
  }
  write_file(a.output,
             a.format == "folded" ? folded_text(result.flame)
             : a.format == "json" ? json_text(result)
                                  : flame::svg(result.flame),
             a.file);
  return exit_code(result.damaged, {}, "flame");
}

}  // namespace tailcap::cli::flame_command

// tailcap flame: what threads did while they ran, or waited for, as a flame graph.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/flame/svg.h"
#include "analyze/flame/trace_svg.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/query/literal.h"
#include "analyze/report/escape.h"
#include "analyze/report/json_writer.h"
#include "analyze/report/number.h"
#include "analyze/report/words.h"
#include "analyze/views/flame/stacks.h"
#include "analyze/views/flame/traces.h"

namespace tailcap::cli {
namespace {

constexpr const char* kHelp =
    R"(tailcap flame draws a flame graph: which functions the processors' time was spent in (needs a capture made with
`tailcap record --sample 99`), or what threads waited for; or one of a trace: requests below those that caused them.

usage: tailcap flame FILE -o OUT.svg [OPTION...]
       tailcap flame FILE --request ID -o OUT.svg
       tailcap flame FILE --auto -o FOLDER [--longer TIME] [--deeper N]

Whose time?
      --route R    only while a request of this route was served, as the report prints it, with or without the method
      --slow       only of the slowest requests: the slowest 1 % of a thousand or more, 5 % of fewer
      --typical    only of typical requests: between the 40th and the 60th percentile
      --samples-of ID  only of this request
      --by request the lowest frame is the request, by its id and its trace id where it has one; with --route, --slow … or of all
      --diff       the slowest against typical ones: as wide as in the slow ones, red is more than typical, blue less

Which time?
      --off-cpu    of waiting, in any capture: by process, thread, system call and what it was on; by stacks where there are any
                   (`tailcap record --stacks`)
      --allocations  not time but memory: bytes that Go programs allocated (`tailcap record --add allocations`)
      --preempted  not time but turns: where Go made goroutines give way to others (`tailcap record --profile deep`)

Which trace?
      --request ID the one that this request is part of: as wide as time, each request below the one that caused it
      --auto       each that is longer than --longer TIME (default 100ms) and has more levels than --deeper N (default 5); a client's
                   and a server's request are two levels. The longest 100 (--most N) are drawn to FOLDER/ID.svg and listed
In which form?
  -o, --output OUT an SVG with search and zoom that needs nothing else; - is the standard output. A link can search and
                   zoom: OUT.svg#search=EXPRESSION&zoom=FUNCTION
      --folded     as text: a stack per line and its samples (or ns); with --diff the typical ones' share comes first
      --json       as JSON
      --max-memory SIZE, --max-requests N   when to stop reading a capture: `tailcap --help`
  -h, --help       this

A request's time is that of the thread that served it; in Go, of the goroutine that sent the response. Where several requests
were under way there, it is not known whose a sample is: such samples are left out and counted.

Exit code 3: done, but events were lost or the capture is damaged or cut short. 4: too few requests to tell slow from typical.

examples:
  tailcap record --sample 99 -o slow.tcap -d 30s -p $(pidof shop) && tailcap flame slow.tcap -o shop.svg
  tailcap flame slow.tcap --route 'GET /cart/{}' --diff -o cart.svg
  tailcap flame slow.tcap --off-cpu --folded
  tailcap flame slow.tcap --request 12.3 -o trace.svg
)";

struct TraceChoice {
  std::string request;  // of this one; empty: of all within the limits
  views::TraceLimits limits;
};

int draw_all(const std::string& file, const flow::RequestTable& table, const TraceChoice& choice,
             const std::string& output, bool as_json) {
  const views::FoundTraces found = views::traces_of(table, choice.limits);
  const std::size_t drawn = found.longest.size();
  if (drawn > 0) std::filesystem::create_directories(output);
  std::string lines;
  report::JsonWriter json(lines);
  if (as_json) json.begin_array();
  for (const views::FoundTrace& trace : found.longest) {
    const std::string id = report::id_text(trace.root);
    const std::string path = (std::filesystem::path(output) / (id + ".svg")).string();
    write_file(path, flame::trace_svg(trace.picture), file);
    if (as_json) {
      json.begin_object();
      json.field("id", id);
      json.field("length_ns", std::int64_t{trace.length.count()});
      json.field("levels", trace.levels);
      json.field("file", path);
      json.end_object();
    } else {
      lines += id + "  " + report::duration_text(trace.length) + "  " +
               report::count_text(trace.levels, "level", "levels") + "  " + report::printable(path) + "\n";
    }
  }
  if (as_json) json.end_array(), lines += "\n";
  std::fputs(lines.c_str(), stdout);
  complain("flame", report::count_text(found.count, "trace is", "traces are") + " at least " +
                        report::duration_text(formats::Duration{choice.limits.min_duration}) + " long and " +
                        report::count_text(choice.limits.min_depth, "level", "levels") + " deep; " +
                        std::to_string(drawn) + " drawn" +
                        (drawn < found.count ? ", the longest: --most draws more" : ""));
  return 0;
}

int draw_traces(const std::string& file, const TraceChoice& choice, const std::string& output, bool as_json) {
  pipeline::Options options;
  options.study = false;
  const pipeline::Analysis analysis = pipeline::analyze(file, options);
  const int done = analysis.damaged ? 3 : 0;
  if (choice.request.empty()) return std::max(done, draw_all(file, analysis.table, choice, output, as_json));
  const auto id = parse_id(choice.request);
  if (!id) return no_id("flame", file, choice.request);
  const flow::TraceFlame trace = views::trace_of(analysis.table, *id);
  if (trace.spans.empty()) return no_request("flame", file, choice.request);
  write_file(output, flame::trace_svg(trace), file);
  return done;
}

// What was given for --auto; false: wrong usage, which was said.
bool take_auto(const char* command, const std::string& longer, const std::string& deeper, const std::string& most,
               TraceChoice& out) {
  const auto number = [&](const std::string& text, std::int64_t fewest, std::int64_t otherwise) {
    if (text.empty()) return otherwise;
    const auto n = query::parse_number(text);
    return n && *n >= fewest && *n <= 1'000'000 ? *n : -1;
  };
  const auto time = longer.empty() ? std::optional(out.limits.min_duration) : query::parse_duration(longer);
  const std::int64_t levels = number(deeper, 0, out.limits.min_depth - 1),
                     files = number(most, 1, static_cast<std::int64_t>(out.limits.most));
  if (!time)
    return wrong_usage(command, "'" + report::printable(longer) + "' is not a duration: write 100ms, 2s …"), false;
  if (levels < 0) return wrong_usage(command, "'" + report::printable(deeper) + "' is not a number of levels"), false;
  if (files < 0) return wrong_usage(command, "'" + report::printable(most) + "' is not a number of pictures"), false;
  out.limits.min_duration = *time, out.limits.min_depth = static_cast<std::uint32_t>(levels) + 1;
  out.limits.most = static_cast<std::size_t>(files);
  return true;
}

std::string folded_text(const flow::Flame& flame) {
  std::string out;
  for (const auto& stack : flame.stacks) {
    out += stack.frames + " ";
    if (flame.comparison) out += std::to_string(stack.typical) + " ";
    out += std::to_string(stack.value) + "\n";
  }
  return out;
}

std::string json_text(const views::FlameResult& result) {
  std::string out;
  report::JsonWriter json(out);
  json.begin_object();
  json.field("title", result.flame.title);
  json.field("unit", result.flame.time ? "ns" : result.flame.bytes ? "bytes" : "samples");
  json.field("requests", result.requests);
  json.field("left_out", result.left_out);
  if (result.flame.time) {
    json.field("waits", result.waits);
    json.field("waits_with_stack", result.waits_with_stack);
  }
  json.field("comparison", result.flame.comparison);
  json.key("stacks");
  json.begin_array();
  for (const auto& stack : result.flame.stacks) {
    json.begin_object();
    json.field("stack", stack.frames);
    json.field("value", stack.value);
    if (result.flame.comparison) json.field("typical", stack.typical);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out + "\n";
}

}  // namespace

int run_flame(int argc, char** argv) {
  std::string output;
  views::FlameChoice choice;
  TraceChoice traces;
  std::string longer, deeper, most, of, by;
  bool slow = false, typical = false, diff = false, allocations = false, preempted = false, folded = false,
       as_json = false, automatic = false;
  const FileArguments arguments = parse_file_arguments(argc, argv, kHelp, {"no file given"},
                                                       {{"output,o", output},
                                                        {"route", choice.route},
                                                        {"slow", slow},
                                                        {"typical", typical},
                                                        {"diff", diff},
                                                        {"off-cpu", choice.off_cpu},
                                                        {"samples-of", of},
                                                        {"by", by},
                                                        {"allocations", allocations},
                                                        {"preempted", preempted},
                                                        {"request", traces.request},
                                                        {"auto", automatic},
                                                        {"longer", longer},
                                                        {"deeper", deeper},
                                                        {"most", most},
                                                        {"folded", folded},
                                                        {"json", as_json}});
  if (arguments.exit) return *arguments.exit;
  const std::string& file = arguments.words[0];
  if (automatic || !traces.request.empty()) {
    if (automatic && !traces.request.empty()) return wrong_usage(argv[0], "choose one of --auto and --request");
    if (slow || typical || diff || folded || allocations || preempted || choice.off_cpu || !choice.route.empty())
      return wrong_usage(argv[0], "a trace has no samples: --auto and --request stand alone");
    if (output.empty())
      return wrong_usage(argv[0], automatic ? "no folder given: -o FOLDER" : "no output given: -o OUT.svg");
    if (!take_auto(argv[0], longer, deeper, most, traces)) return 2;
    return draw_traces(file, traces, output, as_json);
  }
  if (!by.empty() && by != "request")
    return wrong_usage(argv[0], "--by wants request, not '" + report::printable(by) + "'");
  choice.by_request = !by.empty();
  if (!of.empty()) {
    const auto id = parse_id(of);
    if (!id) return no_id("flame", file, of);
    if (slow || typical || diff)
      return wrong_usage(
          argv[0],
          "one request has neither slow nor typical ones: --samples-of stands without --slow, --typical and --diff");
    choice.ids = {*id};
  }
  if (diff && choice.by_request) return wrong_usage(argv[0], "choose one of --diff and --by request");
  if (slow + typical + diff > 1) return wrong_usage(argv[0], "choose one of --slow, --typical and --diff");
  if (choice.off_cpu + allocations + preempted > 1)
    return wrong_usage(argv[0], "choose one of --off-cpu, --allocations and --preempted");
  choice.samples = allocations ? formats::SampleKind::allocation
                   : preempted ? formats::SampleKind::preempted
                               : formats::SampleKind::on_cpu;
  if (folded && as_json) return wrong_usage(argv[0], "choose one of --folded and --json");
  if (output.empty() && !folded && !as_json)
    return wrong_usage(argv[0], "no output given: -o OUT.svg, or --folded, or --json");
  choice.requests = diff      ? views::FlameRequests::both
                    : slow    ? views::FlameRequests::slow
                    : typical ? views::FlameRequests::typical
                              : views::FlameRequests::all;
  const views::FlameResult result = views::flame_of(file, choice);
  if (!result.undecided.empty()) {
    complain("flame", result.undecided);
    return 4;
  }
  write_file(output.empty() ? "-" : output,
             folded    ? folded_text(result.flame)
             : as_json ? json_text(result)
                       : flame::svg(result.flame),
             file);
  return result.damaged ? 3 : 0;
}

}  // namespace tailcap::cli

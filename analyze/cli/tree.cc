// tailcap tree: a request and everything it caused.
#include <filesystem>
#include <set>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/named_request.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/flame/trace_svg.h"
#include "analyze/model/row_index.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/report/request/call_tree.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/views/flame/traces.h"

namespace tailcap::cli::tree_command {
namespace {

constexpr const char* kAbout =
    "tailcap tree shows a request with everything it caused on the machine that was recorded: the calls made for it, "
    "what served them, and what those called in turn; when, how long, which attempt, and how sure each link is. "
    "Without ID it lists the longest traces: requests that nothing else is known to have caused, with what they "
    "caused.";

constexpr const char* kNotes =
    R"(ID is what `tailcap report` and `tailcap requests` print: connection and number on it, like 12.3.

A call belongs to a request of its process for certain where both carry the same trace id, or where one thread read the
request, made the call, waited for it and answered, and did nothing else meanwhile. In an event loop the link is likely
at best, and marked. A call that could be of several requests is in no tree, and counted.

The picture is as wide as time, each request below the one that caused it; it shows the whole trace that the request is
part of. Times in JSON are nanoseconds, from the start of the request.

examples:
  tailcap tree slow.tcap 12.3
  tailcap tree slow.tcap 12.3 -o trace.svg
  tailcap tree slow.tcap --min-duration 100ms --min-depth 6
  tailcap tree slow.tcap --min-duration 100ms --format svg -o FOLDER
)";

struct Arguments {
  std::string file, id, format, output;
  Selection selection;
  formats::Duration min_duration{};
  std::size_t min_depth = 2, limit = 100;
  bool no_pager = false;
};

int one(const Arguments& a, const pipeline::Analysis& analysis, model::ExchangeId id) {
  std::string text;
  if (a.format == "svg") {
    const model::TraceFlame trace = views::trace_of(analysis.table, id);
    if (trace.spans.empty()) return no_request("tree", a.file, a.id);
    text = flame::trace_svg(trace);
  } else {
    const auto tree = report::call_tree(analysis.table, id);
    if (!tree) return no_request("tree", a.file, a.id);
    const std::string name = std::filesystem::path(a.file).filename().string();
    text =
        a.format == "json" ? report::json_tree(*tree, analysis.table) : report::text_tree(*tree, analysis.table, name);
  }
  write_paged(a.output, text, a.file, a.format == "text" && !a.no_pager);
  return exit_code(analysis, "tree");
}

// "shop serves GET /cart/216: 200"
std::string title(const model::RequestTable& table, const model::RowIndex& index, model::ExchangeId id) {
  const auto at = index.find(id);
  return at ? report::act_text(table, table.rows[*at]) : "";
}

// Each trace in a file of its own in the folder `output`.
std::string draw(const Arguments& a, const views::FoundTrace& trace) {
  const std::string path = (std::filesystem::path(a.output) / (report::id_text(trace.root) + ".svg")).string();
  write_file(path, flame::trace_svg(trace.picture), a.file, Several::yes);
  return path;
}

int all(const Arguments& a, const pipeline::Options& selected, const pipeline::Analysis& analysis) {
  const pipeline::Wanted wanted(selected, analysis);
  std::set<model::ExchangeId> meant;
  for (std::uint32_t i = 0; i < analysis.table.rows.size(); ++i)
    if (wanted(analysis.table, i)) meant.insert(analysis.table.rows.id(i));

  const views::FoundTraces found =
      views::traces_of(analysis.table, {a.min_duration.count(), static_cast<std::uint32_t>(a.min_depth), a.limit},
                       [&](model::ExchangeId root) { return meant.contains(root); });
  const std::string limits =
      "at least " + report::count_text(a.min_depth, "level", "levels") +
      (a.min_duration.count() > 0 ? " and take at least " + report::duration_text(a.min_duration) : "");
  if (found.count == 0) {
    complain("tree", "there are no traces that have " + limits);
    return kNoAnswer;
  }
  const bool pictures = a.format == "svg";
  const model::RowIndex index(analysis.table.rows);
  if (pictures) std::filesystem::create_directories(a.output);
  std::string lines;
  report::LongTraces traces{found.count, {}};
  for (const views::FoundTrace& trace : found.longest) {
    traces.longest.push_back({trace.root, trace.length, trace.levels});
    lines += report::id_text(trace.root) + "  " + report::duration_text(trace.length) + "  " +
             report::count_text(trace.levels, "level", "levels") + "  " + title(analysis.table, index, trace.root) +
             (pictures ? "  " + report::printable(draw(a, trace)) : "") + "\n";
  }
  write_paged(pictures ? "-" : a.output, a.format == "json" ? report::json_traces(traces) : lines, a.file,
              a.format == "text" && !a.no_pager);
  complain("tree", "traces that have " + limits + ": " + std::to_string(found.count) + "; " +
                       std::to_string(found.longest.size()) + (pictures ? " drawn" : " shown") +
                       (found.longest.size() < found.count ? ", the longest: --limit shows more" : ""));
  return exit_code(analysis, "tree");
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("tree", kAbout);
  line.capture(a.file);
  line.word("ID", a.id, nullptr);
  add_selection(line, a.selection, "Which traces, without ID? Those whose topmost request is");
  line.option(option::kMinDuration, &a.min_duration);
  line.option(option::kMinDepth, &a.min_depth,
              "at least this many levels (default 2); a client's and a server's request are two");
  line.option(option::kLimit, &a.limit, "at most N, the longest (default 100)");
  line.group("In which form?");
  line.format(a.format, {"text", "json", "svg"}, &a.output, "svg: a picture; without ID one for each trace",
              "write to this file; - is the standard output. Its ending chooses the format where --format does not. "
              "Pictures of several traces go into this folder, as ID.svg");
  line.option(option::kNoPager, &a.no_pager);
  line.schema(report::tree_schema);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  const auto id = request_named(a.file, a.id);
  if (!a.id.empty())
    for (const Definition* d : {&option::kMinDuration, &option::kMinDepth, &option::kLimit})
      if (line.given(*d) || !a.selection.empty())
        throw UsageError(
            "an ID and options like --min-depth and --where both say which requests are meant; choose one");
  if (a.id.empty() && a.format == "svg" && (a.output.empty() || a.output == "-"))
    throw UsageError("no folder given for the pictures: -o FOLDER");
  const pipeline::Options selected = options_of(a.selection);
  pipeline::Options options;
  options.study = false;
  options.routes = selected.routes;
  options.partition = selected.partition;
  // A missing or broken file is the first thing to say, whatever the id looks like.
  const pipeline::Analysis analysis = pipeline::analyze(a.file, options);
  if (a.id.empty()) return all(a, selected, analysis);
  return id ? one(a, analysis, *id) : no_id("tree", a.file, a.id);
}

}  // namespace tailcap::cli::tree_command

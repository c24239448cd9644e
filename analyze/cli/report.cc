// tailcap report: routes with percentiles, phases and the slowest requests, as text, Markdown, JSON, a page and plots.
#include "analyze/report/report.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/log_options.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/stacks_left_out.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/model/wire/named_requests.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/question/question.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/second_reading.h"
#include "analyze/plot/plot.h"
#include "analyze/report/agent_report.h"
#include "analyze/report/compact/screen.h"
#include "analyze/report/fleet/fleet.h"
#include "analyze/report/page/shown_rows.h"
#include "analyze/report/plots/study_charts.h"
#include "analyze/report/study/report_json.h"
#include "analyze/views/fleet/report.h"
#include "analyze/views/report/page.h"
#include "analyze/views/report/pictures.h"
#include "analyze/views/topology/topology.h"
#include "formats/printable.h"

namespace tailcap::cli::report_command {
namespace {

constexpr const char* kNotes =
    R"(examples:
  tailcap report slow.tcap
  tailcap report slow.tcap --full
  tailcap report slow.tcap -o slow.html
  tailcap report slow.tcap --route '/users/{id}' --from 10s --to 20s
  tailcap report slow.tcap -w 'status == 5xx' --format md
  tailcap report --from-clickhouse http://clickhouse:8123
)";

constexpr Definition kPlots{
    "plots", 0, "DIR",
    "also write the plots to DIR: overall latency; latency, timing and phases of up to 12 routes; the garbage "
    "collections of Go programs (gc) with the requests that their pauses hit",
    0};
constexpr Definition kPlotFormat{"plot-format", 0, "", "format of the files of --plots (default svg)", 0};
constexpr Definition kBy{"by", 0, "FIELD",
                         "group by the value of a header field, too, like x-tenant-id, if it was recorded with "
                         "--keep-header x-tenant-id; a request without it has the value of the request that made it",
                         0};
constexpr Definition kMinOutlive{"min-outlive", 0, "T",
                                 "report a goroutine as left behind if it outlives its request by T (default 1s)", 0};
constexpr Definition kMinBusy{
    "min-busy", 0, "SHARE", "call a second busy from this share of running goroutines or threads on (default 0.95)", 0};

constexpr Definition kBrief{"brief", 0, nullptr,
                            "print only the line on data quality and the answers, in whole sentences", 0};
constexpr std::size_t kCompactWidth = 80, kNarrowest = 60;  // columns

struct Arguments {
  std::string file, format, output, plots, plot_format = "svg", by, from_clickhouse;
  Selection selection;
  report::ReportOptions shown;
  LogOptions log_options;
  views::LogFiles logs;
  bool no_pager = false, whole = false, full = false;
  std::optional<std::uint64_t> limit;
  model::GoLimits go;
};

// Plots as files. False: there are none, and why was said.
bool write_plots(const pipeline::Analysis& analysis, const Arguments& a) {
  const bool png = a.plot_format == "png";
  const model::PlotSet figures = plot::draw(report::plots::charts_of(analysis.study, report::kSectionsInPage),
                                            png ? plot::Format::png : plot::Format::svg);
  if (!figures.trouble.empty()) {
    complain("report", "no plots: " + figures.trouble);
    return false;
  }
  std::error_code error;
  std::filesystem::create_directories(a.plots, error);
  if (error) throw std::system_error(error, "cannot make the folder " + formats::printable(a.plots) + " for the plots");
  for (const auto& figure : figures.drawn)
    write_file((std::filesystem::path(a.plots) / (figure.name + (png ? ".png" : ".svg"))).string(), figure.image,
               a.file, Several::yes);
  complain("report", std::to_string(figures.drawn.size()) + " plots in " + formats::printable(a.plots));
  return true;
}

int run_fleet(Arguments& a) {
  if (a.limit) a.shown.routes = *a.limit;
  const report::Fleet fleet = views::fleet_of(exports::clickhouse_of_environment(a.from_clickhouse), a.shown.routes);
  if (fleet.captures.empty()) {
    complain("report", formats::printable(a.from_clickhouse) + " has no capture.");
    return kNoAnswer;
  }
  const bool printed = a.output.empty() || a.output == "-";
  const render::Document document = report::fleet_document(fleet, a.shown);
  const std::string text =
      a.format == "md"
          ? render::to_markdown(document)
          : render::to_text(document, std::clamp<std::size_t>(a.shown.width, 60, 1000), printed && coloured());
  write_paged(a.output, text, a.file, a.format == "text" && !a.no_pager);
  const model::Quality& quality = fleet.study.quality;
  const bool whole = fleet.incomplete.empty() && quality.lost == 0 && quality.file.damaged_blocks == 0 &&
                     quality.file.state == formats::CaptureState::complete;
  return exit_code(!whole, "report", printed ? Told::yes : Told::no);
}

struct Shown : pipeline::Answer {
  std::unique_ptr<views::PageReadings> readings;
  std::string text;
};

std::string text_of(const Arguments& a, const pipeline::Analysis& analysis) {
  if (a.format == "json") return report::json_report(analysis.study, analysis.table);
  if (a.format == "md") return report::markdown_report(analysis.study, analysis.table, a.shown);
  if (a.format == "agent") return report::agent_report(analysis.study, analysis.table, a.shown);
  if (a.full || a.shown.brief) return report::text_report(analysis.study, analysis.table, a.shown);
  return report::compact::screen(analysis.study, analysis.table, views::topology_of(analysis), a.shown);
}

// Reads only the part of a long capture that --from and --to ask for.
Shown show(const Arguments& a, pipeline::Options& options) {
  const pipeline::DecidingPart part{
      .window = !a.whole && !a.logs.given() && (options.from || options.to) && decided_early(a.selection, true),
      .decided = [&](bool clocks) { return decided_early(a.selection, clocks); },
  };
  pipeline::Question question(a.file, options.threads, options.progress);
  Shown shown = question.ask(options, part, [&](pipeline::Replay& replay) {
    Shown out;
    out.readings = std::make_unique<views::PageReadings>(options);
    std::vector<pipeline::SecondReading*> beside = {&out.readings->stacks};
    if (a.format == "html") beside.insert(beside.end(), {&out.readings->lanes, &out.readings->all_lanes});
    out.analysis = pipeline::analyze(replay, options, beside);
    const model::NamedRequests named;
    views::explain_triggers(out.readings->stacks, out.analysis);
    views::name_functions(out.readings->stacks, out.analysis);
    if (a.format == "html") {
      std::optional<model::LogBook> book;
      if (a.logs.given())
        book = views::log_book(a.logs, out.analysis.table, out.analysis.study, [](model::ExchangeId) { return true; });
      out.text = views::report_page(*out.readings, out.analysis, a.shown, book ? &*book : nullptr);
    } else {
      out.text = text_of(a, out.analysis);
    }
    out.named = named.provisional();
    return out;
  });
  complain_of_stacks("report", shown.readings->stacks);
  shown.readings.reset();
  return shown;
}

int run(Arguments& a) {
  pipeline::Options options = options_of(a.selection);
  options.partition = true;
  options.by = a.by;
  options.go = a.go;
  options.least_left = pipeline::kLittle;
  if (a.format == "html") {
    options.exemplars = report::kSectionsInPage;
    options.courses_up_to = report::page::kDetailed;
  }
  a.shown.file = std::filesystem::path(a.file).filename().string();
  a.shown.scope = scope_text(a.selection);
  if (a.limit) a.shown.routes = a.shown.slowest = *a.limit;
  const bool printed = a.output.empty() || a.output == "-";
  a.shown.coloured = a.format != "html" && printed && coloured();
  a.shown.plain = printed && on_terminal() && !shows_unicode();
  const Shown shown = show(a, options);
  const pipeline::Analysis& analysis = shown.analysis;
  write_paged(a.output, shown.text, a.file, a.format == "text" && (a.full || a.shown.brief) && !a.no_pager);
  const bool plotted = a.plots.empty() || write_plots(analysis, a);
  const int code = exit_code(analysis, "report", printed ? Told::yes : Told::no);
  if (!plotted || code == kFailed) return kFailed;
  if (analysis.table.rows.empty() && !a.selection.empty()) return nothing_matches("report", "request");
  if (!a.by.empty() && analysis.grouped == 0) {
    complain("report", "there is no value of the header field '" + formats::printable(a.by) +
                           "'. `tailcap record --keep-header " + formats::printable(a.by) + "` keeps its values.");
    return kNoAnswer;
  }
  return code;
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line(
      "report",
      "tailcap report says on one screen how far the capture can be trusted, and what was slow and why. With --full it "
      "goes on: routes, where their requests spend the time, the slowest requests.");
  line.capture(a.file, {&option::kFromClickHouse});
  add_selection(line, a.selection);
  line.option(option::kWhole, &a.whole);
  line.option(option::kFromClickHouse, &a.from_clickhouse);
  line.group("In which form?");
  line.format(a.format, {"text", "html", "md", "json", "agent"}, &a.output,
              "html: one page that needs nothing else, plots included; md: Markdown, to be pasted into an issue; json: "
              "nothing is left out; agent: answers, evidence and next commands in at most 8,000 bytes of Markdown");
  line.schema(report::report_schema);
  line.option(option::kFull, &a.full,
              "print everything as text: routes with percentiles, slow against typical requests, the slowest ones, and "
              "how it was recorded. Without it, the text has at most 23 lines");
  line.option(kBrief, &a.shown.brief);
  line.option(option::kLimit, &a.limit,
              "in Markdown, and in text with --full, which -n implies: show N routes (default 8) and N of the slowest "
              "requests (default 10)");
  line.option(option::kWidth, &a.shown.width,
              "columns of the text (default: the terminal's, else 100; without --full at most 80)");
  line.option(option::kNoPager, &a.no_pager);
  line.option(kPlots, &a.plots);
  line.choice(kPlotFormat, a.plot_format, {"svg", "png"});
  add_routes(line, a.selection);
  line.option(kBy, &a.by);
  add_log_options(line, a.log_options);
  line.group("Thresholds for Go programs");
  line.option(kMinOutlive, &a.go.left_after);
  line.option(kMinBusy, &a.go.busy);
  line.notes(kNotes);
  const std::size_t width = a.shown.width = terminal_width(a.shown.width);
  if (const auto code = line.parse(argc, argv)) return *code;
  a.logs = log_files_of(a.log_options);
  if (a.logs.given() && (a.format != "html" || !a.from_clickhouse.empty()))
    throw UsageError("--join-logs is for pages: -o page.html. `tailcap show` has the lines of one request");
  a.full = a.full || (a.limit && !a.shown.brief);
  const bool compact = a.format == "text" && !a.full && !a.shown.brief && a.from_clickhouse.empty();
  if (compact && a.shown.width == width) a.shown.width = std::min(width, kCompactWidth);
  a.shown.width = std::max(a.shown.width, kNarrowest);
  if (a.full && a.shown.brief) throw UsageError("--full and --brief say different lengths; choose one");
  if (a.shown.brief && a.format == "json")
    throw UsageError("--brief is for text, md and html. --json leaves nothing out");
  if (a.from_clickhouse.empty()) return run(a);
  if (!a.file.empty()) throw UsageError("FILE and --from-clickhouse both say which captures are meant; choose one");
  if (a.format != "text" && a.format != "md") throw UsageError("--from-clickhouse is for text and md");
  if (!a.selection.empty() || !a.by.empty() || !a.plots.empty())
    throw UsageError("--from-clickhouse is of all requests, without plots; SQL chooses among them");
  return run_fleet(a);
}

}  // namespace tailcap::cli::report_command

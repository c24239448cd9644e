// tailcap report: routes with percentiles, phases and the slowest requests, as text, Markdown, JSON, a page and plots.
#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/plot/plot.h"
#include "analyze/report/html.h"
#include "analyze/report/json.h"
#include "analyze/report/text.h"
#include "analyze/report/topology.h"
#include "analyze/tail/topology.h"
#include "analyze/views/report/pictures.h"
#include "formats/printable.h"

namespace po = boost::program_options;

namespace tailcap::cli {
namespace {

constexpr const char* kHelp =
    R"(tailcap report says which routes are slow and where their requests spend the time, after saying how far the capture
can be trusted.

usage: tailcap report FILE [OPTION...]

In which form?
      --html OUT             also one page that needs nothing else, plots included (- for standard output alone)
      --md                   Markdown instead of text, to be pasted into an issue
      --json                 JSON instead of text, nothing left out
      --plots DIR            also the plots as files: latency, latency, time and phases for each of 12 routes, and the
                             garbage collections of Go programs (gc) with the requests that their pauses hit
      --format svg|png       of the plots (default svg)
      --width N              columns of the text (default 100)
      --top N                routes shown as text and Markdown (default 8)
      --slowest N            slowest requests shown as text and Markdown (default 10)

Of which requests?
      --route R              of this route, as the report prints it, with or without the method; may be repeated. With
                             placeholders like {id} it also is a template: paths that match it become this route
      --role server|client   only requests served, or only requests made
      --from T, --to T       begun in [from, to): since the start (10s, 1500ms, 1m30s) or UTC (2026-03-01T12:34:56Z)
  -Y, --filter EXPRESSION    that match, e.g. 'status == 5xx && duration > 20ms'; may be repeated, all must match

How are routes made?
      --route-template T     a template of your own without selecting it, e.g. '/users/{id}'; may be repeated
      --max-routes N         keep this many, the others become (other) (default 200)
      --by FIELD             by the value of a header field too, e.g. x-tenant-id, if it was recorded with
                             --keep-header x-tenant-id; requests without it have that of
                             the request that made them

What counts as what, of Go programs?
      --left-after T         a goroutine is left behind that long after the end of its request (default 1s)
      --busy SHARE           a second is busy from this share on of running goroutines or threads (default 0.95)

      --max-memory SIZE, --max-requests N   when to stop reading a capture: `tailcap --help`
  -h, --help                 this

Exit code 3: done, but events were lost or the capture is damaged or cut short; the report says where.

examples:
  tailcap report slow.tcap
  tailcap report slow.tcap --html slow.html
  tailcap report slow.tcap --route '/users/{id}' --from 10s --to 20s
  tailcap report slow.tcap -Y 'status == 5xx' --md
)";

struct Arguments {
  std::vector<std::string> files;
  std::string html, plots, format = "svg";
  bool markdown = false, json = false;
  Selection selection;
  report::ReportOptions shown;
  std::string left_after;
  double busy = flow::GoLimits().busy;
};

po::options_description options_for(Arguments& a) {
  po::options_description options;
  auto add = options.add_options();
  add("help,h", "");
  add("file", po::value(&a.files));
  add("html", po::value(&a.html));
  add("md", po::bool_switch(&a.markdown));
  add("json", po::bool_switch(&a.json));
  add("plots", po::value(&a.plots));
  add("format", po::value(&a.format));
  add("width", po::value(&a.shown.width));
  add("top", po::value(&a.shown.routes));
  add("slowest", po::value(&a.shown.slowest));
  add("route", po::value(&a.selection.routes));
  add("role", po::value(&a.selection.role));
  add("from", po::value(&a.selection.from));
  add("to", po::value(&a.selection.to));
  add("filter,Y", po::value(&a.selection.filters));
  add("route-template", po::value(&a.selection.templates));
  add("max-routes", po::value(&a.selection.max_routes));
  add("by", po::value(&a.selection.by));
  add("left-after", po::value(&a.left_after));
  add("busy", po::value(&a.busy));
  return options;
}

// Plots as files. False: there are none, and why was said.
bool write_plots(const pipeline::Analysis& analysis, const Arguments& a) {
  const bool png = a.format == "png";
  const flow::Figures figures =
      plot::draw(analysis.study, {png ? plot::Format::png : plot::Format::svg, true, report::kSectionsInPage});
  if (!figures.trouble.empty()) {
    complain("report", "no plots: " + figures.trouble);
    return false;
  }
  std::error_code error;
  std::filesystem::create_directories(a.plots, error);
  if (error) throw std::system_error(error, "cannot make the folder " + formats::printable(a.plots) + " for the plots");
  for (const auto& figure : figures.drawn)
    write_file((std::filesystem::path(a.plots) / (figure.name + (png ? ".png" : ".svg"))).string(), figure.image,
               a.files[0]);
  complain("report", std::to_string(figures.drawn.size()) + " plots in " + formats::printable(a.plots));
  return true;
}

// The requests that the page shows in time, and those who held them up.
std::vector<flow::ExchangeId> exemplars_of(const pipeline::Analysis& analysis) {
  std::vector<flow::ExchangeId> exemplars;
  for (std::size_t i = 0; i < std::min(analysis.study.routes.size(), report::kSectionsInPage); ++i) {
    if (!analysis.study.routes[i].tail) continue;
    for (const flow::Exemplar& e : analysis.study.routes[i].tail->exemplars)
      for (const std::uint32_t row : {e.row, e.typical}) {
        exemplars.push_back(analysis.table.rows.id(row));
        for (const flow::Culprit& c : analysis.table.partitions.culprits(exemplars.back()))
          if (c.request.connection != 0) exemplars.push_back(c.request);
      }
  }
  return exemplars;
}

void write_page(const pipeline::Analysis& analysis, const Arguments& a) {
  flow::Figures figures = plot::draw(analysis.study, {plot::Format::svg, false, report::kSectionsInPage});
  if (!figures.trouble.empty()) complain("report", "the page has no plots: " + figures.trouble);
  std::vector<tail::Ends> ends;
  for (const auto& e : analysis.endpoints)
    ends.push_back({analysis.table.texts[e.local], analysis.table.texts[e.remote]});
  const flow::Topology topology = tail::topology(analysis.table, ends, analysis.study);
  if (std::string image = report::svg_topology(topology); !image.empty())
    figures.drawn.insert(figures.drawn.begin(),
                         {"topology", report::svg_caption(topology), std::nullopt, std::move(image)});
  views::add_flames(a.files[0], analysis, figures);
  const auto courses = pipeline::courses_of(a.files[0], exemplars_of(analysis));
  write_file(a.html, report::html_report(analysis.study, analysis.table, figures, a.shown, courses), a.files[0]);
  if (a.html != "-") complain("report", "page in " + formats::printable(a.html));
}

int run(Arguments& a) {
  pipeline::Options options = options_of(a.selection);
  options.partition = true;
  if (!a.left_after.empty()) {
    const pipeline::Moment after = moment_of(a.left_after);
    if (after.absolute || after.nanoseconds < 0)
      throw UsageError("--left-after wants a time like 1s or 500ms, not '" + formats::printable(a.left_after) + "'");
    options.go.left_after = formats::Duration{after.nanoseconds};
  }
  if (!(a.busy > 0)) throw UsageError("--busy wants a share like 0.95");
  options.go.busy = a.busy;
  pipeline::Analysis analysis = pipeline::analyze(a.files[0], options);
  views::explain_triggers(a.files[0], analysis);
  a.shown.file = std::filesystem::path(a.files[0]).filename().string();
  a.shown.scope = scope_text(a.selection);
  if (a.json) {
    std::fputs(report::json_report(analysis.study, analysis.table).c_str(), stdout);
  } else if (a.html != "-") {
    const auto text = a.markdown ? report::markdown_report(analysis.study, analysis.table, a.shown)
                                 : report::text_report(analysis.study, analysis.table, a.shown);
    std::fputs(text.c_str(), stdout);
  }
  if (!a.html.empty()) write_page(analysis, a);
  const bool plotted = a.plots.empty() || write_plots(analysis, a);
  const int code = exit_code(analysis, "report");
  return plotted ? code : 1;
}

}  // namespace

int run_report(int argc, char** argv) {
  Arguments a;
  const auto wrong = [](const std::string& why) { return wrong_usage("report", why); };
  try {
    const auto options = options_for(a);
    po::positional_options_description positional;
    positional.add("file", -1);
    using namespace po::command_line_style;
    po::variables_map values;
    const int style = unix_style & ~allow_guessing;
    po::store(po::command_line_parser(argc, argv).options(options).positional(positional).style(style).run(), values);
    if (values.count("help") > 0) {
      std::fputs(kHelp, stdout);
      return 0;
    }
    po::notify(values);
    if (a.files.empty()) return wrong("no file given");
    if (a.files.size() > 1) return wrong("unexpected argument '" + formats::printable(a.files[1]) + "'");
    if (a.format != "svg" && a.format != "png") return wrong("--format is svg or png, not '" + a.format + "'");
    if (a.json && (a.markdown || a.html == "-"))
      return wrong("--json, --md and --html - each want the standard output; choose one");
    if (a.markdown && a.html == "-") return wrong("--md and --html - both want the standard output; choose one");
    return run(a);
  } catch (const po::error& e) {
    return wrong(formats::printable(e.what()));
  } catch (const UsageError& e) {
    return wrong(e.what());
  } catch (const query::FilterError& e) {
    complain("report", e.what());
    return 2;
  }
}

}  // namespace tailcap::cli

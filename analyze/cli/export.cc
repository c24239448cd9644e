// tailcap export: a capture in the formats of other tools.
#include <functional>
#include <memory>
#include <string>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/export/gzip.h"
#include "analyze/export/http.h"
#include "analyze/report/words/number.h"
#include "analyze/views/export/lines.h"
#include "analyze/views/export/openmetrics.h"
#include "analyze/views/export/otlp.h"
#include "analyze/views/export/pcapng.h"
#include "analyze/views/export/perfetto.h"
#include "analyze/views/export/stacks.h"
#include "analyze/views/fleet/load.h"
#include "analyze/views/fleet/tables.h"

namespace tailcap::cli::export_command {
namespace {

constexpr const char* kAbout =
    "tailcap export writes a capture in the format of another tool, for all requests or those that are chosen. What is "
    "not known is left out, and said on standard error.";

constexpr const char* kNotes =
    R"(perfetto     threads, goroutines, requests with what they waited for, and what caused what: ui.perfetto.dev
otlp         spans in protobuf, as a collector's /v1/traces takes them; otlp-json: in JSON
jaeger       spans in JSON, as Jaeger's user interface takes them as a file
openmetrics  histograms of durations with exemplars, outcomes, time by label, per route: Prometheus
prometheus   the same in Prometheus' protobuf, with native histograms
har          requests as an HTTP Archive: the network panel of browsers
loki         a line of JSON per request: log stores
folded       stacks of --measure, a line each; pprof: the same for go tool pprof; speedscope: for speedscope.app
pcapng       the bytes of TCP connections as packets, with the ids of requests as comments: Wireshark
clickhouse   rows of one of the tables of many captures: scripts/clickhouse, tailcap report and fleet --from-clickhouse

Where the name of OUT ends in .gz, it is compressed. docs/export.md says what each format holds.

examples:
  tailcap export slow.tcap -o slow.pftrace
  tailcap export slow.tcap --format otlp -o spans.pb.gz
  tailcap export slow.tcap --spans labels -o slow.jaeger.json
  tailcap export slow.tcap --endpoint http://collector:4318/v1/traces
  tailcap export slow.tcap --format clickhouse --endpoint http://clickhouse:8123
)";

constexpr Definition kEndpoint{
    "endpoint", 0, "URL",
    "send spans (otlp) to URL by HTTP or HTTPS instead of writing them: http://collector:4318/v1/traces; or with "
    "--format clickhouse send all tables to a server: http://clickhouse:8123",
    0};
constexpr Definition kOutside{
    "outside", 0, nullptr, "with --measure off-cpu: also waits outside of requests, such as those of idle threads", 0};
constexpr Definition kGoroutines{
    "goroutine-tracks", 0, "N",
    "with --format perfetto: at most N goroutines have a track, those that ran longest inside requests (default 50)",
    0};
constexpr Definition kTable{"table", 0, "", "with --format clickhouse: write the rows of this table (default request)",
                            0};

struct Arguments {
  std::string endpoint;
  std::string file, format, output, measure = "cpu", table = "request", spans = "requests";
  bool outside = false;
  std::size_t goroutines = views::kGoroutineTracks;
  Selection selection;
};

void say_limits(const views::Exported& made) {
  for (const std::string& limit : made.limits) complain("export", limit);
}

bool is_binary(const std::string& format) {
  return format == "perfetto" || format == "prometheus" || format == "otlp" || format == "pprof" || format == "pcapng";
}

views::FlameChoice stacks_of(const Arguments& a, pipeline::Options options) {
  views::FlameChoice choice;
  choice.requests = std::move(options);
  choice.off_cpu = a.measure == "off-cpu";
  choice.samples = a.measure == "allocations"   ? formats::SampleKind::allocation
                   : a.measure == "preemptions" ? formats::SampleKind::preempted
                                                : formats::SampleKind::on_cpu;
  choice.in_requests = choice.off_cpu && !a.outside;
  return choice;
}

views::Exported write(const Arguments& a, const views::Write& out) {
  pipeline::Options options = options_of(a.selection);
  const auto stacks = [&](views::StackFormat format) {
    return views::export_stacks(a.file, stacks_of(a, std::move(options)), format, out);
  };
  if (a.format == "openmetrics" || a.format == "prometheus")
    return views::export_openmetrics(a.file, options, a.format == "prometheus", out);
  if (a.format == "har") return views::export_har(a.file, options, TAILCAP_VERSION, out);
  if (a.format == "loki") return views::export_loki(a.file, options, out);
  if (a.format == "clickhouse") return views::export_fleet_table(a.file, options, a.table, out);
  if (a.format == "pcapng") return views::export_pcapng(a.file, options, TAILCAP_VERSION, out);
  if (a.format == "folded") return stacks(views::StackFormat::folded);
  if (a.format == "pprof") return stacks(views::StackFormat::pprof);
  if (a.format == "speedscope") return stacks(views::StackFormat::speedscope);
  if (a.format == "perfetto") return views::export_perfetto(a.file, options, a.goroutines, out);
  const auto format = a.format == "otlp"     ? views::SpanFormat::otlp
                      : a.format == "jaeger" ? views::SpanFormat::jaeger
                                             : views::SpanFormat::otlp_json;
  return views::export_spans_file(a.file, std::move(options), format, a.spans == "labels", TAILCAP_VERSION, out);
}

int load(const Arguments& a) {
  const views::Exported made =
      views::load_fleet(a.file, options_of(a.selection), exports::clickhouse_of_environment(a.endpoint));
  complain("export", made.what + " of " + report::count_text(made.requests, "request", "requests") + " loaded.");
  return exit_code(made.damaged, made.wrong, "export");
}

// Each piece is a request of its own.
int send(const Arguments& a) {
  exports::HttpSender sender(exports::endpoint_of_environment(a.endpoint));
  exports::Rejected rejected;
  const views::Exported made = write(a, [&](std::string_view piece) {
    const exports::Rejected part = exports::rejected_in(sender.post(piece, "application/x-protobuf"));
    rejected.spans += part.spans;
    if (!part.why.empty()) rejected.why = part.why;
  });
  if (made.requests == 0 && !a.selection.empty()) return nothing_matches("export", "request");
  complain("export", made.what + " of " + report::count_text(made.requests, "request", "requests") + " sent.");
  say_limits(made);
  if (rejected.spans > 0 || !rejected.why.empty()) {
    complain("export", "the endpoint refused " +
                           report::count_text(static_cast<std::uint64_t>(rejected.spans), "span", "spans") +
                           (rejected.why.empty() ? "." : ": " + rejected.why));
    return kFailed;
  }
  return exit_code(made.damaged, made.wrong, "export");
}

int run(const Arguments& a) {
  if (!a.endpoint.empty()) return a.format == "clickhouse" ? load(a) : send(a);
  OutputFile file(a.output, a.file);
  views::Write out = [&](std::string_view piece) { file.write(piece); };
  std::unique_ptr<exports::Gzip> gzip;
  if (a.output.ends_with(".gz")) {
    gzip = std::make_unique<exports::Gzip>(out);
    out = [&](std::string_view piece) { gzip->write(piece); };
  }
  const views::Exported made = write(a, out);
  if (!made.nothing.empty() && a.selection.empty()) {
    complain("export", made.nothing);
    return kNoAnswer;
  }
  if (made.of_requests && made.requests == 0 && !a.selection.empty()) return nothing_matches("export", "request");
  if (gzip) gzip->finish();
  file.finish();
  say_written(a.output);
  if (!made.of_requests) {
    complain("export", made.what + " written.");
    say_limits(made);
    return exit_code(made.damaged, made.wrong, "export");
  }
  complain("export",
           made.what + " of " + report::count_text(made.requests, "request", "requests") + " written" +
               (made.left_out == 0 ? "." : "; " + report::count_text(made.left_out) + " left out: " + made.why + ".") +
               (made.unknown.empty() ? "" : " " + made.unknown));
  say_limits(made);
  return exit_code(made.damaged, made.wrong, "export");
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("export", kAbout);
  line.capture(a.file);
  line.group("In which form?");
  line.format(a.format,
              {"perfetto", "otlp", "otlp-json", "jaeger", "openmetrics", "prometheus", "har", "loki", "folded", "pprof",
               "speedscope", "pcapng", "clickhouse"},
              &a.output);
  line.choice(option::kMeasure, a.measure, {"cpu", "off-cpu", "allocations", "preemptions"},
              "the time that folded, pprof and speedscope hold, as in `tailcap flame`");
  line.option(kOutside, &a.outside);
  line.choice(option::kSpans, a.spans, {"requests", "labels"});
  line.option(kGoroutines, &a.goroutines);
  line.option(kEndpoint, &a.endpoint);
  line.choice(
      kTable, a.table,
      {"request", "route", "label", "verdict", "service_hour", "route_hour", "call_hour", "deployment", "capture"});
  add_selection(line, a.selection);
  add_routes(line, a.selection);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  const bool to_clickhouse = line.given(option::kFormat) && a.format == "clickhouse";
  if (line.given(kTable) && (!to_clickhouse || !a.endpoint.empty()))
    throw UsageError("--table is for --format clickhouse to a file");
  if (to_clickhouse && !a.selection.empty())
    throw UsageError("a capture goes into ClickHouse as a whole: options like --where choose from it there");
  if (line.given(kOutside) && a.measure != "off-cpu") throw UsageError("--outside goes with --measure off-cpu");
  if (!a.endpoint.empty()) {
    if (!a.output.empty()) throw UsageError("--endpoint sends, and -o writes: give one of them");
    if (line.given(option::kFormat) && a.format != "otlp" && !to_clickhouse)
      throw UsageError("--endpoint takes --format otlp or clickhouse");
    if (!to_clickhouse) a.format = "otlp";
    return run(a);
  }
  if (!line.given(option::kFormat) && !line.chosen_by_name())
    throw UsageError("no format given: --format perfetto, otlp, …, or an OUT that ends like .pftrace");
  if (is_binary(a.format) && (a.output.empty() || a.output == "-") && on_terminal())
    throw UsageError("the format is not for a terminal: name a file with -o");
  return run(a);
}

}  // namespace tailcap::cli::export_command

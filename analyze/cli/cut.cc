// tailcap cut: a small capture of a few requests.
#include "analyze/views/cut/cut.h"

#include <cstdio>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/read_options.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/report/json/indented.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"

namespace tailcap::cli::cut_command {
namespace {

using report::bytes_text;
using report::count_text;

constexpr Definition kControls{"controls", 0, "N",
                               "also keep N typical requests of the same routes, for contrast (default 20)", 0};
constexpr Definition kContext{"context", 0, "T", "keep T before and after each request (default 50ms)", 0};

constexpr const char* kNotes =
    R"(What is left reads as in IN: the same ids, times, labels and blockers. tailcap compares every request after it has
written OUT, and keeps more of IN where one differs. Other requests of OUT are not shown. The report of OUT names the
number of requests of IN, and the percentiles of its routes.

examples:
  tailcap cut slow.tcap few.tcap
  tailcap cut slow.tcap errors.tcap -w 'status == 5xx' --slowest 5 --controls 5
  tailcap cut slow.tcap small.tcap --max-size 24MB && tailcap redact small.tcap give-away.tcap
)";

std::string json_of(const views::CutResult& r, std::string_view path) {
  std::string out;
  report::JsonWriter json(out);
  json.begin_object();
  json.field("schema", report::kJsonSchema);
  json.field("out", path);
  json.field("requests", r.requests);
  json.field("chosen", r.chosen);
  json.field("controls", r.controls);
  json.field("related", r.related);
  json.field("events", r.events);
  json.field("file_bytes", r.file_bytes);
  json.field("original_events", r.in_events);
  json.field("original_bytes", r.in_bytes);
  json.field("attempts", r.attempts);
  json.end_object();
  return report::indented(out);
}

}  // namespace

int run(int argc, char** argv) {
  views::CutOptions options;
  Selection selection;
  std::string format, max_size;
  std::size_t slowest = options.slowest, controls = options.controls;
  CommandLine line("cut",
                   "tailcap cut makes a small capture of a few requests, with typical ones for contrast and everything "
                   "that explains them.");
  line.word("IN", options.in, "no file given");
  line.word("OUT.tcap", options.out, "no output given: cut IN OUT");
  add_selection(line, selection);
  line.option(option::kSlowest, &slowest);
  line.option(kControls, &controls);
  line.option(kContext, &options.context);
  line.option(option::kMaxSize, &max_size);
  line.option(option::kForce, &options.force);
  line.format(format, {"text", "json"}, nullptr, "of what was done");
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  options.selection = options_of(selection);
  options.selection.study = false;
  options.slowest = slowest;
  options.controls = controls;
  if (!max_size.empty()) options.max_bytes = byte_count_of("--max-size", max_size);
  const views::CutResult r = views::cut(options);
  if (format == "json") {
    std::puts(json_of(r, options.out).c_str());
  } else {
    std::printf(
        "%s: %s and %s of %s, with %s that they depend on; %s of %s, %s of %s. Each reads as in the original.\n",
        report::printable(options.out).c_str(), count_text(r.chosen, "slow request", "slow requests").c_str(),
        count_text(r.controls, "typical one", "typical ones").c_str(), count_text(r.requests).c_str(),
        count_text(r.related, "request", "requests").c_str(), count_text(r.events, "event", "events").c_str(),
        count_text(r.in_events).c_str(), bytes_text(r.file_bytes).c_str(), bytes_text(r.in_bytes).c_str());
  }
  return exit_code(r.damaged, "cut");
}

}  // namespace tailcap::cli::cut_command

// tailcap requests: one line per request, filtered and sorted; --json for machines.

#include <algorithm>
#include <numeric>

#include "analyze/cli/command.h"
#include "analyze/cli/follow/requests_follow.h"
#include "analyze/cli/options/chosen_columns.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/line_output.h"
#include "analyze/cli/output/request_line.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/question/question.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/second_reading.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/query/later.h"
#include "analyze/report/json/columns_list.h"
#include "analyze/report/json/request_json.h"
#include "analyze/report/json/request_schema.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::cli::requests_command {
namespace {

constexpr const char* kNotes =
    R"(Expressions of --where: fields are the names in --json, with duration, first_byte and flow_control as short forms; ==
!= < <= > >= contains matches (* and ?), && || ! and parentheses. What is unknown matches no comparison; ask for it by
== null. --fields lists the fields.

examples:
  tailcap requests slow.tcap --sort duration -n 10
  tailcap requests slow.tcap --status 5xx --role server
  tailcap requests slow.tcap --columns id,service_name,route,duration,status
  tailcap requests slow.tcap -w 'duration > 20ms && path contains "/cart"'
  tailcap requests slow.tcap --follow -w 'duration > 250ms'
  tailcap requests slow.tcap --json | jq -r 'select(.complete | not) | [.id, .outcome] | @tsv'
)";

constexpr Definition kSort{"sort", 0, "", "sort by start (default), or by duration, the slowest first", 0};
constexpr Definition kFollow{"follow", 0, nullptr,
                             "follow a recording that is under way: print each request when it is over, until the "
                             "recording ends; FILE is what `tailcap record -o` was given, or - for a stream",
                             0};
constexpr Definition kFields{"fields", 0, nullptr,
                             "list the names of what is known of a request, for --where, --columns and --json, instead "
                             "of requests; takes no FILE",
                             0};
constexpr Definition kColumns{
    "columns", 0, "NAMES",
    "print these columns, separated by commas, like id,service_name,route,duration; --fields lists them", 0};
constexpr Definition kHeaders{"headers", 0, nullptr, "also print the header fields, as recorded", 0};

constexpr std::size_t kWidth = 120, kMinWidth = 60;
constexpr std::size_t kMostPaged = 200'000;  // lines that wait for the pager
constexpr std::size_t kAligned = 1'000;      // lines that decide how wide columns are
constexpr std::size_t kFewLines = 10'000;    // to find the numbers of more may take as long as to read everything

struct Arguments {
  std::string file, sort, format, columns;
  Selection selection;
  std::size_t limit = 0, width = 0;
  bool headers = false, follow = false, fields = false, no_pager = false;
};

// Lines in the order of time: the beginning of the capture may be enough.
bool by_beginning(const Arguments& a, bool clocks_known) {
  return (a.limit > 0 || !a.selection.to.empty()) && a.format != "json" && a.sort != "duration" &&
         decided_early(a.selection, clocks_known);
}

std::size_t width_of(const Arguments& a) {
  if (a.width != 0) return std::max(a.width, kMinWidth);
  return terminal_width(kWidth);
}

std::vector<std::uint32_t> chosen(const model::RequestTable& table, const Arguments& a) {
  std::vector<std::uint32_t> rows(table.rows.size());
  std::iota(rows.begin(), rows.end(), 0u);
  if (a.sort == "duration") {
    std::erase_if(rows, [&](std::uint32_t i) { return !table.rows.has_duration(i); });
    const auto slower = [&](std::uint32_t x, std::uint32_t y) {
      const auto dx = table.rows.duration(x), dy = table.rows.duration(y);
      return dx != dy ? dx > dy : x < y;
    };
    const std::size_t n = a.limit > 0 ? std::min(a.limit, rows.size()) : rows.size();
    std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(n), rows.end(), slower);
  }
  if (a.limit > 0 && rows.size() > a.limit) rows.resize(a.limit);
  return rows;
}

void append_headers(LineOutput& out, std::string_view direction, const model::Headers& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i)
    out.line("             " + std::string(direction) + " " + report::printable(fields[i].name) + ": " +
             report::printable(fields[i].value));
}

bool print_row(LineOutput& out, const pipeline::Analysis& analysis, std::uint32_t i, std::size_t width) {
  const model::Request row = analysis.table.rows[i];
  model::columns::ColumnFacts facts(analysis.table, row);
  pipeline::add_known(facts, analysis);
  const bool more = out.line(request_line(facts, analysis.study.quality.file.first, width));
  if (!analysis.headers.empty()) {
    append_headers(out, ">", analysis.headers[i].request);
    append_headers(out, "> trailer", analysis.headers[i].request_trailers);
    append_headers(out, "<", analysis.headers[i].response);
    append_headers(out, "< trailer", analysis.headers[i].response_trailers);
  }
  return more;
}

bool print_json(LineOutput& out, const pipeline::Analysis& analysis, std::uint32_t i) {
  const model::Request row = analysis.table.rows[i];
  report::RequestExtras extras;
  extras.alone = true;
  if (row.id.connection < analysis.endpoints.size()) {
    extras.local = analysis.endpoints[row.id.connection].local;
    extras.remote = analysis.endpoints[row.id.connection].remote;
  }
  extras.split = analysis.splits.find(row.id);
  if (!analysis.headers.empty()) {
    const auto& headers = analysis.headers[i];
    extras.with_headers = true;
    // A head of which nothing was seen is not an empty head.
    if (headers.request_complete || headers.request.size() > 0) extras.request_headers = &headers.request;
    if (headers.response_complete || headers.response.size() > 0) extras.response_headers = &headers.response;
    if (headers.request_trailers.size() > 0) extras.request_trailers = &headers.request_trailers;
    if (headers.response_trailers.size() > 0) extras.response_trailers = &headers.response_trailers;
  }
  report::append_request(out.buffer(), analysis.table, row, analysis.study.quality.clock, extras);
  return out.end_line();
}

void print_columns(LineOutput& out, const pipeline::Analysis& analysis, const std::vector<std::uint32_t>& rows,
                   ChosenColumns columns, bool as_json) {
  const auto with_facts = [&](std::uint32_t i, auto use) {
    const model::Request row = analysis.table.rows[i];
    model::columns::ColumnFacts facts(analysis.table, row);
    pipeline::add_known(facts, analysis);
    return use(facts);
  };
  const auto cells = [&](std::uint32_t i) {
    return with_facts(i, [&](const model::columns::ColumnFacts& facts) { return columns.cells(facts); });
  };
  const auto object = [&](const model::columns::ColumnFacts& facts) {
    report::JsonWriter json(out.buffer());
    json.begin_object();
    columns.append(json, facts);
    json.end_object();
    return out.end_line();
  };
  if (!as_json) {
    for (std::size_t n = 0; n < std::min(rows.size(), kAligned); ++n) columns.make_room(cells(rows[n]));
    out.line(columns.head());
  }
  for (const std::uint32_t i : rows)
    if (!(as_json ? with_facts(i, object) : out.line(columns.line(cells(i))))) return;
}

struct Listed : pipeline::Answer {
  std::vector<std::uint32_t> rows;
};

// Reads only the part of a long capture that the lines need.
Listed list(const Arguments& a, pipeline::Options& options) {
  options.beginning = by_beginning(a, false);
  const pipeline::DecidingPart part{
      .window = options.from && by_beginning(a, true),
      .decided = [&](bool clocks) { return by_beginning(a, clocks); },
  };
  pipeline::Question question(a.file, options.threads, options.progress);
  return question.ask(options, part, [&](pipeline::Replay& replay) {
    Listed out;
    out.analysis = pipeline::analyze(replay, options, {});
    out.rows = chosen(out.analysis.table, a);
    out.needs_all = out.rows.size() > kFewLines;
    for (const std::uint32_t i : out.rows)
      if (const model::ExchangeId id = out.analysis.table.rows.id(i); id.index > model::kProvisional)
        out.named.insert(id);
    return out;
  });
}

int run(const Arguments& a) {
  const bool as_json = a.format == "json";
  pipeline::Options options = options_of(a.selection);
  options.keep_headers = a.headers;
  options.keep_splits = options.keep_splits || as_json;
  options.study = false;
  options.partition = options.partition || as_json;
  const ChosenColumns columns(a.columns);
  if (columns.need(model::columns::kSplit)) options.keep_splits = true;
  if (columns.need(model::columns::kAccount)) options.partition = true;
  options.first = a.limit;
  const Listed listed = list(a, options);
  const pipeline::Analysis& analysis = listed.analysis;
  const std::vector<std::uint32_t>& rows = listed.rows;
  LineOutput out;
  if (!columns.empty()) {
    out.wait_for_pager(on_terminal() && !a.no_pager && rows.size() <= kMostPaged);
    print_columns(out, analysis, rows, columns, as_json);
  } else if (as_json) {
    for (const std::uint32_t i : rows)
      if (!print_json(out, analysis, i)) break;
  } else {
    out.wait_for_pager(on_terminal() && !a.no_pager && rows.size() <= kMostPaged);
    out.line(request_head());
    const std::size_t width = width_of(a);
    for (const std::uint32_t i : rows)
      if (!print_row(out, analysis, i, width)) break;
  }
  out.flush();
  if (rows.empty() && a.selection.empty())
    complain("requests", "there is no request in " + report::printable(a.file) + ". `tailcap report` says why.");
  else if (rows.empty())
    return nothing_matches("requests", "request");
  const bool all_read = !analysis.study.quality.part_read();
  if (!all_read && rows.size() == a.limit)
    complain("requests", "the first " + report::count_text(rows.size(), "request", "requests") + " shown; only " +
                             (formats::known(analysis.study.quality.read_from) ? "a part" : "the beginning") +
                             " of the capture was read");
  else if (!as_json && all_read && rows.size() < analysis.table.rows.size())
    complain("requests",
             std::to_string(rows.size()) + " of " + std::to_string(analysis.table.rows.size()) + " requests shown");
  return exit_code(analysis, "requests");
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("requests",
                   "tailcap requests lists the requests in a capture, one per line, in the order in which they began.");
  line.capture(a.file, {&kFields});
  add_selection(line, a.selection);
  line.choice(kSort, a.sort, {"start", "duration"});
  line.option(option::kLimit, &a.limit);
  line.option(kFollow, &a.follow);
  line.group("In which form?");
  line.format(a.format, {"text", "json"}, nullptr, "json: an object per line");
  line.option(kColumns, &a.columns);
  line.option(kHeaders, &a.headers);
  line.option(kFields, &a.fields);
  line.option(option::kNoPager, &a.no_pager);
  line.option(option::kWidth, &a.width, "columns of the text (default: the terminal's, else 120)");
  add_routes(line, a.selection);
  line.schema(report::requests_schema);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (a.fields) {
    if (!a.file.empty()) throw UsageError("--fields takes no FILE: the names are the same for all");
    print_paged(a.format == "json" ? report::columns_json() : report::columns_text(), !a.no_pager);
    return kDone;
  }
  if (line.given(kColumns) && a.headers) throw UsageError("--columns and --headers: choose one");
  if (!a.follow) return run(a);
  if (line.given(kColumns)) throw UsageError("--follow prints no --columns");
  if (line.given(kSort)) throw UsageError("--follow prints requests in the order in which they end: no --sort");
  if (a.headers) throw UsageError("--follow prints no --headers");
  return follow_requests({a.file, a.selection, a.format == "json", a.limit, width_of(a)});
}

}  // namespace tailcap::cli::requests_command

// tailcap requests: one line per request, filtered and sorted; --json for machines.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/line_output.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/calls.h"
#include "analyze/report/escape.h"
#include "analyze/report/number.h"
#include "analyze/report/request_json.h"
#include "analyze/report/words.h"
#include "formats/printable.h"

namespace po = boost::program_options;

namespace tailcap::cli {
namespace {

constexpr const char* kHelp =
    R"(tailcap requests lists the requests in a capture, one per line, in the order in which they began.

usage: tailcap requests FILE [OPTION...]

Which requests?
      --status S             with this status: 404, or a class like 5xx
      --route R              of this route, as the report prints it, with or without the method; may be repeated. With
                             placeholders like {id} it also is a template: paths that match it become this route
      --role server|client   only requests served, or only requests made
      --from T, --to T       begun in [from, to): since the start (10s, 1500ms, 2m) or UTC (2026-03-01T12:34:56Z)
  -Y, --filter EXPRESSION    that match, e.g. 'status == 5xx && duration > 20ms'; may be repeated, all must match
      --slowest N            the N slowest, slowest first
      --limit N              at most N

In which form?
      --json                 a JSON object per line; docs/JSON.md describes the names
      --headers              also the header fields, as recorded
      --width N              columns of the text (default: the terminal's, else 120)

How are routes made?
      --route-template T     a template of your own without selecting it, e.g. '/users/{id}'; may be repeated
      --max-routes N         keep this many, the others become (other) (default 200)

      --max-memory SIZE, --max-requests N   when to stop reading a capture: `tailcap --help`
  -h, --help                 this

Filters: fields are the names in --json, with duration, first_byte and flow_control as short forms; == != < <= > >=
contains matches (* and ?), && || ! and parentheses. What is unknown matches no comparison; ask for it by == null.

Exit code 3: done, but events were lost or the capture is damaged or cut short.

examples:
  tailcap requests slow.tcap --slowest 10
  tailcap requests slow.tcap --status 5xx --role server
  tailcap requests slow.tcap -Y 'duration > 20ms && path contains "/cart"'
  tailcap requests slow.tcap --json | jq -r 'select(.complete | not) | [.id, .outcome] | @tsv'
)";

constexpr std::size_t kWidth = 120, kMinWidth = 60;
constexpr std::size_t kPath = 20;  // columns that a path keeps, however narrow the terminal

struct Arguments {
  std::vector<std::string> files;
  Selection selection;
  std::string status;
  std::size_t slowest = 0, limit = 0, width = 0;
  bool json = false, headers = false;
};

po::options_description options_for(Arguments& a) {
  po::options_description options;
  auto add = options.add_options();
  add("help,h", "");
  add("file", po::value(&a.files));
  add("status", po::value(&a.status));
  add("route", po::value(&a.selection.routes));
  add("role", po::value(&a.selection.role));
  add("from", po::value(&a.selection.from));
  add("to", po::value(&a.selection.to));
  add("filter,Y", po::value(&a.selection.filters));
  add("slowest", po::value(&a.slowest));
  add("limit", po::value(&a.limit));
  add("json", po::bool_switch(&a.json));
  add("headers", po::bool_switch(&a.headers));
  add("width", po::value(&a.width));
  add("route-template", po::value(&a.selection.templates));
  add("max-routes", po::value(&a.selection.max_routes));
  return options;
}

std::size_t width_of(const Arguments& a) {
  if (a.width != 0) return std::max(a.width, kMinWidth);
  winsize size{};
  if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return std::max<std::size_t>(size.ws_col, kMinWidth);
  return kWidth;
}

std::vector<std::uint32_t> chosen(const flow::RequestTable& table, const Arguments& a) {
  std::vector<std::uint32_t> rows(table.rows.size());
  std::iota(rows.begin(), rows.end(), 0u);
  if (a.slowest > 0) {
    std::erase_if(rows, [&](std::uint32_t i) { return !table.rows.has_duration(i); });
    const auto slower = [&](std::uint32_t x, std::uint32_t y) {
      const auto dx = table.rows.duration(x), dy = table.rows.duration(y);
      return dx != dy ? dx > dy : x < y;
    };
    const std::size_t n = std::min(a.slowest, rows.size());
    std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(n), rows.end(), slower);
    rows.resize(n);
  }
  if (a.limit > 0 && rows.size() > a.limit) rows.resize(a.limit);
  return rows;
}

void pad_left(std::string& out, std::string_view text, std::size_t width) {
  const std::size_t n = report::columns(text);
  out.append(n < width ? width - n : 0, ' ').append(text).append("  ");
}

void pad_right(std::string& out, std::string_view text, std::size_t width) {
  const std::size_t n = report::columns(text);
  out.append(text).append(n < width ? width - n : 0, ' ').append("  ");
}

// Everything in front of the path; one place for the header line and the rows.
void columns(std::string& out, std::string_view start, std::string_view id, std::string_view role,
             std::string_view status, std::string_view duration, std::string_view first_byte, std::string_view bytes,
             std::string_view method) {
  pad_left(out, start, 11);
  pad_right(out, id, 8);
  pad_right(out, role, 6);
  pad_left(out, status, 6);
  pad_left(out, duration, 9);
  pad_left(out, first_byte, 9);
  pad_left(out, bytes, 8);
  pad_right(out, method, 6);
}

// "+12.345678": microseconds tell requests of one burst apart.
std::string offset(formats::Time t, formats::Time first) {
  if (!formats::known(t) || !formats::known(first)) return "–";
  const std::int64_t us = (t - first).count() / 1000;
  char text[40];
  std::snprintf(text, sizeof text, "%+lld.%06lld", static_cast<long long>(us / 1'000'000),
                static_cast<long long>(std::abs(us % 1'000'000)));
  return text;
}

void append_headers(LineOutput& out, std::string_view direction, const flow::Headers& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i)
    out.line("             " + std::string(direction) + " " + report::printable(fields[i].name) + ": " +
             report::printable(fields[i].value));
}

bool print_row(LineOutput& out, const pipeline::Analysis& analysis, std::uint32_t i, std::size_t width) {
  const auto& table = analysis.table;
  const flow::Request row = table.rows[i];
  std::string line;
  columns(line, offset(row.start, analysis.study.quality.file.first), report::id_text(row.id), flow::name_of(row.role),
          row.status != 0 ? std::to_string(row.status) : "–",
          row.has_duration    ? report::duration_text(row.duration)
          : row.at_least >= 0 ? "≥ " + report::duration_text(formats::Duration{row.at_least})
                              : "–",
          row.first_byte.count() >= 0 ? report::duration_text(row.first_byte) : "–",
          row.response_bytes >= 0 ? report::bytes_text(static_cast<std::uint64_t>(row.response_bytes)) : "–",
          row.method != 0 ? report::shortened(report::printable(table.texts[row.method]), 12) : "?");
  std::string notes;
  const auto note = [&](std::string_view text) { (notes += notes.empty() ? "[" : ", ") += text; };
  if (row.grpc_status > 0) note(report::status_text(row.grpc_status));
  if (row.outcome > flow::Outcome::server_error) note(flow::name_of(row.outcome));
  for (const auto taint : flow::names_of(row.taints)) note(taint);
  if (!notes.empty()) notes += ']';
  const std::string path = row.path != 0 ? report::printable(table.texts[row.path]) : "?";
  const std::size_t used = report::columns(line) + (notes.empty() ? 0 : report::columns(notes) + 2);
  line += report::shortened(path, std::max(kPath, width > used ? width - used : 0));
  if (!notes.empty()) line += "  " + notes;
  const bool more = out.line(line);
  if (!analysis.headers.empty()) {
    append_headers(out, ">", analysis.headers[i].request);
    append_headers(out, "> trailer", analysis.headers[i].request_trailers);
    append_headers(out, "<", analysis.headers[i].response);
    append_headers(out, "< trailer", analysis.headers[i].response_trailers);
  }
  return more;
}

bool print_json(LineOutput& out, const pipeline::Analysis& analysis, std::uint32_t i) {
  const flow::Request row = analysis.table.rows[i];
  report::RequestExtras extras;
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

int run(const Arguments& a) {
  pipeline::Options options = options_of(a.selection);
  if (!a.status.empty()) options.filters.emplace_back("status == " + a.status);
  options.keep_headers = a.headers;
  options.keep_splits = a.json;
  options.study = false;
  options.partition = options.partition || a.json;
  const pipeline::Analysis analysis = pipeline::analyze(a.files[0], options);
  LineOutput out;
  const auto rows = chosen(analysis.table, a);
  if (a.json) {
    for (const std::uint32_t i : rows)
      if (!print_json(out, analysis, i)) break;
    if (rows.empty()) complain("requests", "no request matches");
  } else {
    std::string head;
    columns(head, "start s", "id", "role", "status", "duration", "to byte 1", "bytes", "method");
    out.line(head + "path");
    const std::size_t width = width_of(a);
    for (const std::uint32_t i : rows)
      if (!print_row(out, analysis, i, width)) break;
    if (rows.empty())
      complain("requests", "no request matches");
    else if (rows.size() < analysis.table.rows.size())
      complain("requests",
               std::to_string(rows.size()) + " of " + std::to_string(analysis.table.rows.size()) + " requests shown");
  }
  out.flush();
  return exit_code(analysis, "requests");
}

// Only a number or a class: the value becomes part of a filter.
bool is_status(const std::string& s) {
  return s.empty() || (s.size() == 3 && s[0] >= '1' && s[0] <= '9' &&
                       ((s[1] == 'x' && s[2] == 'x') || (s[1] >= '0' && s[1] <= '9' && s[2] >= '0' && s[2] <= '9')));
}

}  // namespace

int run_requests(int argc, char** argv) {
  Arguments a;
  const auto wrong = [](const std::string& why) { return wrong_usage("requests", why); };
  try {
    using namespace po::command_line_style;
    po::variables_map values;
    const po::options_description options = options_for(a);
    po::positional_options_description positional;
    positional.add("file", -1);
    const std::vector<std::string> words(argv + 1, argv + argc);
    po::store(po::command_line_parser(words)
                  .options(options)
                  .positional(positional)
                  .style(unix_style & ~allow_guessing)
                  .run(),
              values);
    if (values.count("help") > 0) {
      std::fputs(kHelp, stdout);
      return 0;
    }
    po::notify(values);
    for (const auto& [name, value] : {std::pair{"limit", a.limit}, {"slowest", a.slowest}})
      if (values.count(name) > 0 && value == 0) return wrong(std::string("--") + name + " must be at least 1");
  } catch (const po::error& e) {
    return wrong(formats::printable(e.what()));
  }
  if (a.files.empty()) return wrong("no file given");
  if (a.files.size() > 1) return wrong("one file at a time: '" + report::printable(a.files[1]) + "' is one too many");
  if (!is_status(a.status))
    return wrong("--status is a number like 404 or a class like 5xx, not '" + report::printable(a.status) + "'");
  try {
    return run(a);
  } catch (const UsageError& e) {
    return wrong(e.what());
  } catch (const query::FilterError& e) {
    complain("requests", e.what());
    return 2;
  }
}

}  // namespace tailcap::cli

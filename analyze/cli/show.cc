// tailcap show: one request as a waterfall.
#include "analyze/report/show.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/pipeline/detail.h"
#include "analyze/pipeline/lanes.h"
#include "analyze/report/escape.h"
#include "analyze/report/number.h"
#include "analyze/report/words.h"
#include "analyze/views/flame/request_samples.h"
#include "formats/printable.h"

namespace po = boost::program_options;

namespace tailcap::cli {
namespace {

constexpr const char* kHelp =
    R"(tailcap show lays one request out in time: its phases, why it took so long (one label for every nanosecond, and who was
behind it), what it called on the critical path and beside it, every wait of its thread, the other end of the connection
where that was recorded too, and both heads.

usage: tailcap show FILE ID [OPTION...]

ID is what `tailcap report` and `tailcap requests` print: connection and number on it, like 12.3.

      --html OUT   as a page that needs nothing else, with the lanes around it (- for standard output)
      --json       as JSON, every fact; times in nanoseconds from the start of the request
      --width N    columns of the text (default 100)
      --max-memory SIZE, --max-requests N   when to stop reading a capture: `tailcap --help`
  -h, --help       this

Exit code 3: done, but events were lost or the capture is damaged or cut short.

examples:
  tailcap show slow.tcap 12.3
  tailcap show slow.tcap 12.3 --html request.html
  tailcap requests slow.tcap --slowest 1
)";

struct Arguments {
  std::vector<std::string> words;  // file, id
  std::string html;
  bool json = false;
  report::ReportOptions shown;
};

int no_such_request(const Arguments& a, const pipeline::Look& look) {
  const std::string file = report::printable(a.words[0]);
  if (look.table.rows.empty()) {
    complain("show", file + " holds no request at all. `tailcap report` says why.");
  } else {
    complain("show", file + " holds no request " + report::printable(a.words[1]) + ". Its " +
                         report::count_text(look.table.rows.size(), "request", "requests") + " are called " +
                         report::id_text(look.first) + " to " + report::id_text(look.last) + "; `tailcap requests " +
                         file + "` lists them.");
  }
  return 1;
}

// A tenth of its time before and after it, of all processes that took part.
flow::Lanes around(const flow::Detail& detail, const std::string& file) {
  const auto& row = detail.request.row;
  if (!formats::known(row.start) || !row.has_duration) return {};
  formats::Time from = row.start, to = row.start + row.duration;
  std::vector<std::uint32_t> pids = {row.pid};
  const auto include = [&](const flow::Request& other) {
    if (!formats::known(other.start) || !other.has_duration) return;
    from = std::min(from, other.start), to = std::max(to, other.start + other.duration);
    if (other.pid != 0) pids.push_back(other.pid);
  };
  if (detail.peer) include(detail.peer->row);
  for (const auto& below : detail.below)
    if (below.row.pid != 0) pids.push_back(below.row.pid);
  const formats::Duration margin = std::max<formats::Duration>((to - from) / 10, std::chrono::microseconds{100});
  return pipeline::lanes_of(file, from - margin, to + margin, std::move(pids));
}

int run(Arguments& a) {
  const auto id = parse_id(a.words[1]);
  // A missing or broken file is the first thing to say, whatever the id looks like.
  pipeline::Look look = pipeline::look(a.words[0], id.value_or(flow::ExchangeId{}));
  if (!id) {
    return no_id("show", a.words[0], a.words[1]);
  }
  if (!look.detail) return no_such_request(a, look);
  flow::RequestDetail& own = look.detail->request;
  if (look.study.quality.samples > 0 && own.row.role == flow::Role::server && own.row.has_duration) {
    auto found = views::request_samples(a.words[0], {own.row.id});
    own.samples = found[own.row.id];
  }
  const bool made_to = std::any_of(look.study.go.begin(), look.study.go.end(),
                                   [&](const auto& go) { return go.pid == own.row.pid && go.preemptions > 0; });
  if (made_to && own.row.role == flow::Role::server && own.row.has_duration) {
    auto found = views::request_samples(a.words[0], {own.row.id}, formats::SampleKind::preempted);
    own.preempted = found[own.row.id];
  }
  a.shown.file = std::filesystem::path(a.words[0]).filename().string();
  if (a.json)
    std::fputs(report::json_show(*look.detail, look.study, look.table).c_str(), stdout);
  else if (a.html != "-")
    std::fputs(report::text_show(*look.detail, look.study, a.shown).c_str(), stdout);
  if (!a.html.empty()) {
    write_file(a.html, report::html_show(*look.detail, look.study, around(*look.detail, a.words[0]), a.shown),
               a.words[0]);
    if (a.html != "-") complain("show", "page in " + report::printable(a.html));
  }
  return exit_code(look.damaged, look.wrong, "show");
}

}  // namespace

int run_show(int argc, char** argv) {
  Arguments a;
  const auto wrong = [](const std::string& why) { return wrong_usage("show", why); };
  po::options_description options;
  auto add = options.add_options();
  add("help,h", "");
  add("word", po::value(&a.words));
  add("html", po::value(&a.html));
  add("json", po::bool_switch(&a.json));
  add("width", po::value(&a.shown.width));
  po::positional_options_description positional;
  positional.add("word", -1);
  try {
    using namespace po::command_line_style;
    po::variables_map values;
    const int style = unix_style & ~allow_guessing;
    po::store(po::command_line_parser(argc, argv).options(options).positional(positional).style(style).run(), values);
    if (values.count("help") > 0) {
      std::fputs(kHelp, stdout);
      return 0;
    }
    po::notify(values);
  } catch (const po::error& e) {
    return wrong(formats::printable(e.what()));
  }
  if (a.words.empty()) return wrong("no file given");
  if (a.words.size() == 1) return wrong("no request given, like 12.3");
  if (a.words.size() > 2) return wrong("unexpected argument '" + a.words[2] + "'");
  if (a.json && a.html == "-") return wrong("--json and --html - both want the standard output; choose one");
  return run(a);
}

}  // namespace tailcap::cli

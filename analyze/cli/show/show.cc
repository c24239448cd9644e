// tailcap show: one request as a waterfall, or two side by side.
#include "analyze/report/request/show.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/log_options.h"
#include "analyze/cli/options/named_request.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/progress.h"
#include "analyze/cli/output/stacks_left_out.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/model/wire/named_requests.h"
#include "analyze/pipeline/question/question.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/request/detail.h"
#include "analyze/report/page/shown_rows.h"
#include "analyze/report/page/standing.h"
#include "analyze/report/request/side_by_side.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/views/flame/request_stacks.h"
#include "analyze/views/report/page.h"
#include "analyze/views/report/pictures.h"

namespace tailcap::cli::show_command {
namespace {

constexpr const char* kAbout =
    "tailcap show lays one request out in time: its phases, why it took so long (one label for every nanosecond, and "
    "what was behind it), what it called on the critical path and beside it, every wait of its thread, the other end "
    "of the connection where that was recorded too, and both heads. With two IDs it shows two requests side by side: "
    "what differs in "
    "their causes, labels, waits and calls.";

constexpr const char* kNotes =
    R"(ID is what `tailcap report` and `tailcap requests` print: connection and number on it, like 12.3. `slowest` is the
slowest request, `@1` the example of the report's answer 1. Without FILE the newest capture in the working directory is
read. Times in JSON are nanoseconds from the start of the request, and differences are OTHER less ID.

examples:
  tailcap show slow.tcap 12.3
  tailcap show slow.tcap @1
  tailcap show slow.tcap @1 12.3
  tailcap show slow.tcap 12.3 -o request.html
  tailcap show slow.tcap 12.3 --join-logs '/var/log/shop/*.log'
  tailcap requests slow.tcap --sort duration -n 1
)";

struct Arguments {
  std::string file, id, other, format, output;
  report::ReportOptions shown;
  LogOptions log_options;
  views::LogFiles logs;
  bool no_pager = false, whole = false;
};

int no_such_request(const Arguments& a, const std::string& id, const pipeline::Look& look) {
  const std::string file = report::printable(a.file);
  if (look.table.rows.empty()) {
    complain("show", file + " holds no request at all. `tailcap report` says why.");
  } else {
    complain("show", file + " holds no request " + report::printable(id) + ". Its " +
                         report::count_text(look.table.rows.size(), "request", "requests") + " are called " +
                         report::id_text(look.first) + " to " + report::id_text(look.last) + "; `tailcap requests " +
                         file + "` lists them.");
  }
  return 1;
}

void add_samples(const views::RequestStacks& stacks, pipeline::Look& look) {
  model::RequestDetail& own = look.detail->request;
  if (own.row.role != model::Role::server || !own.row.has_duration) return;
  const auto sum = [&](formats::SampleKind kind) -> std::optional<model::RequestSamples> {
    if (stacks.left_out(kind) > 0) return std::nullopt;
    return views::sum_of(stacks.of({&own.row.id, 1}, kind));
  };
  if (look.study.quality.samples > 0) own.samples = sum(formats::SampleKind::on_cpu);
  if (std::ranges::any_of(look.study.go, [&](const auto& go) { return go.pid == own.row.pid && go.preemptions > 0; }))
    own.preempted = sum(formats::SampleKind::preempted);
}

// Stacks begin with the switch-out, as waits do.
void add_functions_of_waits(const views::RequestStacks& stacks, model::RequestDetail& own) {
  for (model::ThreadWait& wait : own.waits) {
    const std::string* stack = stacks.stack_of_wait(own.row.tid, wait.left);
    if (!stack) continue;
    const auto function = views::waiting_function({{(wait.back - wait.left).count(), stack}});
    if (!function) continue;
    wait.function = function->name;
    wait.caller = function->caller;
  }
}

// On a page, those of every request; otherwise those of this one, at either end.
void add_logs(const Arguments& a, bool all, pipeline::Look& look) {
  const model::Request& row = look.detail->request.row;
  look.detail->logs = views::log_book(a.logs, look.table, look.study, [&](model::ExchangeId id) {
    return all || id == row.id || (row.peer.connection != 0 && id == row.peer);
  });
}

// The page of the report, at this request. Its answers are made with the stacks of all requests.
std::string page_of(const Arguments& a, pipeline::Look& look, views::PageReadings& readings) {
  views::explain_triggers(readings.stacks, look);
  views::name_functions(readings.stacks, look);
  report::ReportOptions how = a.shown;
  how.opened = look.detail->request.row.id;
  const report::RequestStanding standing = report::page::standing_of(how.opened, look.study, look.table);
  return views::report_page(readings, look, how, look.detail->logs ? &*look.detail->logs : nullptr,
                            report::page_show(*look.detail, look.study, look.lanes, standing));
}

std::string text_of(const Arguments& a, const pipeline::Look& look) {
  if (a.format == "json") return report::json_show(*look.detail, look.study, look.table);
  const report::RequestStanding standing =
      report::page::standing_of(look.detail->request.row.id, look.study, look.table);
  if (a.format == "md") return report::markdown_show(*look.detail, look.study, a.shown, standing);
  return report::text_show(*look.detail, look.study, a.shown, standing);
}

struct Shown : pipeline::AnswerOnOne {
  std::unique_ptr<views::RequestStacks> stacks;
  std::string text;  // empty: there is no such request
};

Shown show(const Arguments& a, model::ExchangeId id) {
  const bool page = a.format == "html";
  pipeline::LookOptions options{.lanes = page, .part = !a.whole && !a.logs.given()};
  const pipeline::Options everything;
  if (page) {
    options.exemplars = report::kSectionsInPage;
    options.courses_up_to = report::page::kDetailed;
  }
  pipeline::Question question(a.file, 0, progress_on_terminal());
  Shown shown = question.ask(options, [&](pipeline::Replay& replay, pipeline::LookOptions& how) {
    Shown out;
    out.stacks = std::make_unique<views::RequestStacks>(id);
    std::unique_ptr<views::PageReadings> readings;
    how.beside = {out.stacks.get()};
    if (page) {
      readings = std::make_unique<views::PageReadings>(everything, id);
      how.beside.insert(how.beside.end(), {&readings->stacks, &readings->lanes, &readings->all_lanes});
    }
    out.look = pipeline::look(replay, id, how);
    if (!out.look.detail || out.look.mistaken) return out;
    add_samples(*out.stacks, out.look);
    add_functions_of_waits(*out.stacks, out.look.detail->request);
    if (a.logs.given()) add_logs(a, page, out.look);
    const model::NamedRequests named;
    out.text = page ? page_of(a, out.look, *readings) : text_of(a, out.look);
    out.named = named.provisional();
    return out;
  });
  if (shown.look.detail) complain_of_stacks("show", *shown.stacks);
  return shown;
}

report::ShownRequest with_standing(const pipeline::Look& look) {
  return {*look.detail, look.study, look.table,
          report::page::standing_of(look.detail->request.row.id, look.study, look.table)};
}

std::string side_by_side(const Arguments& a, const pipeline::Look& look, const pipeline::Look& other) {
  const report::ShownRequest first = with_standing(look), second = with_standing(other);
  if (a.format == "json") return report::json_side_by_side(first, second);
  if (a.format == "md") return report::markdown_side_by_side(first, second, a.shown);
  return report::text_side_by_side(first, second, a.shown);
}

int run(Arguments& a) {
  if (!a.other.empty() && a.format == "html") throw UsageError("a page shows one request: leave one ID out");
  if (!a.other.empty() && a.logs.given())
    throw UsageError("--join-logs is for one request: leave one ID out, or the option");
  const auto id = request_named(a.file, a.id);
  // A missing or broken file is the first thing to say, whatever the id looks like.
  a.shown.file = std::filesystem::path(a.file).filename().string();
  const Shown shown = show(a, id.value_or(model::ExchangeId{}));
  const pipeline::Look& look = shown.look;
  if (!id) return no_id("show", a.file, a.id);
  if (!look.detail) return no_such_request(a, a.id, look);
  const bool paged = a.format == "text" && !a.no_pager;
  if (a.other.empty()) {
    write_paged(a.output, shown.text, a.file, paged);
    return exit_code(look.damaged, look.wrong, "show");
  }
  const auto other_id = request_named(a.file, a.other);
  if (!other_id) return no_id("show", a.file, a.other);
  const Shown other = show(a, *other_id);
  if (!other.look.detail) return no_such_request(a, a.other, other.look);
  write_paged(a.output, side_by_side(a, look, other.look), a.file, paged);
  std::vector<model::ExchangeId> wrong = look.wrong;
  wrong.insert(wrong.end(), other.look.wrong.begin(), other.look.wrong.end());
  return exit_code(look.damaged || other.look.damaged, wrong, "show");
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("show", kAbout);
  line.capture(a.file);
  line.word("ID", a.id, "no request given, like 12.3");
  line.word("OTHER", a.other, nullptr);
  line.option(option::kWhole, &a.whole);
  add_log_options(line, a.log_options);
  line.group("In which form?");
  line.format(a.format, {"text", "html", "md", "json"}, &a.output,
              "html: the page of `tailcap report`, opened at the request; md: Markdown, to be pasted "
              "into an issue; json: every fact");
  line.option(option::kWidth, &a.shown.width, "columns of the text (default: the terminal's, else 100)");
  line.option(option::kNoPager, &a.no_pager);
  line.schema(report::show_schema);
  line.notes(kNotes);
  a.shown.width = terminal_width(a.shown.width);
  if (const auto code = line.parse(argc, argv)) return *code;
  a.logs = log_files_of(a.log_options);
  return run(a);
}

}  // namespace tailcap::cli::show_command

// tailcap show: one request as a waterfall.
#include "analyze/report/request/show.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/progress.h"
#include "analyze/cli/output/stacks_left_out.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/request/detail.h"
#include "analyze/report/page/standing.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/views/flame/request_stacks.h"

namespace tailcap::cli {
namespace {

constexpr const char* kAbout =
    "tailcap show lays one request out in time: its phases, why it took so long (one label for every nanosecond, and "
    "what was behind it), what it called on the critical path and beside it, every wait of its thread, the other end "
    "of the connection where that was recorded too, and both heads.";

constexpr const char* kNotes =
    R"(ID is what `tailcap report` and `tailcap requests` print: connection and number on it, like 12.3. Times in JSON are
nanoseconds from the start of the request.

examples:
  tailcap show slow.tcap 12.3
  tailcap show slow.tcap 12.3 -o request.html
  tailcap requests slow.tcap --sort duration -n 1
)";

struct Arguments {
  std::string file, id, format, output;
  report::ReportOptions shown;
  bool no_pager = false, whole = false;
};

constexpr Definition kWhole{"whole", 0, nullptr,
                            "read all of a long capture, not only as far as the request needs it: what is typical, and "
                            "the answer, are then those of the whole",
                            0};

int no_such_request(const Arguments& a, const pipeline::Look& look) {
  const std::string file = report::printable(a.file);
  if (look.table.rows.empty()) {
    complain("show", file + " holds no request at all. `tailcap report` says why.");
  } else {
    complain("show", file + " holds no request " + report::printable(a.id) + ". Its " +
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

int run(Arguments& a) {
  const auto id = parse_id(a.id);
  // A missing or broken file is the first thing to say, whatever the id looks like.
  pipeline::Replay replay(a.file, 0, progress_on_terminal());
  views::RequestStacks stacks(id.value_or(model::ExchangeId{}));
  pipeline::Look look = pipeline::look(replay, id.value_or(model::ExchangeId{}),
                                       {.lanes = a.format == "html", .beside = &stacks, .beginning = !a.whole});
  if (!id) {
    return no_id("show", a.file, a.id);
  }
  if (!look.detail) return no_such_request(a, look);
  add_samples(stacks, look);
  complain_of_stacks("show", stacks);
  a.shown.file = std::filesystem::path(a.file).filename().string();
  const report::Standing standing = report::page::standing_of(look.detail->request.row.id, look.study, look.table);
  std::string text;
  if (a.format == "json")
    text = report::json_show(*look.detail, look.study, look.table);
  else if (a.format == "html")
    text = report::html_show(*look.detail, look.study, look.lanes, a.shown, standing);
  else if (a.format == "md")
    text = report::markdown_show(*look.detail, look.study, a.shown, standing);
  else
    text = report::text_show(*look.detail, look.study, a.shown, standing);
  if (a.format == "text" && (a.output.empty() || a.output == "-"))
    print_paged(text, !a.no_pager);
  else
    write_file(a.output, text, a.file);
  return exit_code(look.damaged, look.wrong, "show");
}

}  // namespace

int run_show(int argc, char** argv) {
  Arguments a;
  CommandLine line("show", kAbout);
  line.word("FILE", a.file, "no file given");
  line.word("ID", a.id, "no request given, like 12.3");
  line.option(kWhole, &a.whole);
  line.group("In which form?");
  line.format(a.format, {"text", "html", "md", "json"}, &a.output,
              "html: a page that needs nothing else, with the lanes around the request; md: Markdown, to be pasted "
              "into an issue; json: every fact");
  line.option(option::kWidth, &a.shown.width, "columns of the text (default: the terminal's, else 100)");
  line.option(option::kNoPager, &a.no_pager);
  line.notes(kNotes);
  a.shown.width = terminal_width(a.shown.width);
  if (const auto code = line.parse(argc, argv)) return *code;
  return run(a);
}

}  // namespace tailcap::cli

// tailcap diff: two captures side by side; what changed most comes first.
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/moments.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/printed_document.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/flame/svg.h"
#include "analyze/report/diff/diff_report.h"
#include "analyze/report/words/escape.h"
#include "analyze/views/diff/capture_side.h"

namespace tailcap::cli::diff_command {
namespace {

constexpr const char* kAbout =
    "tailcap diff lays two captures side by side, A and B, of any days, machines and loads: what changed most, and "
    "why, "
    "comes first as a sentence. It names a change only where two recordings of one service would not differ so by "
    "themselves, and says otherwise what it could have found. It judges nothing; compare and gate do.";

constexpr const char* kNotes =
    R"(With one capture, --before and --after say which parts of it are compared.

examples:
  tailcap diff monday.tcap tuesday.tcap
  tailcap diff monday.tcap tuesday.tcap --full
  tailcap diff monday.tcap tuesday.tcap -o diff.html
  tailcap diff day.tcap --before 12:30:00 --after 12:31:00
  tailcap diff monday.tcap tuesday.tcap -w 'route == "/pay"' --json
)";

constexpr Definition kBefore{"before", 0, "T",
                             "with one capture: A is the requests that began before T (default: the T of --after)", 0};
constexpr Definition kAfter{
    "after", 0, "T", "with one capture: B is the requests that began at T or later (default: the T of --before)", 0};
struct Arguments {
  std::vector<std::string> files;
  std::string format, output, before, after;
  Selection selection;
  bool full = false, no_pager = false;
  std::size_t width = 0;
};

struct SideToRead {
  std::string file, part;
  Selection selection;
};

// Both sides, A first.
std::vector<SideToRead> sides_of(const Arguments& a) {
  const bool parts = !a.before.empty() || !a.after.empty();
  if (a.files.size() > 2) throw UsageError("two captures are compared, or two parts of one");
  if (a.files.size() == 2 && parts) throw UsageError("--before and --after compare two parts of one capture");
  if (a.files.size() == 1 && !parts)
    throw UsageError("a second capture is missing; --before T and --after T compare two parts of one");
  if (!parts) return {{a.files[0], "", a.selection}, {a.files[1], "", a.selection}};
  const std::string& until = a.before.empty() ? a.after : a.before;
  const std::string& since = a.after.empty() ? a.before : a.after;
  SideToRead first{a.files[0], "before " + report::printable(until), a.selection};
  SideToRead second{a.files[0], "from " + report::printable(since) + " on", a.selection};
  first.selection.to = until;
  second.selection.from = since;
  return {std::move(first), std::move(second)};
}

// --from, --to and --around are times of each capture.
void place_moments(SideToRead& side) {
  Selection& s = side.selection;
  if (!s.around.empty() && (!s.from.empty() || !s.to.empty()))
    throw UsageError("--around, --from, --to, --before and --after say which time is meant; choose one way");
  if (!s.around.empty()) std::tie(s.from, s.to) = around(s.around, side.file);
  if (!s.from.empty()) s.from = placed(s.from, side.file);
  if (!s.to.empty()) s.to = placed(s.to, side.file);
  s.around.clear();
}

std::string text_of(model::difference::Difference& d, const Arguments& a) {
  if (a.format == "json") return report::diff_json(d, TAILCAP_VERSION);
  const bool page = a.format == "html";
  if (page && !d.flame.stacks.empty()) d.flame_image = flame::snapshot(d.flame);
  const auto extent = page ? report::DiffExtent::page : a.full ? report::DiffExtent::full : report::DiffExtent::screen;
  return printed_document(report::diff_document(d, extent), a.format, a.output, a.width);
}

int run(Arguments& a) {
  std::vector<SideToRead> sides = sides_of(a);
  std::vector<views::CaptureSideRead> read;
  for (SideToRead& side : sides) {
    place_moments(side);
    refuse_empty_range(side.selection.from, side.selection.to);
    read.push_back(views::read_side(side.file, options_of(side.selection), side.part));
  }
  model::difference::Difference d = views::difference_of(read[0], read[1]);
  const bool printed = a.output.empty() || a.output == "-";
  write_paged(a.output, text_of(d, a), sides[0].file, a.format == "text" && a.full && !a.no_pager);
  std::vector<model::ExchangeId> wrong = read[0].wrong;
  wrong.insert(wrong.end(), read[1].wrong.begin(), read[1].wrong.end());
  const int code = exit_code(read[0].damaged || read[1].damaged, wrong, "diff", printed ? Told::yes : Told::no);
  if (code == kFailed) return code;
  return d.compared == 0 && !d.same ? kNoAnswer : code;
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("diff", kAbout);
  line.words("A.tcap [B.tcap]", a.files, 1, "no captures given");
  line.group("Which parts of one capture?");
  line.option(kBefore, &a.before);
  line.option(kAfter, &a.after);
  add_selection(line, a.selection, "Which requests, of each side?");
  line.group("In which form?");
  line.format(a.format, {"text", "md", "json", "html"}, &a.output,
              "html: one page that needs nothing else, with distributions and a flame graph of the difference; md: "
              "Markdown, to be pasted into an issue; json: nothing is left out");
  line.schema(report::diff_schema);
  line.option(
      option::kFull, &a.full,
      "print everything as text: all routes, where their time goes, numbers of a request, calls, functions, who "
      "calls which, and the settings that differ");
  line.width(a.width, 100);
  line.option(option::kNoPager, &a.no_pager);
  add_routes(line, a.selection);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  return run(a);
}

}  // namespace tailcap::cli::diff_command

// tailcap note: adds a text to a capture, which travels along.
#include <cstdio>
#include <string>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/words/words.h"
#include "formats/printable.h"
#include "formats/store/append.h"

namespace tailcap::cli::note_command {
namespace {

constexpr std::size_t kMaxText = 256;  // what reports show of a note

constexpr Definition kRequest{"request", 0, "ID", "attach the note to this request, like 12.3", 0};

constexpr const char* kNotes =
    R"(Reports show the note below their first line. FILE is written anew and takes its name when it is whole. A note that is
added after `tailcap redact` stays as it is, and takes the mark of the strict level away; before, it is redacted like
other text.

examples:
  tailcap note slow.tcap 'why does the second call wait for 300 ms?' --request 12.3
)";

}  // namespace

int run(int argc, char** argv) {
  std::string file, text, request;
  CommandLine line("note", "tailcap note adds a text to a capture: the question that travels along.");
  line.word("FILE", file, "no file given");
  line.word("TEXT", text, "no text given");
  line.option(kRequest, &request);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (text.empty() || text.size() > kMaxText)
    return wrong_usage(argv[0], "a note has 1 to 256 bytes, not " + std::to_string(text.size()));
  std::string key = "tailcap.note";
  if (!request.empty()) {
    const auto id = parse_id(request);
    if (!id) return no_id("note", file, request);
    pipeline::Options options;
    options.study = false;
    const auto analysis = pipeline::analyze(file, options);
    bool found = false;
    for (std::size_t i = 0; i < analysis.table.rows.size(); ++i) found = found || analysis.table.rows.id(i) == *id;
    if (!found) return no_request("note", file, request);
    key += "." + report::id_text(*id);
  }
  const formats::Event event{formats::kNoTime, {}, formats::Note{key, text}};
  formats::append_events(file, {&event, 1});
  std::printf("%s: note added\n", formats::printable(file).c_str());
  return kDone;
}

}  // namespace tailcap::cli::note_command

// tailcap recover: copies what is sound of a damaged or unfinished capture into a new one.
#include <cstdio>
#include <filesystem>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/report/words/number.h"
#include "formats/file/reader.h"
#include "formats/printable.h"

namespace tailcap::cli::recover_command {
namespace {

using report::bytes_text;
using report::count_text;

constexpr const char* kNotes =
    R"(What is missing stays visible: the new file says that it was recovered, and reports name the gaps. FILE is not
changed. A damaged capture need not be recovered to be read: all commands read it as it is. OUT only is smaller, every
block of it is sound, and it has its usual name.

Exit code 3: written, but something of FILE was lost.

examples:
  tailcap recover slow.tcap.partial -o slow.tcap
  tailcap recover damaged.tcap -o saved.tcap; tailcap check saved.tcap
)";

}  // namespace

int run(int argc, char** argv) {
  std::string in, out;
  bool force = false;
  CommandLine line(
      "recover",
      "tailcap recover copies every sound block of a damaged or unfinished capture into a new file, and ends "
      "it properly.");
  line.word("FILE -o OUT.tcap", in, "no file given");
  line.option(option::kOutput, &out, "write the new capture to OUT");
  line.option(option::kForce, &force);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (out.empty()) return wrong_usage(argv[0], "no output given: -o OUT.tcap");
  const auto blocks = formats::recover(in, out, force);
  std::uint64_t saved = 0, events = 0, lost = 0, lost_bytes = 0;
  for (const auto& block : blocks) {
    if (block.damage.empty()) {
      saved += block.type != "footer";
      events += block.events;
    } else {
      ++lost;
      lost_bytes += block.stored_bytes;
    }
  }
  std::printf("%s: %s with %s saved, %s\n", formats::printable(out).c_str(),
              count_text(saved, "block", "blocks").c_str(), count_text(events, "event", "events").c_str(),
              bytes_text(std::filesystem::file_size(out)).c_str());
  if (lost == 0) return kDone;
  std::printf("lost: %s of %s; `tailcap check %s` lists them\n", count_text(lost, "stretch", "stretches").c_str(),
              bytes_text(lost_bytes).c_str(), formats::printable(in).c_str());
  return kIncomplete;
}

}  // namespace tailcap::cli::recover_command

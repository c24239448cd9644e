// tailcap recover: copies what is sound of a damaged or unfinished capture into a new one.
#include <cstdio>
#include <filesystem>
#include <tuple>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/report/number.h"
#include "formats/printable.h"
#include "formats/reader.h"

namespace tailcap::cli {
namespace {

using report::bytes_text;
using report::count_text;

constexpr const char* kHelp =
    R"(tailcap recover copies every sound block of a damaged or unfinished capture into a new file, and ends it properly.

usage: tailcap recover IN OUT [--force]

What is missing stays visible: the new file says that it was recovered, and reports name the gaps. IN is not changed.
Nothing needs to be recovered to be read: all commands read a damaged capture as it is. OUT only is smaller, checks
without complaints, and has its usual name.

Options
      --force  overwrite OUT
      --max-memory SIZE, --max-requests N   when to stop reading a capture: `tailcap --help`
  -h, --help   this

Exit codes: 0 everything in IN was sound, 1 failed, 2 bad usage, 3 written, but something of IN was lost.

examples:
  tailcap recover slow.tcap.partial slow.tcap
  tailcap recover damaged.tcap saved.tcap && tailcap report saved.tcap
)";

}  // namespace

int run_recover(int argc, char** argv) {
  constexpr const char* kTwo = "two files are needed, the damaged one and the one to write";
  bool force = false;
  const auto arguments = parse_file_arguments(argc, argv, kHelp, {kTwo, kTwo}, {{"force", force}});
  if (arguments.exit) return *arguments.exit;
  const auto& [in, out] = std::tie(arguments.words[0], arguments.words[1]);
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
  if (lost == 0) return 0;
  std::printf("lost: %s of %s; `tailcap check %s` lists them\n", count_text(lost, "stretch", "stretches").c_str(),
              bytes_text(lost_bytes).c_str(), formats::printable(in).c_str());
  return 3;
}

}  // namespace tailcap::cli

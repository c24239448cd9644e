// tailcap recompress: the same capture, compressed at another level.
#include <cstdio>
#include <filesystem>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/read_options.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/report/words/number.h"
#include "formats/file/reader.h"
#include "formats/printable.h"

namespace tailcap::cli::recompress_command {
namespace {

using report::bytes_text;
using report::count_text;

constexpr std::size_t kHighest = 22;

constexpr Definition kZstdLevel{
    "zstd-level", 0, "N", "level of compression, from 1 (what the recorder uses) to 22 (dense and slow; default 19)",
    1};

constexpr const char* kNotes =
    R"(Events, block numbers, losses and the mark of redaction are those of IN; a report of OUT is a report of IN. Every
sound block of a damaged or unfinished capture is kept, and OUT says that it was recovered.

examples:
  tailcap recompress slow.tcap archived.tcap
  tailcap recompress archived.tcap quick.tcap --zstd-level 1
)";

}  // namespace

int run(int argc, char** argv) {
  std::string in, out;
  formats::RecompressOptions options;
  auto level = static_cast<std::size_t>(options.level);
  CommandLine line("recompress", "tailcap recompress writes the same capture at another level of compression.");
  line.word("IN", in, "no file given");
  line.word("OUT.tcap", out, "no output given: recompress IN OUT");
  line.option(kZstdLevel, &level);
  line.option(option::kForce, &options.force);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (level > kHighest) return wrong_usage(argv[0], "--zstd-level is a number from 1 to 22");
  options.level = static_cast<int>(level);
  options.threads = threads_from_environment();
  std::uint64_t kept = 0, events = 0, damaged = 0;
  for (const formats::BlockStatus& block : formats::recompress(in, out, options)) {
    if (!block.damage.empty()) {
      ++damaged;
      continue;
    }
    kept += block.type != "footer";
    events += block.events;
  }
  std::printf("%s: %s with %s, %s instead of %s\n", formats::printable(out).c_str(),
              count_text(kept, "block", "blocks").c_str(), count_text(events, "event", "events").c_str(),
              bytes_text(std::filesystem::file_size(out)).c_str(), bytes_text(std::filesystem::file_size(in)).c_str());
  if (damaged > 0)
    std::printf("left out: %s; `tailcap check %s` lists them\n",
                count_text(damaged, "damaged stretch", "damaged stretches").c_str(), formats::printable(in).c_str());
  return damaged > 0 ? kIncomplete : exit_code(formats::Reader(in).summary(), "recompress");
}

}  // namespace tailcap::cli::recompress_command

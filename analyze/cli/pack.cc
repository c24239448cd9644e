// tailcap pack: everything that a bug report needs, in one file that can be given away.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/read_options.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/scratch.h"
#include "analyze/pack/archive.h"
#include "analyze/redact/redact.h"
#include "analyze/redact/rules/pseudonym.h"
#include "analyze/redact/verify.h"
#include "analyze/report/json/indented.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"
#include "analyze/views/cut/cut.h"
#include "formats/not_itself.h"

namespace tailcap::cli::pack_command {
namespace {

using report::bytes_text;
using report::count_text;
using report::printable;

constexpr Definition kYes{"yes", 'y', nullptr, "do not ask", 0};
constexpr std::size_t kPiece = 1u << 20;
constexpr std::uint64_t kMaxBytes = 24'000'000;

constexpr const char* kNotes =
    R"(In the pack: capture.tcap (cut and redacted), report.html (open it in a browser), report.md, manifest.json. All commands
that read a capture read a pack: `tailcap report bug.zip`. On a terminal tailcap shows what is inside and asks before it
writes.

examples:
  tailcap pack slow.tcap
  tailcap pack slow.tcap -o bug.zip --level strict --yes
  tailcap show bug.zip 12.3
)";

int run_quietly(int (*run)(int, char**), std::vector<std::string> words) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const Unsaid parts;
  return run(static_cast<int>(words.size()), argv.data());
}

// Adds to `verified` what was searched for. Throws where something that was replaced is found.
redact::RedactionResult redact_and_verify(const redact::RedactionOptions& options, redact::Verification& verified) {
  redact::RedactionResult result = redact::redact(options);
  const redact::Verification found = redact::verify(options.out, options.in, options.policy);
  if (found.leaks > 0)
    throw std::runtime_error(
        "what was replaced was found again in the redacted capture; nothing was written. "
        "`tailcap redact --verify` names it");
  verified.originals = std::max(verified.originals, found.originals);
  return result;
}

bool agreed() {
  std::fputs("Write it? [y/N] ", stdout);
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes" || answer == "Y";
}

// whole: the reports are of the whole capture.
std::string manifest_of(const redact::RedactionResult& redacted, const views::CutResult& part,
                        const redact::Verification& verified, bool whole) {
  std::string out;
  report::JsonWriter json(out);
  json.begin_object();
  json.field("schema", report::kJsonSchema);
  json.field("tool_version", TAILCAP_VERSION);
  json.key("capture");
  json.begin_object();
  json.field("file", pack::kCaptureName);
  json.field("bytes", redacted.file_bytes);
  json.field("events", redacted.events);
  json.field("level", redacted.level);
  json.field("policy", redacted.policy_hash);
  json.end_object();
  json.key("cut");
  json.begin_object();
  json.field("requests", part.requests);
  json.field("chosen", part.chosen);
  json.field("controls", part.controls);
  json.field("related", part.related);
  json.end_object();
  json.key("removed");
  json.begin_array();
  for (const auto& [name, change] : redacted.fields) {
    if (change.changed == 0) continue;
    json.begin_object();
    json.field("field", name);
    json.field("values", change.values);
    json.field("changed", change.changed);
    json.end_object();
  }
  json.end_array();
  json.field("searched_for", verified.originals);
  json.key("reports");
  json.begin_array();
  for (const char* const name : {"report.html", "report.md"}) json.text(name);
  json.end_array();
  json.field("reports_of", whole ? "the whole capture" : "the cut");
  json.end_object();
  return report::indented(out);
}

}  // namespace

int run(int argc, char** argv) {
  views::CutOptions cut;
  redact::RedactionOptions redaction;
  Selection selection;
  std::string out, level, max_size;
  std::size_t slowest = cut.slowest;
  bool yes = false, force = false;
  CommandLine line("pack",
                   "tailcap pack makes one file for a bug report: a few slow requests, redacted, with a report.");
  line.word("IN", cut.in, "no file given");
  add_selection(line, selection);
  line.option(option::kSlowest, &slowest);
  line.option(option::kMaxSize, &max_size);
  line.group("What may be in it?");
  line.choice(option::kLevel, level, {"default", "strict"});
  line.option(kYes, &yes);
  line.group("Where to?");
  line.option(option::kOutput, &out, "write the archive to OUT (default: IN with .zip for .tcap)");
  line.option(option::kForce, &force);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (!yes && isatty(STDIN_FILENO) == 0)
    return wrong_usage(argv[0], "there is no terminal to ask on; --yes writes without a question");
  if (out.empty()) out = std::filesystem::path(given_path(cut.in)).replace_extension(".zip").string();
  formats::refuse_itself(given_path(cut.in), out);
  if (std::filesystem::exists(out) && !force)
    throw std::runtime_error(printable(out) + " exists; --force overwrites it");

  Scratch scratch;
  cut.out = scratch.file("cut.tcap");
  cut.selection = options_of(selection);
  cut.selection.study = false;
  cut.slowest = slowest;
  cut.max_bytes = max_size.empty() ? kMaxBytes : byte_count_of("--max-size", max_size);
  const views::CutResult part = views::cut(cut);
  redaction.in = cut.out;
  redaction.out = scratch.file(pack::kCaptureName);
  redaction.policy =
      redact::RedactionPolicy(level == "strict" ? redact::RedactionLevel::strict : redact::RedactionLevel::standard);
  redaction.key = redact::random_key();
  redact::Verification verified;
  const redact::RedactionResult redacted = redact_and_verify(redaction, verified);
  // Whose reports these are reads the numbers of who wrote the pack: without a selection they are of the whole capture,
  // with the same pseudonyms.
  redact::RedactionOptions of_report = redaction;
  if (selection.empty()) {
    of_report.in = cut.in;
    of_report.out = scratch.file("whole.tcap");
    redact_and_verify(of_report, verified);
  }
  const std::string html = scratch.file("report.html"), md = scratch.file("report.md");
  for (const std::string& report : {html, md})
    if (const int code = run_quietly(report_command::run, {"report", of_report.out, "-o", report});
        code != kDone && code != kIncomplete)
      return code;

  std::printf("capture.tcap   %s: %s and %s of %s, %s\n", bytes_text(redacted.file_bytes).c_str(),
              count_text(part.chosen, "slow request", "slow requests").c_str(),
              count_text(part.controls, "typical one", "typical ones").c_str(), count_text(part.requests).c_str(),
              count_text(redacted.events, "event", "events").c_str());
  std::printf("report.html    %s\nreport.md      %s\nmanifest.json\n\n",
              bytes_text(std::filesystem::file_size(html)).c_str(), bytes_text(std::filesystem::file_size(md)).c_str());
  std::uint64_t values = 0, fields = 0;
  for (const auto& [name, change] : redacted.fields) {
    values += change.changed;
    fields += change.changed > 0;
  }
  std::printf("Redacted, level %s: %s in %s replaced or removed (manifest.json lists them).\n", redacted.level.c_str(),
              count_text(values, "value", "values").c_str(), count_text(fields, "field", "fields").c_str());
  std::puts(
      level == "strict"
          ? "What stays readable: names of header fields, methods, ports, process ids, times, sizes, status codes; "
            "pseudonyms stand for paths, hosts, addresses and names of programs."
          : "What stays readable: words in paths, host names, names of programs and files; IP addresses, ports, "
            "names of header fields, times, sizes, status codes. --level strict replaces these names, too.");
  std::printf("%s searched for in the result: none found\n\n",
              count_text(verified.originals, "replaced word", "replaced words").c_str());
  if (!yes && !agreed()) {
    std::puts("Nothing was written.");
    return kNoAnswer;
  }
  const std::string archive = scratch.file("pack.zip");
  OutputFile to(out, cut.in, OutputFile::Over::packs);
  pack::write_archive(archive,
                      {{pack::kCaptureName, redaction.out, {}},
                       {"report.html", html, {}},
                       {"report.md", md, {}},
                       {"manifest.json", {}, manifest_of(redacted, part, verified, selection.empty()) + "\n"}});
  std::ifstream from(archive, std::ios::binary);
  std::string piece;
  do {
    piece.resize(kPiece);
    from.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    piece.resize(static_cast<std::size_t>(from.gcount()));
    to.write(piece);
  } while (from);
  to.finish();
  std::printf("%s: %s\n", printable(out).c_str(), bytes_text(std::filesystem::file_size(out)).c_str());
  return exit_code(part.damaged, "pack");
}

}  // namespace tailcap::cli::pack_command

// tailcap check: verifies every block of a capture.
#include <cstdio>
#include <optional>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/report/json/indented.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"
#include "analyze/views/file/capture_facts.h"
#include "formats/bounds/read_limits.h"
#include "formats/file/marker.h"
#include "formats/file/reader.h"
#include "formats/printable.h"

namespace tailcap::cli::check_command {
namespace {

using formats::BlockStatus;
using formats::CaptureState;
using report::bytes_text;
using report::count_text;

constexpr const char* kNotes =
    R"(Output: a line per block, OK or what is wrong with it, and a total. A recording that still runs is judged by the
blocks it has so far.

examples:
  tailcap check slow.tcap
  tailcap check give-away.tcap --redacted && scp give-away.tcap vendor:
  tailcap check slow.tcap --json | jq '.blocks[] | select(.damage)'
)";

struct Total {
  std::uint64_t sound = 0, events = 0, damaged = 0, damaged_bytes = 0, missing = 0;
  bool ok = false;
};

Total total_of(const std::vector<BlockStatus>& blocks, CaptureState state) {
  Total total;
  for (const BlockStatus& block : blocks) {
    if (block.damage.empty()) {
      ++total.sound;
      total.events += block.events;
    } else if (block.stored_bytes == 0) {
      ++total.missing;
    } else {
      ++total.damaged;
      total.damaged_bytes += block.stored_bytes;
    }
  }
  // A recovered capture misses blocks, and says so; what it has is what is checked.
  total.ok = total.damaged == 0 && (total.missing == 0 || state == CaptureState::recovered) &&
             state != CaptureState::truncated;
  return total;
}

constexpr Definition kRedacted{"redacted", 0, nullptr,
                               "exit with 4 unless it is a whole capture that is marked as redacted (`tailcap redact`)",
                               0};

std::optional<std::string> note_of(const formats::Preamble& preamble, std::string_view key) {
  for (const auto& [k, value] : preamble.notes)
    if (k == key) return value;
  return {};
}

// Whether something was added to a strictly redacted capture, which has not passed the rules.
bool added_later(std::string_view level, const formats::Marker& marker) { return level == "strict" && !marker.strict; }

void write_redaction(report::JsonWriter& json, const formats::Preamble& preamble, const formats::Marker& marker) {
  const auto level = note_of(preamble, "tailcap.redacted");
  if (!marker.preamble || !marker.footer || !level) return json.null();
  json.begin_object();
  json.field("level", *level);
  json.field("policy", note_of(preamble, "tailcap.redacted.policy").value_or(""));
  json.field("added_later", added_later(*level, marker));
  json.end_object();
}

void write_block(report::JsonWriter& json, const BlockStatus& block) {
  json.begin_object();
  json.field("offset", block.offset);
  json.field("sequence", block.sequence);
  json.field("type", block.type);
  json.field("events", block.events);
  json.field("stored_bytes", block.stored_bytes);
  json.field("raw_bytes", block.raw_bytes);
  json.field("first_ns", nanoseconds(block.first));
  json.field("last_ns", nanoseconds(block.last));
  json.key("damage");
  json.text_or_null(block.damage);
  json.end_object();
}

void print_json(const std::vector<BlockStatus>& blocks, const formats::FileSummary& summary, const Total& total,
                const formats::Preamble& preamble, const formats::Marker& marker) {
  std::string out;
  report::JsonWriter json(out);
  json.begin_object();
  json.field("schema", report::kJsonSchema);
  json.field("state", views::name_of(summary.state));
  json.field("ok", total.ok);
  json.field("events", total.events);
  json.field("lost", summary.lost);
  json.field("damaged", total.damaged);
  json.field("damaged_bytes", total.damaged_bytes);
  json.field("missing", total.missing);
  json.field("file_bytes", summary.file_bytes);
  json.key("stopped");
  const auto& stopped = formats::stopped_captures();
  json.text_or_null(stopped.empty() ? std::string_view() : formats::name_of(stopped.front().reason));
  json.key("redacted");
  write_redaction(json, preamble, marker);
  json.key("blocks");
  json.begin_array();
  for (const BlockStatus& block : blocks) write_block(json, block);
  json.end_array();
  json.end_object();
  std::puts(report::indented(out).c_str());
}

void print_text(const std::string& path, const std::vector<BlockStatus>& blocks, const formats::FileSummary& summary,
                const Total& total) {
  std::printf("%12s  %8s  %-8s  %8s  %9s  %s\n", "offset", "sequence", "type", "events", "size", "state");
  for (const BlockStatus& block : blocks) {
    const bool gap = !block.damage.empty() && block.raw_bytes == 0;
    const bool missing = gap && block.stored_bytes == 0;
    const std::string state = block.damage.empty() ? "OK" : (missing ? "MISSING: " : "DAMAGED: ") + block.damage;
    std::printf("%12s  %8s  %-8s  %8s  %9s  %s\n", count_text(block.offset).c_str(),
                gap ? "-" : count_text(block.sequence).c_str(), gap ? "-" : block.type.c_str(),
                gap ? "-" : count_text(block.events).c_str(), missing ? "-" : bytes_text(block.stored_bytes).c_str(),
                state.c_str());
  }
  std::string verdict = total.ok ? "OK" : "DAMAGED";
  if (total.damaged > 0)
    verdict += ", " + count_text(total.damaged, "damaged stretch", "damaged stretches") + " of " +
               bytes_text(total.damaged_bytes);
  if (total.missing > 0) verdict += ", blocks missing in " + count_text(total.missing, "place", "places");
  if (summary.state == CaptureState::truncated) verdict += ", the end is missing: the recorder did not finish it";
  if (summary.state == CaptureState::recording) verdict += ", still being recorded";
  if (summary.state == CaptureState::recovered) verdict += ", recovered from a damaged or unfinished file";
  if (summary.lost > 0)
    verdict += "; " + count_text(summary.lost, "event was", "events were") + " lost while it was recorded";
  if (!formats::stopped_captures().empty()) verdict += ", not read to its end";
  if (!total.ok) verdict += "; `tailcap recover` copies what is sound";
  std::printf("%s: %s in %s: %s\n", formats::printable(path).c_str(),
              count_text(total.events, "event", "events").c_str(),
              count_text(total.sound, "sound block", "sound blocks").c_str(), verdict.c_str());
}

}  // namespace

int run(int argc, char** argv) {
  std::string file, format;
  bool redacted = false;
  CommandLine line(
      "check",
      "tailcap check verifies every block of a capture: header, checksum, decompression and every column in "
      "it.");
  line.capture(file);
  line.option(kRedacted, &redacted);
  line.format(format, {"text", "json"}, nullptr);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  formats::Reader reader(file);
  const auto blocks = reader.check();
  const auto summary = reader.summary();
  const Total total = total_of(blocks, summary.state);
  const formats::Marker marker = formats::marker_of(file);
  if (format == "json")
    print_json(blocks, summary, total, reader.preamble(), marker);
  else
    print_text(file, blocks, summary, total);
  if (redacted) {
    const auto level = note_of(reader.preamble(), "tailcap.redacted");
    const bool ok = marker.preamble && marker.footer && level && total.ok && total.events > 0;
    if (format != "json")
      std::printf("%s: %s\n", formats::printable(file).c_str(),
                  ok ? ("redacted, level " + formats::printable(*level) + ", policy " +
                        formats::printable(note_of(reader.preamble(), "tailcap.redacted.policy").value_or("unknown")) +
                        (added_later(*level, marker) ? "; NOT STRICT any more: a note was added afterwards" : ""))
                           .c_str()
                     : "NOT REDACTED, or not a whole capture");
    if (!ok) return kNoAnswer;
  }
  return total.ok ? exit_code(summary, "check", 0, Told::yes) : kIncomplete;
}

}  // namespace tailcap::cli::check_command

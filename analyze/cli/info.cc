// tailcap info: what was recorded, how, what was lost, and what recording has cost.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/sections/quality.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/views/file/capture_facts.h"
#include "analyze/views/file/go_use.h"

namespace tailcap::cli {
namespace {

using formats::Duration;
using formats::Redaction;
using report::bytes_text;
using report::count_text;
using report::duration_text;
using report::printable;

constexpr const char* kNotes =
    R"(examples:
  tailcap info slow.tcap
  tailcap info slow.tcap --json | jq .lost
  tailcap info slow.tcap --goroutines
)";

constexpr Definition kGoroutines{"goroutines", 0, nullptr,
                                 "instead: how many requests each goroutine of a Go server served, and which way of "
                                 "sharing them out follows from that. Needs the requests, so it takes as long as a "
                                 "report",
                                 0};

void heading(const char* text) { std::printf("\n%s\n", text); }
void line(const std::string& label, const std::string& text) {
  std::printf("  %-14s %s\n", label.c_str(), text.c_str());
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : between) + printable(part);
  return all;
}

std::string or_unknown(const std::string& text) { return text.empty() ? "unknown" : printable(text); }

void print_file(const views::CaptureFacts& facts) {
  const auto& s = facts.summary;
  line("state", std::string(report::text_of(s.state)));
  if (facts.summary.events > 0) {
    char ratio[64];
    std::snprintf(ratio, sizeof ratio, ", %.1f bytes per event", facts.bytes_per_event());
    line("size", bytes_text(s.file_bytes) + ratio);
  } else {
    line("size", bytes_text(s.file_bytes));
  }
  line("blocks", count_text(s.blocks));
  if (facts.damage > 0)
    line("DAMAGED", count_text(facts.damage, "stretch", "stretches") + " of " + bytes_text(facts.damaged_bytes) +
                        "; `tailcap check` lists them");
  if (s.unknown_blocks > 0)
    line("unknown", count_text(s.unknown_blocks, "block", "blocks") + " of a later version, skipped");
}

void print_recording(const views::CaptureFacts& facts) {
  const auto& p = facts.preamble;
  heading("Recorded");
  if (p.capture_id.empty()) {
    line("by", "unknown: the capture's first block is damaged");
  } else {
    line("when", report::utc_text(p.started_realtime));
    line("for", duration_text(facts.duration()));
    line("on", or_unknown(p.host) + ", Linux " + or_unknown(p.kernel) + ", " + or_unknown(p.architecture) + ", " +
                   count_text(p.cpus, "CPU", "CPUs"));
    line("by", "tailcap " + or_unknown(p.tool_version) + ", capture " + printable(p.capture_id));
    line("command", or_unknown(joined(p.command_line, " ")));
    line("targets", or_unknown(joined(p.targets, ", ")));
    line("hooks",
         std::string(report::text_of(p.tier)) + (p.tier_reason.empty() ? "" : ": " + printable(p.tier_reason)));
    line("payload",
         p.payload_limit == 0 ? "none" : count_text(p.payload_limit) + " bytes of what follows a message start");
    line("headers", p.redaction == Redaction::masked_headers ? "values of credentials masked"
                    : p.redaction == Redaction::allow_list
                        ? "values masked but for those on a list; no bodies"
                        : "!!! NOT MASKED: passwords, tokens and cookies are in this file. Do not pass it on.");
    if (p.redaction == Redaction::payload_raw)
      line("RAW", "!!! bodies and other protocols were kept as well (--payload-raw)");
  }
  if (facts.plaintext > 0)
    line("DECRYPTED", "holds decrypted TLS traffic: the plaintext of " + count_text(facts.plaintext, "call", "calls"));
  for (const auto& [key, value] : p.notes) line("note", printable(key) + " = " + printable(value));
}

// What only the requests tell, and how far they can be trusted. Events, hooks, masking and cost are said elsewhere.
void print_requests(const std::string& file, const views::CaptureFacts& facts) {
  constexpr std::string_view kSaid[] = {"requests", "connections", "sampled", "budget",  "TLS",
                                        "clock",    "processes",   "DEFECT",  "caution", "note"};
  constexpr std::string_view kCounted[] = {"requests", "connections"};
  heading("Requests");
  model::Study study;
  std::size_t pairs = 0;
  if (facts.skimmed) {
    line("requests", "not counted, nor are connections, TLS sessions and processes: the capture has more than " +
                         count_text(pipeline::kLittle, "event", "events") + "; `tailcap report` counts them");
    study.quality = facts.quality;
  } else {
    pipeline::Options options;
    options.study = false;
    pipeline::Analysis analysis = pipeline::analyze(file, options);
    pairs = report::connection_pairs(analysis.table);
    study = std::move(analysis.study);
  }
  for (const auto& said : report::quality_lines(study, pairs)) {
    if (std::ranges::find(kSaid, said.label) == std::end(kSaid)) continue;
    if (!facts.skimmed || std::ranges::find(kCounted, said.label) == std::end(kCounted)) line(said.label, said.text);
  }
}

void print_events(const views::CaptureFacts& facts) {
  heading("Events");
  for (const auto& [kind, count] : facts.by_kind) {
    std::printf("  %-14s %14s\n", std::string(kind).c_str(), count_text(count).c_str());
  }
  if (facts.unknown_events() > 0)
    std::printf("  %-14s %14s  of a later version, skipped\n", "unknown", count_text(facts.unknown_events()).c_str());
  std::printf("  %-14s %14s\n", "all", count_text(facts.summary.events).c_str());
  heading("Lost");
  if (facts.lost_by_cause.empty()) std::puts("  nothing");
  for (const auto& [cause, count] : facts.lost_by_cause) {
    std::printf("  %-14s %14s  %s\n", std::string(cause.name).c_str(), count_text(count).c_str(), cause.text);
  }
}

void print_probes(const views::CaptureFacts& facts) {
  if (facts.probes.empty()) return;
  heading("Where functions were watched");
  for (const auto& text : facts.probes.lines()) std::printf("  %s\n", text.c_str());
}

void print_go(const views::CaptureFacts& facts) {
  if (facts.go.empty()) return;
  heading("Go programs");
  for (const auto& text : facts.go.lines()) std::printf("  %s\n", text.c_str());
}

void print_cost(const views::CaptureFacts& facts) {
  heading("What recording cost");
  if (facts.recorder) {
    const Duration before = facts.recorder_before.value_or(Duration{}), meanwhile = facts.recorder->cpu - before;
    std::string text = duration_text(meanwhile) + " of CPU";
    if (facts.duration().count() > 0)
      text +=
          ", " +
          report::share_text(static_cast<double>(meanwhile.count()), static_cast<double>(facts.duration().count())) +
          " of one";
    if (before.count() > 0) text += ", and " + duration_text(before) + " before it began";
    line("recorder", text + "; " + bytes_text(facts.recorder->resident) + " of memory");
  } else {
    line("recorder", "unknown");
  }
  std::size_t idle = 0;
  for (const auto& [name, cost] : facts.programs) {
    if (cost.runs == 0) {
      ++idle;
      continue;
    }
    std::string text = count_text(cost.runs, "run", "runs");
    if (cost.time.count() > 0 && cost.runs > 0) {
      text += ", " + duration_text(cost.time) + ", " +
              duration_text(Duration{cost.time.count() /
                                     static_cast<std::int64_t>(std::min<std::uint64_t>(cost.runs, INT64_MAX))}) +
              " each";
    }
    line(printable(name), text);
  }
  if (idle > 0) line("idle", count_text(idle, "program that never ran", "programs that never ran"));
  if (facts.programs.empty() && !facts.preamble.programs.empty())
    line("programs", joined(facts.preamble.programs, ", "));
}

}  // namespace

int run_info(int argc, char** argv) {
  bool goroutines = false;
  std::string file, format;
  CommandLine line(
      "info",
      "tailcap info says what is in a capture: what was recorded where and how, what was lost, and what recording "
      "cost.");
  line.word("FILE", file, "no file given");
  line.format(format, {"text", "json"}, nullptr);
  line.option(kGoroutines, &goroutines);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  const bool as_json = format == "json";
  if (goroutines) {
    pipeline::Options options;
    options.study = false;
    const pipeline::Analysis analysis = pipeline::analyze(file, options);
    std::puts(
        (as_json ? views::go_use_json(analysis.study) : printable(file) + "\n\n" + views::go_use_text(analysis.study))
            .c_str());
    return exit_code(analysis, "info");
  }
  const views::CaptureFacts facts = views::read_facts(file, pipeline::kLittle);
  if (as_json) {
    std::puts(views::to_json(facts).c_str());
    return exit_code(facts.summary, "info", 0, Told::yes);
  }
  std::printf("%s\n", printable(file).c_str());
  print_file(facts);
  print_recording(facts);
  print_requests(file, facts);
  print_events(facts);
  print_go(facts);
  print_probes(facts);
  print_cost(facts);
  return exit_code(facts.summary, "info", 0, Told::yes);
}

}  // namespace tailcap::cli

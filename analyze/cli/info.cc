// tailcap info: what was recorded, how, what was lost, and what recording has cost.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/model/study/unread.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/replay.h"
#include "analyze/report/sections/quality.h"
#include "analyze/report/sections/quality_line.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/views/file/capture_facts.h"
#include "analyze/views/file/go_use.h"
#include "analyze/views/file/interfaces.h"

namespace tailcap::cli::info_command {
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
  tailcap info slow.tcap --interfaces --json | jq '.interfaces[] | .name, .mtu'
)";

constexpr Definition kGoroutines{"goroutines", 0, nullptr,
                                 "print how many requests each goroutine of a Go server served, and how the server "
                                 "shares requests out among them. Reads all requests, so it takes as long as a report",
                                 0};

constexpr Definition kInterfaces{
    "interfaces", 0, nullptr,
    "print the network interfaces of the recorder and of the recorded processes, and how they changed", 0};

// What is printed, at once: it may be longer than a screen.
class Lines {
 public:
  void add(const std::string& text) { out_ += text + "\n"; }
  void heading(const char* text) { add("\n" + std::string(text)); }
  void line(std::string label, const std::string& text) {
    label.resize(std::max<std::size_t>(label.size(), 14), ' ');
    add("  " + label + " " + text);
  }
  // "  send                    1,066  text"
  void count(std::string label, std::uint64_t n, const std::string& text = {}) {
    std::string number = count_text(n);
    number.insert(0, number.size() < 14 ? 14 - number.size() : 0, ' ');
    line(std::move(label), number + (text.empty() ? "" : "  " + text));
  }
  const std::string& text() const { return out_; }

 private:
  std::string out_;
};

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : between) + printable(part);
  return all;
}

std::string or_unknown(const std::string& text) { return text.empty() ? "unknown" : printable(text); }

// Notes that only --json has: names of disks, and what identifies the kernel programs.
constexpr std::string_view kForPrograms[] = {"tailcap.device.", "tailcap.object.", "tailcap.program."};

void print_file(Lines& out, const views::CaptureFacts& facts) {
  const auto& s = facts.summary;
  out.line("state", std::string(report::text_of(s.state)));
  if (facts.summary.events > 0) {
    char ratio[64];
    std::snprintf(ratio, sizeof ratio, ", %.1f bytes per event", facts.bytes_per_event());
    out.line("size", bytes_text(s.file_bytes) + ratio);
  } else {
    out.line("size", bytes_text(s.file_bytes));
  }
  out.line("blocks", count_text(s.blocks));
  if (facts.damage > 0)
    out.line("DAMAGED", count_text(facts.damage, "stretch", "stretches") + " of " + bytes_text(facts.damaged_bytes) +
                            "; `tailcap check` lists them");
  if (s.unknown_blocks > 0)
    out.line("unknown", count_text(s.unknown_blocks, "block", "blocks") + " of a later version, skipped");
}

void print_recording(Lines& out, const views::CaptureFacts& facts) {
  const auto& p = facts.preamble;
  out.heading("Recorded");
  if (p.capture_id.empty()) {
    out.line("by", "unknown: the capture's first block is damaged");
  } else {
    out.line("when", report::utc_text(p.started_realtime));
    out.line("for", duration_text(facts.duration()));
    out.line("on", or_unknown(p.host) + ", Linux " + or_unknown(p.kernel) + ", " + or_unknown(p.architecture) + ", " +
                       count_text(p.cpus, "CPU", "CPUs"));
    out.line("by", "tailcap " + or_unknown(p.tool_version) + ", capture " + printable(p.capture_id));
    out.line("command", or_unknown(joined(p.command_line, " ")));
    out.line("targets", or_unknown(joined(p.targets, ", ")));
    out.line("hooks",
             std::string(report::text_of(p.tier)) + (p.tier_reason.empty() ? "" : ": " + printable(p.tier_reason)));
    out.line("payload",
             p.payload_limit == 0 ? "none" : count_text(p.payload_limit) + " bytes of what follows a message start");
    out.line("headers", p.redaction == Redaction::masked_headers ? "values of credentials masked"
                        : p.redaction == Redaction::allow_list
                            ? "values masked but for those on a list; no bodies"
                            : "!!! NOT MASKED: passwords, tokens and cookies are in this file. Do not pass it on.");
    if (p.redaction == Redaction::payload_raw)
      out.line("RAW", "!!! bodies and other protocols were kept as well (--payload-raw)");
  }
  if (facts.plaintext > 0)
    out.line("DECRYPTED",
             "holds decrypted TLS traffic: the plaintext of " + count_text(facts.plaintext, "call", "calls"));
  for (const auto& [key, value] : p.notes)
    if (std::ranges::none_of(kForPrograms, [&](std::string_view begin) { return key.starts_with(begin); }))
      out.line("note", printable(key) + " = " + printable(value));
}

// What only the requests tell, and how far they can be trusted. Events, hooks, masking and cost are said elsewhere.
// False: some are known to be missing.
bool print_requests(Lines& out, const std::string& file, const views::CaptureFacts& facts) {
  constexpr std::string_view kSaid[] = {"requests", "connections", "sampled", "budget",  "TLS",
                                        "clock",    "processes",   "DEFECT",  "caution", "note"};
  constexpr std::string_view kCounted[] = {"requests", "connections"};
  out.heading("Requests");
  model::Study study;
  std::size_t pairs = 0;
  if (facts.skimmed) {
    out.line("requests", "not counted, nor are connections, TLS sessions and processes: the capture has more than " +
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
    if (!facts.skimmed || std::ranges::find(kCounted, said.label) == std::end(kCounted))
      out.line(std::string(said.label), said.text);
  }
  for (const auto& said : report::head_facts(study).lines)
    if (said.label == "not read") out.line(std::string(said.label), said.text);
  return model::all_read(study.quality);
}

void print_events(Lines& out, const views::CaptureFacts& facts) {
  out.heading("Events");
  for (const auto& [kind, count] : facts.by_kind) {
    out.count(std::string(kind), count);
  }
  if (facts.unknown_events() > 0) out.count("unknown", facts.unknown_events(), "of a later version, skipped");
  out.count("all", facts.summary.events);
  out.heading("Lost");
  if (facts.lost_by_cause.empty()) out.add("  nothing");
  for (const auto& [cause, count] : facts.lost_by_cause) {
    out.count(std::string(cause.name), count, cause.text);
  }
}

void print_probes(Lines& out, const views::CaptureFacts& facts) {
  if (facts.probes.empty()) return;
  out.heading("Where functions were watched");
  for (const auto& text : facts.probes.lines()) out.add("  " + text);
}

void print_go(Lines& out, const views::CaptureFacts& facts) {
  if (facts.go.empty()) return;
  out.heading("Go programs");
  for (const auto& text : facts.go.lines()) out.add("  " + text);
}

void print_cost(Lines& out, const views::CaptureFacts& facts) {
  out.heading("What recording cost");
  if (facts.recorder) {
    const Duration before = facts.recorder_before.value_or(Duration{}), meanwhile = facts.recorder->cpu - before;
    std::string text = duration_text(meanwhile) + " of CPU";
    if (facts.duration().count() > 0)
      text +=
          ", " +
          report::share_text(static_cast<double>(meanwhile.count()), static_cast<double>(facts.duration().count())) +
          " of one";
    if (before.count() > 0) text += ", and " + duration_text(before) + " before it began";
    out.line("recorder", text + "; " + bytes_text(facts.recorder->resident) + " of memory");
  } else {
    out.line("recorder", "unknown");
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
    out.line(printable(name), text);
  }
  if (idle > 0) out.line("idle", count_text(idle, "program that never ran", "programs that never ran"));
  if (facts.programs.empty() && !facts.preamble.programs.empty())
    out.line("programs", joined(facts.preamble.programs, ", "));
}

int print_interfaces(const std::string& file, bool as_json) {
  views::Interfaces interfaces;
  pipeline::Replay replay(file);
  bool damaged = false;
  replay.each([&](const formats::Event& event) {
    if (std::holds_alternative<formats::Damage>(event.body)) damaged = true;
    if (const auto* end = std::get_if<formats::CaptureEnd>(&event.body))
      damaged = damaged || end->state != formats::CaptureState::complete;
    interfaces.push(event);
  });
  std::fputs((as_json ? interfaces.json() : printable(file) + "\n\n" + interfaces.text()).c_str(), stdout);
  return exit_code(damaged, "info");
}

}  // namespace

int run(int argc, char** argv) {
  bool goroutines = false, interfaces = false, no_pager = false;
  std::string file, format;
  CommandLine line(
      "info",
      "tailcap info says what is in a capture: what was recorded where and how, what was lost, and what recording "
      "cost.");
  line.capture(file);
  line.format(format, {"text", "json"}, nullptr);
  line.option(kGoroutines, &goroutines);
  line.option(kInterfaces, &interfaces);
  line.option(option::kNoPager, &no_pager);
  line.schema(views::info_schema);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  const bool as_json = format == "json";
  if (goroutines && interfaces) throw UsageError("--goroutines and --interfaces are two questions: ask one");
  if (interfaces) return print_interfaces(file, as_json);
  if (goroutines) {
    pipeline::Options options;
    options.study = false;
    const pipeline::Analysis analysis = pipeline::analyze(file, options);
    std::fputs((as_json ? views::go_use_json(analysis.study)
                        : printable(file) + "\n\n" + views::go_use_text(analysis.study) + "\n")
                   .c_str(),
               stdout);
    return exit_code(analysis, "info");
  }
  const views::CaptureFacts facts = views::read_facts(file, pipeline::kLittle);
  if (as_json) {
    std::puts(views::to_json(facts).c_str());
    return exit_code(facts.summary, "info", 0, Told::yes);
  }
  Lines out;
  out.add(printable(file));
  print_file(out, facts);
  print_recording(out, facts);
  const bool all_read = print_requests(out, file, facts);
  print_events(out, facts);
  print_go(out, facts);
  print_probes(out, facts);
  print_cost(out, facts);
  print_paged(out.text(), !no_pager);
  const int code = exit_code(facts.summary, "info", 0, Told::yes);
  return code == kDone && !all_read ? kIncomplete : code;
}

}  // namespace tailcap::cli::info_command

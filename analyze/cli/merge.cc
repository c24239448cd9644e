// tailcap merge: one capture out of those of several machines.
#include "analyze/merge/merge.h"

#include <cmath>
#include <cstdio>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/render/document.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"

namespace tailcap::cli::merge_command {
namespace {

using formats::Duration;
using merge::MergeInput;
using merge::Placing;
using report::count_text;
using report::duration_text;
using report::printable;

constexpr const char* kAbout =
    "tailcap merge makes one capture out of several machines' captures, in which both ends of their connections are "
    "found. All other commands read OUT like any capture. Its clock is that of the first; processes of other machines "
    "are written 1234@2.";

constexpr Definition kWallClock{"wall-clock", 0, nullptr,
                                "trust the machines' wall clocks where no messages bound the difference of two clocks; "
                                "the difference then has no bounds",
                                0};

constexpr const char* kNotes =
    R"(How clocks are aligned: bytes that A sent cannot reach B before, and the other way round. Each message with both ends
recorded (same addresses, same TCP sequence numbers) so bounds how far B's clock is ahead, from one side; all of them
together bound offset and drift. Nothing is assumed of the network but that clocks drift less than 1000 ppm. Times
that are compared between machines are as exact as the bounds that are printed, and no better. Captures of one machine
and boot need none of this: what several of them recorded is taken from the one that has more of it.

Addresses that are translated on the way (NAT, a load balancer of the kernel) are not recognised. A program in
between, like a proxy, is a machine of its own, and merged by its own capture.

Exit code 3: done, but some of a capture was damaged, cut short or refused. 4: not written, because messages of both
directions are needed to align a clock, and one capture has none.

examples:
  tailcap merge web.tcap db.tcap -o both.tcap && tailcap topology both.tcap
  tailcap merge web-1.tcap web-2.tcap db.tcap -o all.tcap --json | jq '.sources[].error_ns'
)";

// How far a clock is ahead of the first one's, which is what people ask; inside it is what must be added to come back.
std::int64_t ahead(std::int64_t offset) { return -offset; }
long double fast(long double drift) { return 1 / (1 + drift) - 1; }

std::string ppm_text(long double drift) {
  char text[48];
  std::snprintf(text, sizeof text, "%+.2Lf ppm", drift * 1e6L);
  return text;
}

std::string drift_text(const merge::ClockEstimate& c) {
  if (c.contradiction > 0 || !c.drift_bounded) return "not determinable";
  char text[64];
  const long double half = std::max(std::fabs(c.drift_upper - c.drift), std::fabs(c.drift - c.drift_lower));
  std::snprintf(text, sizeof text, " ± %.2Lf", half * 1e6L);
  return ppm_text(fast(c.drift)) + text;
}

std::string signed_text(std::int64_t ns) { return (ns < 0 ? "-" : "+") + duration_text(Duration{ns < 0 ? -ns : ns}); }

bool laid(const MergeInput& s) { return s.placing == Placing::messages; }

std::string clock_text(const MergeInput& s, const std::vector<MergeInput>& all) {
  switch (s.placing) {
    case Placing::reference:
      return "the reference";
    case Placing::same_boot:
      return "the same as " + printable(all[s.against].path);
    case Placing::messages:
      return s.clock.contradiction > 0
                 ? "NO STRAIGHT LINE FITS, off by " + duration_text(Duration{s.clock.contradiction}) + " and more"
                 : "± " + duration_text(Duration{s.clock.error});
    case Placing::wall_clock:
      return "by the wall clock, no bounds";
    case Placing::undetermined:
      return "NOT DETERMINABLE";
  }
  return {};
}

constexpr std::size_t kWidth = 120;

void print_text(const merge::MergeResult& result, const merge::MergeOptions& options) {
  const auto& all = result.sources;
  using Kind = render::Column::Kind;
  render::Document out;
  render::Table table;
  table.columns = {{"machine"},
                   {"host", Kind::word},
                   {"capture", Kind::word},
                   {"clock", Kind::word},
                   {"wall clock", Kind::word},
                   {"drift", Kind::word},
                   {"messages to and from", Kind::word}};
  for (const MergeInput& s : all) {
    table.rows.push_back(
        {{std::to_string(s.machine + 1), s.preamble.host.empty() ? "unknown" : printable(s.preamble.host),
          printable(s.path), clock_text(s, all), laid(s) && s.has_wall_clock ? signed_text(s.wall_clock_ahead) : "–",
          laid(s) ? drift_text(s.clock) : "–", count_text(s.forth) + " / " + count_text(s.back)}});
  }
  out.add(std::move(table));
  std::fputs(render::to_text(out, kWidth).c_str(), stdout);
  std::puts("");
  for (const MergeInput& s : all) {
    std::string line = printable(s.path) + ": of " + count_text(s.connections, "connection", "connections") +
                       " with other machines " + count_text(s.joined) + " joined, " +
                       count_text(s.connections - std::min(s.joined, s.connections)) + " recorded at this end only";
    if (s.duplicates > 0)
      line +=
          "; " + count_text(s.duplicates, "event", "events") + " left out that another capture of the machine tells";
    if (s.refused > 0)
      line += "; " + count_text(s.refused, "event", "events") + " REFUSED: numbers that no kernel gives";
    std::printf("%s\n", line.c_str());
  }
  if (result.written)
    std::printf("\n%s: %s, %s\n", printable(options.out).c_str(), count_text(result.events, "event", "events").c_str(),
                report::bytes_text(result.file_bytes).c_str());
  else
    std::puts("\nNothing was written: --wall-clock believes the machines' wall clocks where messages do not tell.");
}

struct Merged {
  const merge::MergeResult& result;
  const merge::MergeOptions& options;
};

bool sound(const MergeInput& s) { return laid(s) && s.clock.contradiction == 0; }
bool undetermined(const MergeInput& s) { return s.placing == Placing::undetermined; }
std::optional<double> ppm(bool known, long double drift) {
  return report::when(known, static_cast<double>(std::round(fast(drift) * 1e10L) / 1e4L));
}
std::optional<std::string> against(const MergeInput& s, const Merged& all) {
  if (!laid(s) && s.placing != Placing::same_boot) return std::nullopt;
  return all.result.sources[s.against].path;
}

using report::when;
const report::Shape<MergeInput, Merged> kSource{
    "source",
    {
        {"path", &MergeInput::path},
        {"host", [](auto& s) { return report::OrNull{s.preamble.host}; }},
        {"capture_id", [](auto& s) { return report::OrNull{s.preamble.capture_id}; }},
        {"boot_id", [](auto& s) { return report::OrNull{s.preamble.boot_id}; }},
        {"machine", [](auto& s) { return s.machine + 1; }, "from 1: captures of one boot have one"},
        {"placed", report::one_of<Placing::undetermined>(&MergeInput::placing), "reference: the first"},
        {"against", against, "the capture with whose clock it was aligned"},
        {"clock_ahead_ns", [](auto& s) { return when(!undetermined(s), ahead(s.clock.offset)); },
         "how far CLOCK_MONOTONIC of the source is ahead of the reference's at clock_at_ns"},
        {"clock_ahead_from_ns",
         [](auto& s) { return when(sound(s) || (undetermined(s) && s.clock.back > 0), ahead(s.clock.upper)); },
         "it is between this and the next for certain; of an undetermined one the side that is known"},
        {"clock_ahead_to_ns",
         [](auto& s) { return when(sound(s) || (undetermined(s) && s.clock.forth > 0), ahead(s.clock.lower)); }},
        {"clock_at_ns", [](auto& s) { return when(laid(s), formats::nanoseconds(s.clock.at)); },
         "on the source's own clock: the middle of the source"},
        {"error_ns", [](auto& s) { return when(sound(s), s.clock.error); }, "no time of it is further off"},
        {"contradiction_ns", [](auto& s) { return when(laid(s), s.clock.contradiction); },
         "not 0: no straight line fits the messages, by this much, and there are no bounds"},
        {"drift_ppm", [](auto& s) { return ppm(laid(s), s.clock.drift); }, "positive: it runs fast"},
        {"drift_from_ppm", [](auto& s) { return ppm(sound(s), s.clock.drift_upper); }},
        {"drift_to_ppm", [](auto& s) { return ppm(sound(s), s.clock.drift_lower); }},
        {"drift_bounded", [](auto& s) { return sound(s) && s.clock.drift_bounded; },
         "false: the recording is too short, or messages too slow, to bound it"},
        {"wall_clock_ahead_ns", [](auto& s) { return when(s.has_wall_clock, s.wall_clock_ahead); },
         "of CLOCK_REALTIME"},
        {"messages_to", &MergeInput::forth, "joined: first bytes of sends that were seen at both ends"},
        {"messages_from", &MergeInput::back},
        {"connections", &MergeInput::connections, "with other machines"},
        {"connections_joined", &MergeInput::joined, "both ends of which are there"},
        {"events", &MergeInput::events, "written"},
        {"duplicates", &MergeInput::duplicates, "left out: another capture of the machine has them"},
        {"refused", &MergeInput::refused, "left out: their numbers are none that a kernel gives"},
    }};

const report::Refer kOut{[](auto& m) { return &m.options.out; }};
const report::Refer kSources{[](auto& m) { return &m.result.sources; }};

const report::Shape<Merged, Merged>& merge_shape() {
  static const report::Shape<Merged, Merged> shape{
      "merge",
      {
          {"schema", [](auto&) { return report::kJsonSchema; }, "", {.is = report::kJsonSchema}},
          {"written", [](auto& m) { return m.result.written; }, "false: nothing was, a clock has no place"},
          {"out", kOut},
          {"events", [](auto& m) { return m.result.events; }},
          {"file_bytes", [](auto& m) { return m.result.file_bytes; }},
          {"sources", kSource, kSources, "in the order of the arguments"},
      }};
  return shape;
}

std::string schema() { return report::json_schema(merge_shape(), "tailcap merge --json", "How captures became one."); }

bool harmed(const merge::MergeResult& result) {
  for (const MergeInput& s : result.sources)
    if (s.refused > 0 || s.file.lost > 0 || s.file.damaged_blocks > 0 ||
        s.file.state != formats::CaptureState::complete)
      return true;
  return false;
}

}  // namespace

int run(int argc, char** argv) {
  merge::MergeOptions options;
  std::string format;
  CommandLine line("merge", kAbout);
  line.words("A.tcap B.tcap [C.tcap...] -o OUT.tcap", options.inputs, 2, "two captures are needed at least");
  line.option(option::kOutput, &options.out, "write the new capture to OUT");
  line.option(option::kForce, &options.force);
  line.option(kWallClock, &options.wall_clock);
  line.format(format, {"text", "json"}, nullptr, "of what was done");
  line.schema(schema);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  const auto& inputs = options.inputs;
  if (inputs.size() > formats::kMaxMachines)
    return wrong_usage(argv[0], "at most " + std::to_string(formats::kMaxMachines) + " captures can be merged");
  if (options.out.empty()) return wrong_usage(argv[0], "no output given: -o OUT.tcap");
  options.tool_version = TAILCAP_VERSION;
  options.command_line = {"tailcap", "merge"};
  options.command_line.insert(options.command_line.end(), inputs.begin(), inputs.end());
  const merge::MergeResult result = merge::merge(options);
  if (format == "json")
    std::fputs(report::json_of(merge_shape(), {result, options}, Merged{result, options}).c_str(), stdout);
  else
    print_text(result, options);
  if (!result.written) return kNoAnswer;
  return exit_code(harmed(result), "merge");
}

}  // namespace tailcap::cli::merge_command

#include "analyze/report/sections/quality.h"

#include <algorithm>
#include <set>
#include <utility>

#include "analyze/model/study/unread.h"
#include "analyze/report/sections/quality_line.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/masking.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/sampling.h"
#include "analyze/report/words/words.h"
#include "formats/bounds/read_limits.h"
#include "formats/event.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using formats::CaptureState;
using model::Quality;
using model::Study;

constexpr std::size_t kSpansShown = 5;  // loss intervals listed one by one
constexpr std::size_t kProcessesShown = 6;
constexpr std::size_t kUnrecordedShown = 6, kWaysShown = 6;

FactLine recorded(const Study& study) {
  const Quality& q = study.quality;
  std::string text = duration_text(q.part_read() ? q.file.last - q.file.first : q.duration);
  const Time begin = formats::known(q.file.first) ? q.file.first : study.begin;
  if (formats::known(begin) && q.realtime_offset != 0)
    text += " from " + utc_text(formats::nanoseconds(begin) + q.realtime_offset);
  if (!q.preamble.host.empty()) text += " on " + printable(q.preamble.host);
  if (!q.preamble.kernel.empty()) text += ", kernel " + printable(q.preamble.kernel);
  if (q.preamble.cpus != 0) text += ", " + count_text(q.preamble.cpus, "CPU", "CPUs");
  if (!q.preamble.targets.empty()) {
    std::vector<std::string> targets;
    for (const auto& t : q.preamble.targets) targets.push_back(printable(t));
    text += "; target: " + ground::joined(targets, ", ");
  }
  return {Tone::plain, "recorded", text};
}

FactLine file(const Study& study) {
  const auto& f = study.quality.file;
  FactLine line{Tone::plain, "file", std::string(text_of(f.state)) + ", " + bytes_text(f.file_bytes)};
  if (f.state == CaptureState::truncated) line.tone = Tone::alarm;
  if (f.state == CaptureState::recovered || f.state == CaptureState::recording) line.tone = Tone::care;
  const auto& stops = formats::stopped_captures();
  for (const formats::Stopped& stop : stops) {
    line.tone = Tone::alarm;
    line.text += "; NOT READ TO ITS END: " + formats::text_of(stop.reason);
  }
  if ((f.state != CaptureState::complete || !stops.empty()) && formats::known(f.last))
    line.text += "; nothing after " + offset_text(f.last, study.begin);
  if (f.damaged_blocks != 0 || f.damaged_bytes != 0) {
    line.tone = Tone::alarm;
    line.text += "; " + count_text(f.damaged_blocks, "block", "blocks") + " damaged (" + bytes_text(f.damaged_bytes) +
                 "): what they held is missing, `tailcap check` lists them";
  }
  if (f.unknown_blocks != 0)
    line.text += "; " + count_text(f.unknown_blocks, "block", "blocks") + " of a kind this version does not know";
  return line;
}

FactLine events(const Study& study) {
  const Quality& q = study.quality;
  if (q.lost == 0 && q.losses.empty()) return {Tone::plain, "events", count_text(q.events) + ", none lost"};
  FactLine line{Tone::alarm, "events", count_text(q.events) + " kept, "};
  line.text += q.lost == 0 ? "an unknown number LOST"
                           : count_text(q.lost) + " LOST (" + share_text(q.lost, q.events + q.lost) + ")";
  for (std::size_t i = 0; i < q.losses.size() && i < kSpansShown; ++i) {
    const auto& span = q.losses[i];
    line.text += std::string(i == 0 ? ": " : "; ") + printable(span.what);
    if (span.count != 0) line.text += " " + count_text(span.count);
    line.text += " between " + offset_text(std::max(span.from, study.begin), study.begin) + " and " +
                 offset_text(span.to, study.begin);
  }
  if (q.losses.size() > kSpansShown)
    line.text += "; and " + count_text(q.losses.size() - kSpansShown) + " more intervals";
  return line;
}

FactLine requests(const Study& study) {
  const Quality& q = study.quality;
  std::vector<std::string> parts = {count_text(q.complete) + " complete"};
  parts.push_back(count_text(q.incomplete) + " incomplete");
  parts.push_back(count_text(q.unknown) + " of unknown outcome");
  FactLine line{Tone::plain, "requests", count_text(q.requests) + " seen: " + ground::joined(parts, ", ")};
  if (q.both_ends != 0)
    line.text += "; " + count_text(q.both_ends, "exchange", "exchanges") + " at both ends, which count twice here";
  if (q.tainted != 0) {
    line.tone = Tone::care;
    line.text += "; " + count_text(q.tainted) + " flagged (" + share_text(q.tainted, q.requests) +
                 "): something about them is missing or inferred";
  }
  if (q.retries != 0) {
    line.text += "; " + count_text(q.retries, "of them is a further attempt", "of them are further attempts") + " of " +
                 count_text(q.retried_calls, "call", "calls");
    if (q.retries_inferred != 0)
      line.text +=
          q.retries_inferred == q.retries ? " (inferred)" : " (" + count_text(q.retries_inferred) + " inferred)";
  }
  if (q.unseen != 0) {
    line.tone = Tone::care;
    line.text += "; up to " + count_text(q.unseen) + " more may be lost whole";
  }
  return line;
}

FactLine tls_sessions(const Study& study) {
  const model::TlsSessions& t = study.quality.tls;
  std::string text =
      count_text(t.sessions, "session", "sessions") + " read, " + bytes_text(t.bytes) + " of plaintext: ";
  text += count_text(t.nested + t.lengths) + " bound to their connection";
  if (t.lengths != 0)
    text +=
        t.nested == 0 ? " (by the lengths of records)" : " (" + count_text(t.lengths) + " by the lengths of records)";
  if (t.unbound != 0)
    text += ", " + count_text(t.unbound) +
            (study.quality.sampling.some()
                 ? " unbound: of connections that are left out, or not known; their requests are left out, too"
                 : " unbound: their addresses, and when their requests arrived, are not known");
  return {t.unbound != 0 ? Tone::care : Tone::plain, "TLS", text};
}

// pairs: of connections, the two ends of one that was recorded at both.
FactLine connection_line(const Study& study, std::size_t pairs) {
  const Quality& q = study.quality;
  const std::uint64_t twice = std::min<std::uint64_t>(pairs, q.connections_http);
  std::string text =
      count_text(q.connections - twice) + ": " + count_text(q.connections_http - twice) + " with requests";
  if (twice != 0)
    text += twice == q.connections_http - twice ? " (both ends)" : " (" + count_text(twice) + " of them at both ends)";
  if (q.connections_encrypted != 0)
    text += ", " + count_text(q.connections_encrypted) + " encrypted (TLS, requests unknown)";
  if (q.connections_other != 0) text += ", " + count_text(q.connections_other) + " with something else";
  if (q.failed_connections != 0) text += ", " + count_text(q.failed_connections) + " failed";
  text += "; " + (q.retransmits == 0 ? std::string("no segment retransmitted")
                                     : count_text(q.retransmits, "segment", "segments") + " retransmitted");
  return {q.failed_connections != 0 ? Tone::care : Tone::plain, "connections", text};
}

// Packets that did not reach the recorded sockets.
void add_drops(const Study& study, std::vector<FactLine>& lines) {
  constexpr std::size_t kDestinationsShown = 3;
  const auto& drops = study.quality.drops;
  if (drops.empty()) return;
  std::string text;
  for (std::size_t i = 0; i < std::min(kDestinationsShown, drops.size()); ++i)
    text += (i == 0 ? "" : ", ") + count_text(drops[i].count) + " to " + printable(drops[i].to) + " because of " +
            printable(drops[i].reason);
  if (drops.size() > kDestinationsShown) text += ", and others (tailcap diag)";
  lines.push_back({Tone::care, "packets", "dropped by the kernel: " + text});
}

// Notes of the recorder itself (formats/FORMAT.md).
constexpr std::string_view kOwn = "tailcap.", kRefused = "tailcap.refused", kTlsWay = "tailcap.tls.way";

void add_notes(const Study& study, std::vector<FactLine>& lines) {
  std::size_t more = 0, shown = 0, ways = 0;
  for (const auto& [key, value] : study.quality.preamble.notes) {
    if (key.starts_with(model::kUnrecorded)) {
      if (shown++ < kUnrecordedShown)
        lines.push_back({model::leaves_requests_out(key) ? Tone::alarm : Tone::plain, "not recorded",
                         printable(value) + ". Requests in it are not seen"});
      else
        ++more;
    } else if (key == kTlsWay) {
      if (ways++ < kWaysShown) lines.push_back({Tone::plain, "TLS", "read of " + printable(value)});
    } else if (key == kRefused) {
      lines.push_back({Tone::care, "not recorded", printable(value)});
    } else if (!key.starts_with(kOwn)) {
      lines.push_back({Tone::plain, "note", printable(key) + " = " + printable(value)});
    }
  }
  if (more) lines.push_back({Tone::alarm, "not recorded", count_text(more) + " more processes and kinds of traffic"});
}

FactLine clock(const Study& study) {
  const Quality& q = study.quality;
  FactLine line{Tone::plain, "clock", ""};
  if (q.realtime_offset == 0)
    line.text = "no wall clock in the recording: only times since its start";
  else if (q.clock_error.count() > 0)
    line.text = "host UTC, ±" + duration_text(q.clock_error);
  else
    line.text = "host UTC; precision not recorded";
  if (q.clock_stepped) {
    line.tone = Tone::care;
    line.text += "; it WAS SET while recording: times of day are uncertain, durations are not";
  }
  return line;
}

FactLine hooks(const Study& study) {
  const auto& p = study.quality.preamble;
  std::string text{text_of(p.tier)};
  if (!p.tier_reason.empty()) text += " (" + printable(p.tier_reason) + ")";
  if (p.payload_limit != 0)
    text += "; at most " + count_text(p.payload_limit, "byte", "bytes") + " kept of each message head";
  return {p.tier == formats::HookTier::a ? Tone::plain : Tone::care, "hooks", text};
}

FactLine recorder(const Study& study) {
  const Quality& q = study.quality;
  if (!q.recorder_known) return {Tone::care, "overhead", "not recorded"};
  FactLine line{Tone::plain, "overhead", "recorder " + duration_text(q.recorder_cpu) + " of CPU"};
  if (q.duration.count() > 0) {
    const double share = static_cast<double>(q.recorder_cpu.count()) / static_cast<double>(q.duration.count());
    line.text += " (" + share_text(share, 1.0) + " of one CPU)";
    if (share > 0.05 && q.preamble.cpus != 0 && q.preamble.cpus <= 2) line.tone = Tone::care;
  }
  line.text += ", " + bytes_text(q.recorder_resident) + " of memory";
  if (q.program_runs != 0) {
    line.text += "; its kernel programs ran " + count_text(q.program_runs, "time", "times");
    line.text += q.program_time.count() > 0
                     ? ", " + duration_text(q.program_time) + " in all, " +
                           duration_text(Duration{q.program_time.count() / static_cast<std::int64_t>(q.program_runs)}) +
                           " each"
                     : ", their time was not measured (kernel.bpf_stats_enabled is 0)";
  }
  return line;
}

void add_processes(const Study& study, std::vector<FactLine>& lines) {
  const auto& processes = study.quality.processes;
  if (processes.empty()) return;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < processes.size() && i < kProcessesShown; ++i)
    parts.push_back((processes[i].comm.empty() ? "?" : printable(processes[i].comm)) + " " +
                    pid_text(processes[i].pid) + " (" + count_text(processes[i].requests, "request", "requests") +
                    (processes[i].recorded ? ")" : ", not recorded)"));
  if (processes.size() > kProcessesShown) parts.push_back(count_text(processes.size() - kProcessesShown) + " more");
  lines.push_back({Tone::plain, "processes", ground::joined(parts, ", ")});
}

std::string finding_text(model::Finding finding, const Quality& q) {
  if (formats::known(q.read_from)) {
    if (finding == model::Finding::connection_began_before)
      return "connections that were open when the part that was read began";
    if (finding == model::Finding::response_without_request)
      return "responses whose request is before the part that was read, or was not recorded";
  }
  return std::string(model::text_of(finding).text);
}

void add_findings(const Study& study, std::vector<FactLine>& lines) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(model::Finding::count_); ++i) {
    const auto finding = static_cast<model::Finding>(i);
    const std::uint64_t n = study.quality.findings[finding];
    if (n == 0) continue;
    const auto& text = model::text_of(finding);
    const bool defect = text.severity == model::Severity::defect, caution = text.severity == model::Severity::caution;
    lines.push_back({defect    ? Tone::alarm
                     : caution ? Tone::care
                               : Tone::plain,
                     defect    ? "DEFECT"
                     : caution ? "caution"
                               : "note",
                     count_text(n) + " × " + finding_text(finding, study.quality)});
  }
}

}  // namespace

std::size_t connection_pairs(const model::RequestTable& table) {
  std::set<std::pair<model::ConnectionId, model::ConnectionId>> pairs;
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    if (const model::ConnectionId own = table.rows.id(i).connection, other = table.rows.peer(i).connection; other != 0)
      pairs.insert(std::minmax(own, other));
  return pairs.size();
}

std::vector<FactLine> quality_lines(const Study& study, std::size_t pairs) {
  std::vector<FactLine> lines;
  const std::vector<FactLine> masking = masking_lines(study.quality);
  if (unsafe(study.quality)) lines = masking;
  lines.insert(lines.end(),
               {recorded(study), file(study), events(study), requests(study), connection_line(study, pairs)});
  add_drops(study, lines);
  if (study.quality.part_read())
    lines.push_back(
        {Tone::plain, "read",
         part_read_text(study.quality) +
             ", as far as the requests need it. Connections, processes and Go programs are those of this part"});
  if (study.quality.sampling.some()) lines.push_back({Tone::care, "sampled", sampling_line(study.quality)});
  if (study.quality.budget.ppm) lines.push_back({Tone::plain, "budget", budget_line(study.quality.budget)});
  if (study.quality.tls.sessions != 0) lines.push_back(tls_sessions(study));
  lines.insert(lines.end(), {clock(study), hooks(study), recorder(study)});
  if (!unsafe(study.quality)) lines.insert(lines.end(), masking.begin(), masking.end());
  add_processes(study, lines);
  add_notes(study, lines);
  add_findings(study, lines);
  return lines;
}

}  // namespace tailcap::report

#include "analyze/report/sections/changes.h"

#include <algorithm>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "formats/machine.h"

namespace tailcap::report {
namespace {

using model::Change;
using model::ChangeKind;
using model::RouteShift;
using model::Shift;
using model::ShiftVerdict;

constexpr std::size_t kShifts = 12, kChanges = 20;  // the most that are said; --json has them all
constexpr std::size_t kChangeName = 80, kBuild = 16;

// "deploy=v3", "a new build of shop", "a new start of shop".
std::string change_name(const Change& c) {
  if (c.kind == ChangeKind::note)
    return shortened(printable(c.key), kChangeName) + "=" + shortened(printable(c.value), kChangeName);
  return (c.kind == ChangeKind::build ? "a new build of " : "a new start of ") +
         (c.comm.empty() ? "the program" : printable(c.comm));
}

std::string build_text(const std::string& build) {
  return printable(build.substr(0, kBuild)) + (build.size() > kBuild ? "…" : "");
}

std::string change_details(const Change& c) {
  if (c.kind == ChangeKind::note) return {};
  std::string out = " (process " + pid_text(c.pid) + " at " + shortened(printable(c.address), kChangeName);
  if (c.kind == ChangeKind::build)
    out += ", build " + build_text(c.build_before) + " → " + build_text(c.build_after);
  else
    out += !c.build_after.empty() && c.build_before == c.build_after ? ", the same build " + build_text(c.build_after)
                                                                     : ", whether it is the same build is not known";
  return out + ")";
}

std::string time_text(const model::Study& study, formats::Time at) {
  const std::string offset = offset_text(at, study.begin);
  if (!study.quality.clock.known()) return offset;
  constexpr std::size_t kDate = 11;  // "2026-03-01 "
  return utc_text(study.quality.clock.realtime(at), 0).substr(kDate) + ", " + offset;
}

// "+8.20 ms (7.90–8.60), 10.1 → 18.3 ms"
std::string shift_text(const Shift& s) {
  const Duration d = s.difference(), size{std::abs(d.count())};
  const auto bound = [&](Duration x) {
    return (x.count() < 0 ? "−" : "") + duration_in_unit_of(Duration{std::abs(x.count())}, size);
  };
  const std::string after = duration_text(s.after);
  return (d.count() < 0 ? "−" : "+") + duration_text(size) + " (" + bound(s.low) + (s.low.count() < 0 ? " to " : "–") +
         bound(s.high) + "), " + duration_in_unit_of(s.before, s.after) + " → " + after;
}

// What is said of a change that nothing shifted at.
std::string outcome_of(const model::ChangeStudy& study, std::uint32_t change) {
  const RouteShift* most = nullptr;
  bool compared = false;
  for (const RouteShift& s : study.shifts) {
    if (s.change != change) continue;
    if (s.shifted()) return "; see above";
    compared = compared || s.median.interval;
    if (!most || s.before + s.after > most->before + most->after) most = &s;
  }
  if (!most) return "; not compared";
  const std::string why = most->median.reason.empty() ? "" : ", most requests: " + most->median.reason;
  return compared ? "; no route became slower or faster by more than chance and drift"
                  : "; too little to compare" + why;
}

}  // namespace

std::vector<std::string> shift_sentences(const model::Study& study) {
  std::vector<std::string> out;
  for (const RouteShift& s : study.changes.shifts) {
    if (!s.shifted() || out.size() >= kShifts) continue;
    const Change& change = study.changes.changes[s.change];
    std::string text = "After " + change_name(change) + " (" + time_text(study, change.at) + ") " +
                       shortened(route_title(study.routes[s.route]), kChangeName) +
                       (study.routes[s.route].role == model::Role::client ? " (client end)" : "") + ": ";
    if (s.median.verdict == ShiftVerdict::shifted) text += "median " + shift_text(s.median);
    if (s.p99.verdict == ShiftVerdict::shifted)
      text += (s.median.verdict == ShiftVerdict::shifted ? "; p99 " : "p99 ") + shift_text(s.p99);
    out.push_back(text + "; " + count_text(s.before) + " requests before, " + count_text(s.after) + " after.");
  }
  return out;
}

std::vector<std::string> status_sentences(const model::Study& study) {
  std::vector<std::string> out;
  const auto& all = study.changes.status_shifts;
  for (std::size_t i = 0; i < std::min(all.size(), kShifts); ++i) {
    const model::StatusShift& s = all[i];
    const std::string what =
        s.status_class == 0 ? "gave no answer to " : "answered " + std::to_string(s.status_class) + "xx to ";
    out.push_back("From " + time_text(study, s.from) + " " +
                  shortened(route_title(study.routes[s.route]), kChangeName) + " " + what +
                  share_text(s.after, s.after_of) + " of " + count_text(s.after_of, "request", "requests") +
                  "; before to " + share_text(s.before, s.before_of) + " of " + count_text(s.before_of) + ".");
  }
  const std::uint64_t more = all.size() + study.changes.status_shifts_left_out - out.size();
  if (more > 0)
    out.push_back(count_text(more, "other change", "other changes") + " of status codes; --json has " +
                  (study.changes.status_shifts_left_out == 0 ? "them" : "the first") + ".");
  return out;
}

std::vector<std::string> change_lines(const model::Study& study) {
  const model::ChangeStudy& changes = study.changes;
  std::vector<std::string> out = shift_sentences(study);
  const bool shifted = !out.empty();
  for (std::string& sentence : status_sentences(study)) out.push_back(std::move(sentence));
  if (changes.changes.empty()) return out;
  const std::size_t first = changes.changes.size() - std::min(changes.changes.size(), kChanges);
  for (std::size_t i = first; i < changes.changes.size(); ++i) {
    const Change& c = changes.changes[i];
    out.push_back(time_text(study, c.at) + ": " + change_name(c) + change_details(c) +
                  outcome_of(changes, static_cast<std::uint32_t>(i)) + ".");
  }
  if (const std::uint64_t more = changes.left_out + first; more > 0)
    out.push_back(count_text(more) + " earlier not shown.");
  if (!changes.shifts.empty())
    out.push_back(
        "Compared at the last " + std::to_string(model::ChangeStudy::kCompared) +
        ": each route's requests that began up to the change before and up to the one after." +
        (shifted
             ? " In parentheses 95 % intervals within this recording. What came with a change need not come from it."
             : ""));
  return out;
}

}  // namespace tailcap::report

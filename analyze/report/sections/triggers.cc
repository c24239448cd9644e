#include "analyze/report/sections/triggers.h"

#include <algorithm>
#include <cstdio>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "formats/machine.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using model::Trigger;

constexpr std::size_t kTriggersShown = 10, kIds = 4, kTriggerName = 80, kFrames = 6;

// "leaf < caller < …" of "outermost;…;leaf".
std::string inside_out(const std::string& stack) {
  std::string out;
  std::size_t end = stack.size(), shown = 0;
  while (shown++ < kFrames) {
    const auto begin = end == 0 ? std::string::npos : stack.rfind(';', end - 1);
    const std::size_t from = begin == std::string::npos ? 0 : begin + 1;
    out += (out.empty() ? "" : " < ") + printable(stack.substr(from, end - from));
    if (begin == std::string::npos) return out;
    end = begin;
  }
  return out + " < …";
}

std::string process_of(const model::Study& study, std::uint32_t pid) {
  for (const auto& g : study.go)
    if (g.pid == pid && !g.comm.empty()) return printable(g.comm) + " (process " + pid_text(pid) + ")";
  return "process " + pid_text(pid);
}

std::string trigger_line(const model::Study& study, const Trigger& t) {
  const auto& s = t.latency;
  const Duration more = s.difference();
  std::string out =
      "From " + offset_text(t.from, study.begin) + " for " + duration_text(t.to - t.from) + ": p" +
      (t.quantile > 0.97 ? "99" : "95") + " of " + shortened(route_title(study.routes[t.route]), kTriggerName) + " " +
      duration_text(s.after) + " against " + duration_text(s.before) + " otherwise (+" + duration_text(more) + ", " +
      duration_in_unit_of(s.low, more) + "–" + duration_in_unit_of(s.high, more) + "; " + count_text(t.inside) +
      " requests against " + count_text(t.outside) + "), while " + process_of(study, t.pid) + " used " +
      ground::percent_text(t.busy) + (t.processors ? " of GOMAXPROCS." : " of its CPUs.");
  if (t.labelled)
    out += " Hypothesis: " + std::string(model::text_of(t.label)) + ", " + duration_text(Duration{t.label_time}) +
           " of a slow one there against " + duration_text(Duration{t.label_typical}) + " otherwise.";
  if (!t.stack.empty() && t.waiting)
    out += " Most of their waiting (" + duration_text(Duration{static_cast<std::int64_t>(t.of_stack)}) + " of " +
           duration_text(Duration{static_cast<std::int64_t>(t.samples)}) + "): " + inside_out(t.stack) + ".";
  else if (!t.stack.empty())
    out += " Most often seen in them (" + count_text(t.of_stack) + " of " + count_text(t.samples, "sample", "samples") +
           "): " + inside_out(t.stack) + ".";
  if (!t.requests.empty()) {
    out += " E.g. ";
    for (std::size_t i = 0; i < std::min(t.requests.size(), kIds); ++i)
      out += (i == 0 ? "" : ", ") + id_text(t.requests[i]);
    out += ".";
  }
  return out;
}

}  // namespace

std::vector<std::string> trigger_lines(const model::Study& study) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(study.triggers.size(), kTriggersShown); ++i)
    out.push_back(trigger_line(study, study.triggers[i]));
  if (study.triggers.size() > kTriggersShown)
    out.push_back("And " + count_text(study.triggers.size() - kTriggersShown) + " more; --json has them all.");
  return out;
}

}  // namespace tailcap::report

#include "analyze/report/sections/incident_grid.h"

#include <algorithm>
#include <array>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "formats/machine.h"

namespace tailcap::report {
namespace {

using formats::known;
using model::Incident;
using model::IncidentKind;

constexpr std::size_t kIncidentsShown = 20, kIdsShown = 8, kFramesShown = 8;

// x86-64's, as in signal(7).
std::string signal_text(int n) {
  static constexpr std::array<const char*, 32> kNames = {
      "",          "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
      "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
      "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
      "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};
  return n > 0 && static_cast<std::size_t>(n) < kNames.size() ? kNames[static_cast<std::size_t>(n)]
                                                              : "signal " + std::to_string(n);
}

std::string what_of(const Incident& i) {
  if (i.kind == IncidentKind::panicked) return count_text(i.panics, "panic", "panics") + ", recovered";
  std::string text = i.thrown ? "Go's runtime gave up: " : i.panic ? "panic: " : "";
  text += i.signal != 0 ? "killed by " + signal_text(i.signal) : "exit code " + std::to_string(i.exit_code);
  if (i.out_of_memory) text += ", out of memory";
  return text + (i.core_dumped ? ", core dumped" : "");
}

std::string incident_name(const Incident& i) {
  return (i.comm.empty() ? "process" : printable(i.comm)) + " " + pid_text(i.pid);
}

// "main.collapse < main.fatal.func1 < runtime.goexit": the innermost first.
std::string stack_text(const std::string& stack) {
  std::string out;
  std::size_t shown = 0;
  for (std::size_t end = stack.size(); shown < kFramesShown; ++shown) {
    const auto begin = end == 0 ? std::string::npos : stack.rfind(';', end - 1);
    out += (out.empty() ? "" : " < ") + printable(stack.substr(begin == std::string::npos ? 0 : begin + 1,
                                                               begin == std::string::npos ? end : end - begin - 1));
    if (begin == std::string::npos) return out;
    end = begin;
  }
  return out + " < …";
}

// As workers come and go.
bool is_quiet(const Incident& i) {
  return i.kind == IncidentKind::ended && i.exit_code == 0 && i.under_way == 0 && !i.panic && !i.out_of_memory;
}

std::string gap_text(const Incident& i) {
  if (!known(i.answered)) return "";
  return duration_text(i.answered - i.time);
}

std::string incident_note(const model::Study& study, const Incident& i) {
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : " ") + more; };
  if (i.panic && !i.stack.empty())
    add((i.goroutine != 0 ? "Goroutine " + std::to_string(i.goroutine) + " in " : "In ") + stack_text(i.stack) + ".");
  if (!i.requests.empty()) {
    std::string ids;
    for (std::size_t n = 0; n < i.requests.size() && n < kIdsShown; ++n)
      ids += (n == 0 ? "" : ", ") + id_text(i.requests[n]);
    if (i.under_way > std::min(i.requests.size(), kIdsShown)) ids += ", …";
    add("Under way: " + ids + ".");
  }
  if (i.next_pid != 0) {
    std::string next = printable(i.address) + " answered again by process " + pid_text(i.next_pid);
    if (known(i.started)) next += ", started " + duration_text(i.started - i.time) + " later";
    if (known(i.listened)) next += ", listening after " + duration_text(i.listened - i.time);
    add(next + ", first answer after " + duration_text(i.answered - i.time) + ".");
  } else if (i.kind == IncidentKind::ended) {
    add("No other process was seen to answer in its place.");
  }
  return text.empty() ? text : offset_text(i.time, study.begin) + " " + incident_name(i) + ": " + text;
}

}  // namespace

std::string incident_text(const model::Study& study, const Incident& i) {
  std::string out = incident_name(i) + (i.kind == IncidentKind::ended ? " ended at " : " at ") +
                    offset_text(i.time, study.begin) + ": " + what_of(i);
  if (i.kind == IncidentKind::ended)
    out += (i.under_way == 0 ? "; no request was under way"
                             : "; " + count_text(i.under_way, "request was", "requests were") + " under way") +
           std::string(study.quality.sampling.some() ? " on recorded connections" : "");
  out += ".";
  if (known(i.answered))
    out += " " + printable(i.address) + " answered again after " + duration_text(i.answered - i.time) + ".";
  return out;
}

Grid incident_grid(const model::Study& study) {
  Grid grid;
  grid.title = "Crashes and panics";
  grid.header = {"at", "under way", "no answer for", "process", "what"};
  grid.names = 2;
  std::uint64_t quiet = 0, more = 0;
  for (const Incident& i : study.incidents) {
    if (is_quiet(i) && ++quiet > 0) continue;
    if (grid.rows.size() >= kIncidentsShown && ++more > 0) continue;
    const bool ended = i.kind == IncidentKind::ended;
    grid.rows.push_back({offset_text(i.time, study.begin), ended ? count_text(i.under_way) : "", gap_text(i),
                         incident_name(i), what_of(i)});
    if (std::string note = incident_note(study, i); !note.empty()) grid.notes.push_back(std::move(note));
  }
  if (study.quality.sampling.some() && !study.incidents.empty())
    grid.notes.push_back("Requests under way, and answers, are those on recorded connections.");
  if (more > 0) grid.notes.push_back("And " + count_text(more) + " more; --json has them all.");
  if (quiet > 0)
    grid.notes.push_back(count_text(quiet, "process", "processes") +
                         " that served requests ended with exit code 0, nothing under way.");
  return grid;
}

}  // namespace tailcap::report

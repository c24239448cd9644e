#include "analyze/report/sections/mishaps.h"

#include <algorithm>
#include <csignal>

#include "analyze/report/sections/incident_grid.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/request_id.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using render::List;

constexpr std::size_t kShown = 3;         // of each kind
constexpr std::uint64_t kLeastAlive = 3;  // goroutines; fewer may be on their way out
constexpr std::size_t kName = 80;

// Not the orderly end of a worker.
bool crashed(const model::Incident& i) {
  const bool asked = i.signal == SIGTERM || i.signal == SIGINT;
  return i.under_way > 0 || i.panic || i.panics > 0 || i.out_of_memory || i.core_dumped || (i.signal != 0 && !asked) ||
         i.exit_code > 0;
}

// An answer about the requests that were under way says it.
bool told(const model::Study& study, const model::Incident& i) {
  if (i.requests.empty() || i.panic) return false;
  return std::ranges::any_of(study.verdicts, [&](const model::Verdict& v) {
    return v.kind == model::VerdictKind::failing && std::ranges::any_of(v.causes, [&](const auto& cause) {
             return cause.kind == model::TroubleKind::ended && cause.what == i.comm;
           });
  });
}

List::Item item_of(std::string text, List::Accent accent, model::ExchangeId example, const ReportOptions& options) {
  List::Item item{render::Text(std::move(text)), accent};
  if (example.connection != 0) item.commands.push_back(show_command(options, example));
  return item;
}

// "service 4711: 58 goroutines (main.serve.func1) outlive the 58 requests that started them; none had ended when the
// recording did."
std::string left_text(const model::GoStudy& go, const model::GoLeft& left) {
  const auto name = [](const std::string& text) { return shortened(printable(text), kName); };
  std::string out = name(go.comm.empty() ? "process" : go.comm) + " " + pid_text(go.pid) + ": " +
                    count_text(left.count(), "goroutine", "goroutines");
  if (const std::string& what = left.function.empty() ? left.from : left.function; !what.empty())
    out += " (" + name(what) + ")";
  out += " outlive the " + count_text(left.requests, "request", "requests");
  if (!left.handler.empty()) out += " of " + name(left.handler);
  out += " that started them; ";
  return out + (left.late == 0 ? "none" : count_text(left.late)) + " had ended when the recording did.";
}

// "service 4711: Go's collector ran 405 times (21/s) between +12 s and +31 s, elsewhere 0.4/s. The process had up to
// 1.78 GB of memory meanwhile; its limit (GOMEMLIMIT) is 1.8 GB."
std::string thrash_text(const model::Study& study, const model::GoStudy& go, const model::GoMemory::Thrash& t) {
  const model::GoMemory& m = go.memory;
  return shortened(printable(go.comm.empty() ? "process" : go.comm), kName) + " " + pid_text(go.pid) +
         ": Go's collector ran " + count_text(t.collections, "time", "times") + " (" + rate_text(t.per_second) +
         ") between " + offset_text(t.from, study.begin) + " and " + offset_text(t.to, study.begin) +
         (t.elsewhere < 0 ? "" : ", elsewhere " + rate_text(t.elsewhere)) + ". The process had up to " +
         bytes_text(t.resident) + " of memory meanwhile; its limit (" +
         (m.limited_by_group() ? "of cgroup " + shortened(printable(m.group), kName) : "GOMEMLIMIT") + ") is " +
         bytes_text(m.limit()) + ".";
}

// "The listen queue of back.py (process 4711) at 127.0.0.1:80 was full: its limit is 2, and up to 3 connections were in
// it. It dropped up to 46 attempts to connect between +0.5 s and +7.9 s; 68 succeeded. …"
std::string queue_text(const model::Study& study, const model::ListenQueue& q) {
  std::string out = "The listen queue ";
  if (q.pid != 0)
    out += "of " +
           (q.comm.empty() ? "process " + pid_text(q.pid)
                           : shortened(printable(q.comm), kName) + " (process " + pid_text(q.pid) + ")") +
           " ";
  return out + "at " + printable(q.address) + " was full: its limit is " + count_text(q.limit) + ", and up to " +
         count_text(q.longest, "connection was", "connections were") + " in it. It dropped " +
         (q.dropped > 1 ? "up to " : "") + count_text(q.dropped, "attempt", "attempts") + " to connect between " +
         offset_text(q.from, study.begin) + " and " + offset_text(q.to, study.begin) + "; " +
         count_text(q.established) + " succeeded. The client's kernel retries after 1 s, 3 s and so on.";
}

}  // namespace

std::vector<List::Item> mishaps(const model::Study& study, const ReportOptions& options) {
  std::vector<List::Item> out;
  std::size_t ends = 0, left = 0, queues = 0, thrashing = 0;
  for (const model::Incident& i : study.incidents)
    if (crashed(i) && !told(study, i) && ends++ < kShown)
      out.push_back(item_of(incident_text(study, i), i.under_way > 0 ? List::Accent::severe : List::Accent::notable,
                            i.requests.empty() ? model::ExchangeId{} : i.requests.front(), options));
  for (const model::ListenQueue& q : study.queues)
    if (queues++ < kShown) out.push_back(item_of(queue_text(study, q), List::Accent::severe, {}, options));
  for (const model::GoStudy& go : study.go)
    for (const model::GoMemory::Thrash& t : go.memory.thrash)
      if (thrashing++ < kShown) out.push_back(item_of(thrash_text(study, go, t), List::Accent::severe, {}, options));
  for (const model::GoStudy& go : study.go)
    for (const model::GoLeft& l : go.left)
      if (l.alive >= kLeastAlive && left++ < kShown)
        out.push_back(item_of(left_text(go, l), List::Accent::note, l.example, options));
  return out;
}

}  // namespace tailcap::report

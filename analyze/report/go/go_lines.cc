#include "analyze/report/go/go_lines.h"

#include <cstdio>

#include "analyze/report/go/go_grids.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "formats/machine.h"

namespace tailcap::report {
namespace {

constexpr std::size_t kProgramsShown = 20;

std::string per_ms(const model::GoStudy& g) {
  char text[48];
  std::snprintf(text, sizeof text, "%.1f",
                static_cast<double>(g.allocated_since) * 1e6 / static_cast<double>(g.allocated_over.count()));
  return text;
}

std::string taken_text(const model::GoStudy& g) {
  std::string text;
  if (g.preemptions > 0)
    text += "; goroutines preempted " + count_text(g.preemptions, "time", "times") + ", most often in " +
            printable(g.preempted_at[0].function) + " (" + count_text(g.preempted_at[0].count) + ")";
  if (g.allocations == 0) return text;
  text += "; " + count_text(g.allocations, "allocation", "allocations") + " of " + bytes_text(g.allocated) + ", mean " +
          bytes_text(g.allocated / g.allocations);
  if (g.allocated_over.count() > 0) text += ", " + per_ms(g) + " a millisecond over " + duration_text(g.allocated_over);
  if (!g.hot.empty())
    text += ", most bytes in " + printable(g.hot[0].function) + " (about " + bytes_text(g.hot[0].bytes) + ")";
  return text;
}

std::string go_line(const model::GoStudy& g) {
  std::string text = (g.comm.empty() ? "process" : printable(g.comm)) + " " + pid_text(g.pid);
  if (!g.version.empty()) text += ", " + printable(g.version);
  text += ": " + count_text(g.goroutines_made, "goroutine", "goroutines") + " made, " +
          count_text(g.collections, "collection", "collections");
  if (g.stops > 0) {
    text += "; the world stopped " + count_text(g.stops, "time", "times") + " for " + duration_text(g.stop_total) +
            " in all, median " + duration_text(g.stop_median) +
            (g.stops < model::GoStudy::kStopsForP99 ? "" : ", p99 " + duration_text(g.stop_p99)) + ", longest " +
            duration_text(g.stop_longest) + ", with " + count_text(g.requests_stopped) + " of " +
            count_text(g.requests, "request", "requests") + " under way";
  }
  if (g.assists > 0) text += "; " + count_text(g.assists, "assist", "assists") + " of the collector by goroutines";
  text += taken_text(g);
  if (!g.unsupported.empty()) text += "; not recorded: " + printable(g.unsupported);
  return text;
}

}  // namespace

std::vector<std::string> go_lines(const model::Study& study) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < study.go.size() && i < kProgramsShown; ++i) out.push_back(go_line(study.go[i]));
  if (study.go.size() > kProgramsShown)
    out.push_back("and " + count_text(study.go.size() - kProgramsShown) + " more; --json has them all");
  return out;
}

}  // namespace tailcap::report

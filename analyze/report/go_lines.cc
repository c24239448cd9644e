#include "analyze/report/go_lines.h"

#include "analyze/report/escape.h"
#include "analyze/report/go_grids.h"
#include "analyze/report/number.h"
#include "analyze/report/words.h"
#include "formats/machine.h"

namespace tailcap::report {
namespace {

constexpr std::size_t kProgramsShown = 20;

std::string line_of(const flow::GoStudy& g) {
  std::string text = (g.comm.empty() ? "process" : printable(g.comm)) + " " + pid_text(g.pid);
  if (!g.version.empty()) text += ", " + printable(g.version);
  text += ": " + count_text(g.goroutines_made, "goroutine", "goroutines") + " made, " + count_text(g.collections, "collection", "collections");
  if (g.stops > 0) {
    text += "; the world stopped " + count_text(g.stops, "time", "times") + " for " + duration_text(g.stop_total) + " in all, median " +
            duration_text(g.stop_median) + (g.stops < flow::GoStudy::kStopsForP99 ? "" : ", p99 " + duration_text(g.stop_p99)) + ", longest " + duration_text(g.stop_longest) + ", with " +
            count_text(g.requests_stopped) + " of " + count_text(g.requests, "request", "requests") + " under way";
  }
  if (g.assists > 0) text += "; " + count_text(g.assists, "assist", "assists") + " of the collector by goroutines";
  if (!g.unsupported.empty()) text += "; not told: " + printable(g.unsupported);
  return text;
}

}  // namespace

std::vector<std::string> go_lines(const flow::Study& study) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < study.go.size() && i < kProgramsShown; ++i) out.push_back(line_of(study.go[i]));
  if (study.go.size() > kProgramsShown) out.push_back("and " + count_text(study.go.size() - kProgramsShown) + " more; --json has them all");
  return out;
}

void append_go_program(JsonWriter& json, const flow::GoStudy& g, const flow::WallClock& clock) {
  const auto duration = [&](std::string_view name, flow::Duration d, std::uint64_t needed = 1) {
    json.key(name);
    if (g.stops >= needed) json.number(std::int64_t{d.count()});
    else json.null();
  };
  json.begin_object();
  json.field("pid", formats::number_of(g.pid));
  json.field("machine", formats::machine_of(g.pid) + 1);
  json.key("comm"), json.text_or_null(g.comm);
  json.key("version"), json.text_or_null(g.version);
  json.key("unsupported"), json.text_or_null(g.unsupported);
  json.field("goroutines_made", g.goroutines_made);
  json.field("goroutines_ended", g.goroutines_ended);
  json.field("collections", g.collections);
  json.field("assists", g.assists);
  json.field("stops", g.stops);
  duration("stop_total_ns", g.stop_total);
  duration("stop_median_ns", g.stop_median);
  duration("stop_p99_ns", g.stop_p99, flow::GoStudy::kStopsForP99);
  duration("stop_longest_ns", g.stop_longest);
  json.field("requests", g.requests);
  json.field("requests_stopped", g.requests_stopped);
  append_go_details(json, g, clock);
  json.end_object();
}

}  // namespace tailcap::report

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

void append_hot(JsonWriter& json, std::string_view name, const std::vector<model::GoHot>& hot, bool bytes) {
  json.key(name);
  json.begin_array();
  for (const auto& h : hot) {
    json.begin_object();
    json.field("function", h.function);
    json.field("count", h.count);
    if (bytes) json.field("bytes", h.bytes);
    json.end_object();
  }
  json.end_array();
}

void append_taken(JsonWriter& json, const model::GoStudy& g) {
  json.field("preemptions", g.preemptions);
  append_hot(json, "preempted_at", g.preempted_at, false);
  json.key("taken_by_route");
  json.begin_array();
  for (const auto& share : g.shares) {
    json.begin_object();
    json.field("route", share.route);
    json.field("requests", share.requests);
    json.field("preemptions", share.preemptions);
    json.field("allocations", share.allocations);
    json.field("bytes", share.bytes);
    json.end_object();
  }
  json.end_array();
  json.key("allocations");
  if (!g.allocations_told) return json.null();
  json.begin_object();
  json.field("count", g.allocations);
  json.field("bytes", g.allocated);
  json.key("over_ns");
  g.allocated_over.count() > 0 ? json.number(std::int64_t{g.allocated_over.count()}) : json.null();
  json.key("count_over");
  g.allocated_over.count() > 0 ? json.number(g.allocated_since) : json.null();
  json.key("sizes");
  json.begin_array();
  for (const auto& sizes : g.sizes) {
    json.begin_object();
    json.field("least", sizes.least);
    json.field("count", sizes.count);
    json.field("bytes", sizes.bytes);
    json.end_object();
  }
  json.end_array();
  append_hot(json, "hot", g.hot, true);
  json.end_object();
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

void append_go_program(JsonWriter& json, const model::GoStudy& g, const model::WallClock& clock) {
  const auto duration = [&](std::string_view name, model::Duration d, std::uint64_t needed = 1) {
    json.key(name);
    if (g.stops >= needed)
      json.number(std::int64_t{d.count()});
    else
      json.null();
  };
  json.begin_object();
  json.field("pid", formats::number_of(g.pid));
  json.field("machine", formats::machine_of(g.pid) + 1);
  json.key("comm");
  json.text_or_null(g.comm);
  json.key("version");
  json.text_or_null(g.version);
  json.key("unsupported");
  json.text_or_null(g.unsupported);
  json.field("goroutines_made", g.goroutines_made);
  json.field("goroutines_ended", g.goroutines_ended);
  json.field("collections", g.collections);
  json.field("assists", g.assists);
  json.field("stops", g.stops);
  duration("stop_total_ns", g.stop_total);
  duration("stop_median_ns", g.stop_median);
  duration("stop_p99_ns", g.stop_p99, model::GoStudy::kStopsForP99);
  duration("stop_longest_ns", g.stop_longest);
  json.field("requests", g.requests);
  json.field("requests_stopped", g.requests_stopped);
  append_taken(json, g);
  append_go_details(json, g, clock);
  json.end_object();
}

}  // namespace tailcap::report

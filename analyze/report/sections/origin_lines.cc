#include "analyze/report/sections/origin_lines.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "analyze/model/study/cut_note.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

constexpr std::string_view kNote = "tailcap.note", kSnapshot = "tailcap.snapshot";
constexpr std::size_t kMostRoutes = 12;

std::string latency_text(std::int64_t ns) { return ns < 0 ? "–" : duration_text(formats::Duration{ns}); }

}  // namespace

std::vector<FactLine> origin_lines(const model::Study& study) {
  std::vector<FactLine> out;
  const auto& notes = study.quality.preamble.notes;
  if (const auto cut = model::CutNote::from_notes(notes)) {
    const std::size_t related = cut->ids.size() - std::min<std::size_t>(cut->ids.size(), cut->shown);
    out.push_back({Tone::care, "cut",
                   count_text(cut->shown) + " of " + count_text(cut->requests, "request", "requests") +
                       " of the original" +
                       (related == 0 ? "" : ", with " + count_text(related) + " that they depend on") +
                       ". They were chosen: percentiles, rates and shares below are of these alone. The original's:"});
    for (std::size_t i = 0; i < std::min(cut->routes.size(), kMostRoutes); ++i) {
      const model::CutRoute& r = cut->routes[i];
      out.push_back({Tone::plain, i == 0 ? "original" : "",
                     printable(r.method + " " + r.route) + (r.role == model::Role::client ? " (client end)" : "") +
                         ": " + count_text(r.count, "request", "requests") + ", p50 " + latency_text(r.latency[0]) +
                         ", p95 " + latency_text(r.latency[2]) + ", p99 " + latency_text(r.latency[3]) + ", p99.9 " +
                         latency_text(r.latency[4])});
    }
    if (cut->routes.size() > kMostRoutes)
      out.push_back(
          {Tone::plain, "", "and " + count_text(cut->routes.size() - kMostRoutes, "more route", "more routes")});
  }
  for (const auto& [key, value] : notes)
    if (key == kSnapshot)
      out.push_back({Tone::plain, "snapshot", "the last part of a recording that went on; by " + printable(value)});
  for (const NoteOnRequest& note : notes_of(study))
    out.push_back({Tone::plain, "note", (note.request.empty() ? "" : "on " + note.request + ": ") + note.text});
  return out;
}

std::vector<NoteOnRequest> notes_of(const model::Study& study) {
  std::vector<NoteOnRequest> out;
  for (const auto& [key, value] : study.quality.preamble.notes)
    if (key.starts_with(kNote))
      out.push_back(
          {printable(std::string_view(key).substr(std::min(key.size(), kNote.size() + 1))), printable(value)});
  return out;
}

}  // namespace tailcap::report

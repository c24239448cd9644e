#include "analyze/report/logs/log_lines.h"

#include <algorithm>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

using formats::Duration;
using formats::Time;
using model::JoinedLine;
using model::LogEvidence;
using Kind = render::Column::Kind;

constexpr std::size_t kInLane = 60, kInTable = 100;  // lines
constexpr std::size_t kLaneText = 160, kTableText = 400;
constexpr Duration kPlaceable = std::chrono::milliseconds{10};
constexpr Duration kBehind = std::chrono::milliseconds{10};  // the end of a request, as lines are joined by time

// It can be said where in the request it was written.
bool lies_at_place(const JoinedLine& joined, const model::RequestDetail& end) {
  if (!joined.joined() || joined.requests.front() != end.row.id || !formats::known(joined.at)) return false;
  if (!end.course || !end.row.has_duration) return false;
  if (joined.within > kPlaceable && joined.within > end.row.duration / 10) return false;
  return joined.at + joined.within >= end.row.start && joined.at <= end.row.start + end.row.duration + kBehind;
}

// The book of a page has the lines of all requests.
bool concerns(const JoinedLine& joined, const model::Detail& detail) {
  const auto names = [&](model::ExchangeId id) {
    return std::ranges::find(joined.requests, id) != joined.requests.end();
  };
  return names(detail.request.row.id) || (detail.peer && names(detail.peer->row.id));
}

bool in_lane(const JoinedLine& joined, const model::Detail& detail) {
  return lies_at_place(joined, detail.request) || (detail.peer && lies_at_place(joined, *detail.peer));
}

std::string when_text(const JoinedLine& joined, Time zero, Duration span) {
  if (!formats::known(joined.at)) return "–";
  return place_text(joined.at - zero, std::max(span, joined.within));
}

}  // namespace

std::string source_text(const model::LogBook::Entry& entry) {
  const std::size_t slash = entry.file.rfind('/');
  return printable(entry.file.substr(slash == std::string::npos ? 0 : slash + 1)) + ":" +
         std::to_string(entry.joined.line.number);
}

std::string line_text(const model::LoggedLine& line, std::size_t most) {
  const std::string level(model::name_of(line.level));
  return (level.empty() ? "" : level + ": ") + shortened(printable(line.text), most);
}

std::string join_text(const JoinedLine& joined) {
  const std::string count = count_text(joined.count);
  switch (joined.evidence) {
    case LogEvidence::trace_id:
      return joined.joined() ? "by its trace id" : "of one of " + count + " requests of its trace: none is chosen";
    case LogEvidence::request_id:
      return joined.joined() ? "by its X-Request-Id" : "of one of " + count + " requests with its id: none is chosen";
    case LogEvidence::process:
      return joined.joined() ? "the only recorded request of its process then"
                             : "in the time of " + count + " requests of its process: none is chosen";
    case LogEvidence::none:
      break;
  }
  return {};
}

std::vector<LaneLine> lane_lines(const model::LogBook& book, const model::RequestDetail& end, Time zero) {
  std::vector<LaneLine> out;
  for (const auto& entry : book.entries) {
    const JoinedLine& joined = entry.joined;
    if (!lies_at_place(joined, end)) continue;
    if (out.size() == kInLane) break;
    out.push_back({joined.at - zero, joined.within, "log " + line_text(joined.line, kLaneText),
                   source_text(entry) + ", " + join_text(joined) +
                       (joined.within.count() > 1 ? ", time to " + duration_text(joined.within) : "")});
  }
  return out;
}

void add_log_lines(const model::LogBook& book, const model::Detail& detail, Time zero, Duration span,
                   render::Document& out) {
  render::Table table;
  table.columns = {{"written"}, {"time to"}, {"line", Kind::name}, {"in", Kind::name}, {"joined", Kind::name}};
  std::uint64_t in_lanes = 0, more = 0, coarse = 0;
  for (const auto& entry : book.entries) {
    const JoinedLine& joined = entry.joined;
    if (!concerns(joined, detail)) continue;
    if (in_lane(joined, detail) && in_lanes < kInLane) {
      ++in_lanes;
      continue;
    }
    const bool known = formats::known(joined.at);
    coarse += known && joined.within > kPlaceable;
    if (table.rows.size() == kInTable) {
      ++more;
      continue;
    }
    table.rows.push_back({{when_text(joined, zero, span), known ? duration_text(joined.within) : "–",
                           line_text(joined.line, kTableText), source_text(entry), join_text(joined)}});
  }
  out.heading(2, "Log lines");
  if (in_lanes == 0 && table.rows.empty())
    out.paragraph("No line is joined with this request, and none may lie in it.");
  if (in_lanes > 0)
    out.note(count_text(in_lanes, "line stands", "lines stand") + " above, between the labels of this request.");
  if (!table.rows.empty()) out.add(std::move(table));
  if (more + book.left_out > 0) out.note("and " + count_text(more + book.left_out) + " more");
  if (coarse > 0)
    out.note(count_text(coarse, "line has a time", "lines have times") +
             " that is too coarse to say where in the request it was written.");
  for (const std::string& sentence : book.said) out.note(sentence);
}

}  // namespace tailcap::report

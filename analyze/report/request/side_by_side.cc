#include "analyze/report/request/side_by_side.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <tuple>

#include "analyze/report/request/course.h"
#include "analyze/report/request/waterfall.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "ground/syscalls.h"
#include "ground/task_state.h"

namespace tailcap::report {
namespace {

using model::RequestDetail;
using render::Cell;
using render::Document;
using render::Table;
using Kind = render::Column::Kind;

constexpr std::size_t kLongest = 6;     // waits of each
constexpr std::size_t kMostCalls = 12;  // kinds of calls
constexpr std::size_t kMostWaits = 8;   // kinds of waits

// How often, and how long together.
struct Sum {
  std::uint64_t count = 0;
  Duration time{};
  void add(Duration d) {
    ++count;
    time += d;
  }
};
using Both = std::array<Sum, 2>;
using Named = std::map<std::string, Both>;

std::string difference_text(Duration first, Duration second) {
  const Duration d = second - first;
  if (d.count() == 0) return "0";
  return (d.count() > 0 ? "+" : "-") + duration_text(d.count() > 0 ? d : -d);
}

std::string time_or_none(Duration d) { return d.count() == 0 ? "–" : duration_text(d); }
std::string sum_text(const Sum& s) { return s.count == 0 ? "–" : count_text(s.count) + ", " + duration_text(s.time); }

std::string took_text(const RequestDetail& d) {
  if (d.row.has_duration) return duration_text(d.row.duration);
  return d.row.at_least >= 0 ? "≥ " + duration_text(Duration{d.row.at_least}) : "unknown";
}

Table sides(const ShownRequest& first, const ShownRequest& second, std::string of, Kind kind) {
  Table table;
  table.columns = {{std::move(of), Kind::name},
                   {id_text(first.detail.request.row.id), kind},
                   {id_text(second.detail.request.row.id), kind}};
  return table;
}

// Facts in which requests of one route differ; the others are in `show` of one.
void add_facts_of_both(const ShownRequest& first, const ShownRequest& second, Document& out) {
  constexpr std::array<std::string_view, 11> kLabels = {"result",       "began",   "served by", "made by",
                                                        "handler",      "bodies",  "split",     "verdict",
                                                        "explained by", "machine", "flagged"};
  const Waterfall a = waterfall(first.detail, first.study), b = waterfall(second.detail, second.study);
  const auto text = [](const Waterfall& w, const ShownRequest& of, std::string_view label) {
    std::string found;
    const auto add = [&](const std::vector<FactLine>& lines) {
      for (const FactLine& line : lines)
        if (line.label == label) found += (found.empty() ? "" : "; ") + line.text;
    };
    add(w.facts);
    add(of.standing.facts);
    return found;
  };
  Table table = sides(first, second, "", Kind::name);
  table.rows.push_back({{"request", shortened(a.title, 200), shortened(b.title, 200)}});
  table.rows.push_back({{"duration", took_text(first.detail.request), took_text(second.detail.request)}});
  for (const std::string_view label : kLabels) {
    const std::string x = text(a, first, label), y = text(b, second, label);
    if (x.empty() && y.empty()) continue;
    table.rows.push_back({{std::string(label), x.empty() ? "–" : x, y.empty() ? "–" : y}});
  }
  out.add(std::move(table));
}

void add_label_pairs(const ShownRequest& first, const ShownRequest& second, Document& out) {
  const RequestDetail &x = first.detail.request, &y = second.detail.request;
  out.heading(2, "Where the time of each went");
  const std::vector<LabelPair> pairs = label_pairs(x, y);
  if (pairs.empty()) {
    out.paragraph("The labels of " + id_text(!x.course ? x.row.id : y.row.id) + " are not known.", render::Tone::care);
    return;
  }
  Table table = sides(first, second, "", Kind::number);
  table.columns.push_back({"difference"});
  for (const LabelPair& pair : pairs)
    table.rows.push_back({{std::string(model::text_of(pair.label)), time_or_none(pair.first), time_or_none(pair.second),
                           difference_text(pair.first, pair.second)}});
  if (x.row.has_duration && y.row.has_duration) {
    table.rows.push_back({{"duration", duration_text(x.row.duration), duration_text(y.row.duration),
                           difference_text(x.row.duration, y.row.duration)}});
    table.rows.back().strong = true;
  }
  out.add(std::move(table));
}

// "7.83 ms waiting for a lock at 0x7f00, held by …"; what it did itself is no wait.
std::vector<std::string> longest_waits(const ShownRequest& side) {
  const RequestDetail& d = side.detail.request;
  WaterfallLane lane = course_lane(side.detail, d, d.row.start);
  std::vector<const WaterfallBar*> waits;
  for (std::size_t i = 0; i < lane.bars.size(); ++i)
    if (model::rank_of(d.course->stretches[i].label) != 7) waits.push_back(&lane.bars[i]);
  std::ranges::stable_sort(waits, std::greater{}, [](const WaterfallBar* bar) { return bar->length; });
  if (waits.size() > kLongest) waits.resize(kLongest);
  std::vector<std::string> out;
  for (const WaterfallBar* bar : waits)
    out.push_back(duration_text(bar->length) + " " + bar->name + (bar->note.empty() ? "" : ": " + bar->note));
  return out;
}

void add_longest_waits(const ShownRequest& first, const ShownRequest& second, Document& out) {
  const auto a = longest_waits(first), b = longest_waits(second);
  if (a.empty() && b.empty()) return;
  out.heading(2, "What each waited for longest");
  Table table = sides(first, second, "", Kind::name);
  table.columns.erase(table.columns.begin());
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i)
    table.rows.push_back({{i < a.size() ? Cell(a[i]) : Cell("–"), i < b.size() ? Cell(b[i]) : Cell("–")}});
  out.add(std::move(table));
}

void add_sums(const ShownRequest& first, const ShownRequest& second, const Named& all, std::size_t most,
              const char* title, Document& out) {
  if (all.empty()) return;
  std::vector<const Named::value_type*> order;
  for (const auto& one : all) order.push_back(&one);
  const auto time = [](const Named::value_type* one) { return std::max(one->second[0].time, one->second[1].time); };
  std::ranges::stable_sort(order, std::greater{}, time);
  out.heading(2, title);
  Table table = sides(first, second, "", Kind::number);
  table.columns.push_back({"difference"});
  for (std::size_t i = 0; i < std::min(most, order.size()); ++i) {
    const auto& [name, sums] = *order[i];
    table.rows.push_back({{name, sum_text(sums[0]), sum_text(sums[1]), difference_text(sums[0].time, sums[1].time)}});
  }
  out.add(std::move(table));
  if (order.size() > most) out.note("and " + count_text(order.size() - most) + " more with less time");
}

// Calls that it made itself, by route and address.
void count_calls(const ShownRequest& side, std::size_t place, Named& out) {
  for (const model::Below& b : side.detail.below) {
    if (b.depth != 1 || b.row.role != model::Role::client) continue;
    const std::string_view route = side.table.texts[b.row.route], method = side.table.texts[b.row.method];
    std::string name =
        route.empty() ? printable(b.title) : (method.empty() ? "" : printable(method) + " ") + printable(route);
    if (!b.remote.empty()) name += " at " + printable(b.remote);
    out[name][place].add(b.row.has_duration ? b.row.duration : Duration{});
  }
}

std::string wait_name(const model::ThreadWait& w) {
  constexpr std::uint32_t kPreempted = 256;
  if (w.state == 0 || w.state == kPreempted) return "preempted";
  const std::string call = w.syscall < 0 ? "outside any call" : ground::syscall_name(w.syscall);
  return w.function.empty() ? call : call + " in " + shortened(printable(w.function), 60);
}

void count_waits(const ShownRequest& side, std::size_t place, Named& out) {
  const RequestDetail& d = side.detail.request;
  const Time begin = d.row.start, end = d.row.has_duration ? begin + d.row.duration : side.study.end;
  for (const model::ThreadWait& w : d.waits) {
    const Duration in_it = std::min(w.back, end) - std::max(w.left, begin);  // a wait may begin before the request
    if (in_it.count() > 0) out[wait_name(w)][place].add(in_it);
  }
}

Document both_documents(const ShownRequest& first, const ShownRequest& second, const ReportOptions& options) {
  Document out;
  out.heading(1, "Requests " + id_text(first.detail.request.row.id) + " and " + id_text(second.detail.request.row.id) +
                     " of " + printable(options.file));
  add_facts_of_both(first, second, out);
  add_label_pairs(first, second, out);
  add_longest_waits(first, second, out);
  Named calls, waits;
  for (const std::size_t place : {0u, 1u}) {
    count_calls(place == 0 ? first : second, place, calls);
    count_waits(place == 0 ? first : second, place, waits);
  }
  add_sums(first, second, calls, kMostCalls, "Calls, and their time together", out);
  add_sums(first, second, waits, kMostWaits, "Waits of the serving thread, and their time together", out);
  for (const ShownRequest* side : {&first, &second})
    if (side->detail.below_left_out + side->detail.request.waits_left_out > 0)
      out.note(id_text(side->detail.request.row.id) + " has more calls or waits than are kept: sums are lower bounds.");
  return out;
}

}  // namespace

std::vector<LabelPair> label_pairs(const RequestDetail& first, const RequestDetail& second) {
  if (!first.course || !second.course) return {};
  std::array<LabelPair, model::kLabels> sums{};
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i].label = static_cast<model::Label>(i);
  for (const auto& s : first.course->stretches) sums[static_cast<std::size_t>(s.label)].first += s.to - s.from;
  for (const auto& s : second.course->stretches) sums[static_cast<std::size_t>(s.label)].second += s.to - s.from;
  std::vector<LabelPair> out;
  for (const LabelPair& pair : sums)
    if (pair.first.count() != 0 || pair.second.count() != 0) out.push_back(pair);
  std::ranges::stable_sort(out, std::greater{}, [](const LabelPair& p) {
    return p.first > p.second ? p.first - p.second : p.second - p.first;
  });
  return out;
}

std::string text_side_by_side(const ShownRequest& first, const ShownRequest& second, const ReportOptions& options) {
  return render::to_text(both_documents(first, second, options), std::clamp<std::size_t>(options.width, 60, 1000));
}

std::string markdown_side_by_side(const ShownRequest& first, const ShownRequest& second, const ReportOptions& options) {
  return render::to_markdown(both_documents(first, second, options));
}

}  // namespace tailcap::report

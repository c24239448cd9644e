#include "analyze/report/fleet/fleet.h"

#include <algorithm>
#include <set>

#include "analyze/report/sections/quality_line.h"
#include "analyze/report/tail/routes.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using formats::Duration;
using render::Column;
using render::Document;
using render::List;
using render::Table;

constexpr std::size_t kFleetLabels = 8;  // of a route
constexpr std::size_t kCaptures = 20;    // listed

List::Accent accent_of(model::VerdictLevel level) {
  return level == model::VerdictLevel::severe    ? List::Accent::severe
         : level == model::VerdictLevel::notable ? List::Accent::notable
                                                 : List::Accent::note;
}

render::Facts fleet_head(const Fleet& fleet) {
  render::Facts facts = head_facts(fleet.study);
  std::set<std::string> hosts;
  std::int64_t first = 0, last = 0;
  for (const FleetCapture& c : fleet.captures) {
    hosts.insert(c.host);
    if (c.began == 0) continue;
    first = first == 0 ? c.began : std::min(first, c.began);
    last = std::max(last, c.began);
  }
  std::string text =
      count_text(fleet.captures.size(), "capture", "captures") + " of " + count_text(hosts.size(), "host", "hosts");
  if (first != 0) text += ", begun " + utc_text(first, 0) + (last == first ? "" : " to " + utc_text(last, 0));
  facts.lines.push_back({render::Tone::plain, "captures", text + "."});
  for (const std::string& file : fleet.incomplete)
    facts.lines.push_back(
        {render::Tone::alarm, "missing", "Rows of " + printable(file) + " are missing; load it once more."});
  return facts;
}

List::Item answer_item(const FleetAnswer& answer, std::size_t captures) {
  std::string text = printable(answer.sentence);
  if (captures > 1) {
    text += " Found in " + count_text(answer.captures) + " of " + count_text(captures, "capture", "captures");
    if (answer.captures > 1) {
      text += "; these figures are of " + printable(answer.file) + ". Together they have " +
              (answer.of == 0 ? count_text(answer.requests, "such request", "such requests")
                              : count_text(answer.requests) + " of " + count_text(answer.of, "request", "requests"));
      if (answer.excess > 0) text += ", in all " + duration_text(Duration{answer.excess}) + " longer than typical ones";
    } else {
      text += ": " + printable(answer.file);
    }
    text += ".";
  }
  List::Item item{text, accent_of(answer.level)};
  if (!answer.example.empty())
    item.commands.push_back("tailcap show " + shell_word(answer.file) + " " + printable(answer.example));
  return item;
}

void add_fleet_answers(Document& out, const Fleet& fleet, const ReportOptions& options) {
  out.heading(2, "What was slow, and why");
  List list;
  list.boxed = list.numbered = true;
  for (std::size_t i = 0; i < std::min(fleet.answers.size(), options.sentences); ++i)
    list.items.push_back(answer_item(fleet.answers[i], fleet.captures.size()));
  if (!list.items.empty()) out.add(std::move(list));
  if (fleet.answers.empty()) out.note("Nothing unusual in any route.");
  if (fleet.answers.size() > options.sentences)
    out.note(count_text(fleet.answers.size() - options.sentences, "more answer", "more answers") + " not shown here.");
}

void add_fleet_labels(Document& out, const Fleet& fleet, const std::vector<std::size_t>& shown) {
  for (const std::size_t i : shown) {
    const auto& labels = fleet.labels[i];
    std::int64_t all = 0;
    for (const FleetLabel& l : labels) all += l.time;
    if (all == 0) continue;
    out.heading(3, shortened(route_title(fleet.study.routes[i]), 200), route_anchor(i));
    Table table;
    table.columns = {{"where the time went", Column::Kind::name}, {"sum"}, {"share"}, {"requests"}};
    for (std::size_t n = 0; n < std::min(labels.size(), kFleetLabels); ++n)
      table.rows.push_back({{model::text_of(labels[n].label), duration_text(Duration{labels[n].time}),
                             share_text(static_cast<double>(labels[n].time), static_cast<double>(all)),
                             count_text(labels[n].requests)}});
    out.add(std::move(table));
    if (labels.size() > kFleetLabels)
      out.note(count_text(labels.size() - kFleetLabels, "more label", "more labels") +
               " with less time not shown here.");
  }
}

void add_captures(Document& out, const Fleet& fleet) {
  out.heading(2, "Captures");
  Table table;
  table.columns = {{"file", Column::Kind::name},
                   {"host", Column::Kind::name},
                   {"begun", Column::Kind::word},
                   {"length"},
                   {"requests"},
                   {"lost events"}};
  for (std::size_t i = 0; i < std::min(fleet.captures.size(), kCaptures); ++i) {
    const FleetCapture& c = fleet.captures[i];
    table.rows.push_back({{printable(c.file), printable(c.host), c.began == 0 ? std::string("–") : utc_text(c.began, 0),
                           duration_text(c.duration), count_text(c.requests), count_text(c.lost)}});
  }
  out.add(std::move(table));
  if (fleet.captures.size() > kCaptures)
    out.note(count_text(fleet.captures.size() - kCaptures, "more capture", "more captures") + " not shown here.");
}

}  // namespace

Document fleet_document(const Fleet& fleet, const ReportOptions& options) {
  Document out;
  out.heading(1, "tailcap report: " + printable(fleet.name));
  out.add(fleet_head(fleet));
  add_fleet_answers(out, fleet, options);
  if (options.brief) return out;
  const std::vector<std::size_t> shown = shown_routes(fleet.study, options.routes);
  out.append(
      route_tables(fleet.study, shown, false, fleet.captures.size() > 1 ? "these recordings" : "this recording"));
  add_fleet_labels(out, fleet, shown);
  add_captures(out, fleet);
  return out;
}

}  // namespace tailcap::report

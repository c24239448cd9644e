#include "analyze/report/spans/spans_text.h"

#include "analyze/report/json/shape.h"
#include "analyze/report/words/grid.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

using model::SpanFacts;
using model::SpanTally;
using Counted = std::vector<std::pair<std::string, std::uint64_t>>;

constexpr std::size_t kSpanWidth = 120;

std::string listed(const Counted& write_counted) {
  std::string out;
  for (const auto& [name, n] : write_counted) out += (out.empty() ? "" : ", ") + name + " " + count_text(n);
  return out.empty() ? "none" : out;
}

std::string imported_text(const SpanFacts& f) {
  std::string out = count_text(f.imported, "span", "spans") + ", kept as they are; " + count_text(f.imported_matched) +
                    " of them are requests in the capture";
  if (f.imported_without_ids > 0) out += ", " + count_text(f.imported_without_ids) + " have no ids that could match";
  if (f.holes > 0)
    out += "; " + count_text(f.holes_filled) + " of " + count_text(f.holes, "missing parent", "missing parents") +
           " filled in";
  return out;
}

using Count = Counted::value_type;
const Shape<Count, Anywhere> kCount{"count", {{"name", &Count::first}, {"count", &Count::second}}};

const Shape<SpanFacts, Anywhere> kImported{
    "imported",
    {
        {"spans", &SpanFacts::imported},
        {"matched", &SpanFacts::imported_matched},
        {"without_ids", &SpanFacts::imported_without_ids},
        {"holes", &SpanFacts::holes, "parents that they name and that are not among them"},
        {"filled", &SpanFacts::holes_filled},
    }};

const Shape<SpanTally, Anywhere> kTally{"tally",
                                        {
                                            {"name", &SpanTally::name},
                                            {"events", &SpanTally::events},
                                            {"match", &SpanTally::match},
                                            {"becomes", &SpanTally::becomes},
                                            {"attached", &SpanTally::attached},
                                            {"unmatched", &SpanTally::unmatched},
                                            {"several", &SpanTally::several, "of these: fitted several spans"},
                                        }};

const Shape<SpanFacts, Anywhere>& facts_shape() {
  static const Shape<SpanFacts, Anywhere> shape{
      "spans",
      {
          {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
          {"requests", &SpanFacts::requests, "spans"},
          {"setup", &SpanFacts::setup, "spans"},
          {"waits", &SpanFacts::waits, "spans; with --spans labels"},
          {"waits_left_out", &SpanFacts::waits_left_out, "waits of requests that have more than 64"},
          {"without_waits", &SpanFacts::without_waits, "requests beyond the first 200,000, whose waits are not kept"},
          {"not_placed", &SpanFacts::not_placed, "requests whose start is not known"},
          {"trace_ids", kCount, &SpanFacts::trace_sources},
          {"span_ids", kCount, &SpanFacts::span_sources},
          {"parents", kCount, &SpanFacts::parents},
          {"imported", kImported, Refer{[](auto& f) { return &f; }}},
          {"events", kTally, &SpanFacts::tallies, "by kind"},
      }};
  return shape;
}

}  // namespace

std::string spans_facts_text(const SpanFacts& f) {
  render::Document out;
  out.heading(3, "Spans");
  render::Facts facts;
  const auto add = [&](const char* label, std::string text) {
    facts.lines.push_back({render::Tone::plain, label, std::move(text)});
  };
  add("spans", count_text(f.requests) + " of requests, " + count_text(f.setup) +
                   " of what came before the first on a connection" +
                   (f.waits > 0 ? ", " + count_text(f.waits) + " of waits" : ""));
  if (f.not_placed > 0)
    add("left out", count_text(f.not_placed, "request", "requests") + ": their beginning was not recorded");
  add("trace ids", listed(f.trace_sources));
  add("span ids", listed(f.span_sources));
  add("parents", listed(f.parents));
  if (f.imported > 0) add("imported", imported_text(f));
  out.add(std::move(facts));
  out.heading(3, "Events of the whole capture: how many were attached to spans");
  Grid grid;
  grid.header = {"attached", "unmatched", "fit several", "event", "in the capture"};
  grid.names = 2;
  std::string unseen;
  std::vector<std::string> how;
  for (const auto& t : f.tallies) {
    if (t.attached + t.unmatched == 0) {
      unseen += (unseen.empty() ? "" : ", ") + std::string(t.name);
      continue;
    }
    grid.rows.push_back({count_text(t.attached), count_text(t.unmatched), count_text(t.several), std::string(t.name),
                         std::string(t.events)});
    how.push_back(std::string(t.name) + " finds its span by " + std::string(t.match) +
                  ", and becomes: " + std::string(t.becomes));
  }
  out.append(grid_blocks(grid));
  out.list(how);
  if (!unseen.empty()) out.note("None was recorded of: " + unseen + ".");
  out.note(
      "An event that fits no span, or several, is attached to none. By thread: the thread carried this one request at "
      "that time, and no other that was recorded.");
  return render::to_text(out, kSpanWidth);
}

std::string spans_facts_json(const SpanFacts& f) { return json_of(facts_shape(), f, Anywhere{}); }
std::string spans_schema() {
  return json_schema(facts_shape(), "tailcap spans --explain --json",
                     "How many spans there are, and what events became of them.");
}

std::string spans_facts_line(const SpanFacts& f) {
  std::uint64_t attached = 0, unmatched = 0;
  for (const auto& t : f.tallies) {
    attached += t.attached;
    unmatched += t.unmatched;
  }
  std::string out = count_text(f.requests + f.setup + f.waits, "span", "spans") + " written; " +
                    count_text(attached, "event", "events") + " of the capture attached, " + count_text(unmatched) +
                    " fitted no span (--explain)";
  if (f.not_placed > 0)
    out += "; " + count_text(f.not_placed, "request", "requests") + " left out, their start is not known";
  if (f.waits_left_out > 0) out += "; " + count_text(f.waits_left_out, "wait", "waits") + " left out";
  if (f.without_waits > 0)
    out += "; " + count_text(f.without_waits, "request has", "requests have") +
           " no spans of waits: the first 200,000 have them";
  if (f.imported > 0) out += "; imported " + imported_text(f);
  return out;
}

}  // namespace tailcap::report

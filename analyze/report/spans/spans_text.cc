#include "analyze/report/spans/spans_text.h"

#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/grid.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

using model::SpanFacts;
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

void write_counted(JsonWriter& json, const char* name, const Counted& all) {
  json.key(name);
  json.begin_array();
  for (const auto& [what, n] : all) {
    json.begin_object();
    json.field("name", what);
    json.field("count", n);
    json.end_object();
  }
  json.end_array();
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
                   " of what came before the first on a connection");
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

std::string spans_facts_json(const SpanFacts& f) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("schema", kJsonSchema);
  json.field("requests", f.requests);
  json.field("setup", f.setup);
  json.field("not_placed", f.not_placed);
  write_counted(json, "trace_ids", f.trace_sources);
  write_counted(json, "span_ids", f.span_sources);
  write_counted(json, "parents", f.parents);
  json.key("imported");
  json.begin_object();
  json.field("spans", f.imported);
  json.field("matched", f.imported_matched);
  json.field("without_ids", f.imported_without_ids);
  json.field("holes", f.holes);
  json.field("filled", f.holes_filled);
  json.end_object();
  json.key("events");
  json.begin_array();
  for (const auto& t : f.tallies) {
    json.begin_object();
    json.field("name", t.name);
    json.field("events", t.events);
    json.field("match", t.match);
    json.field("becomes", t.becomes);
    json.field("attached", t.attached);
    json.field("unmatched", t.unmatched);
    json.field("several", t.several);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out + "\n";
}

std::string spans_facts_line(const SpanFacts& f) {
  std::uint64_t attached = 0, unmatched = 0;
  for (const auto& t : f.tallies) {
    attached += t.attached;
    unmatched += t.unmatched;
  }
  std::string out = count_text(f.requests + f.setup, "span", "spans") + " written; " +
                    count_text(attached, "event", "events") + " of the capture attached, " + count_text(unmatched) +
                    " fitted no span (--explain)";
  if (f.not_placed > 0)
    out += "; " + count_text(f.not_placed, "request", "requests") + " left out, their start is not known";
  if (f.imported > 0) out += "; imported " + imported_text(f);
  return out;
}

}  // namespace tailcap::report

#include "analyze/report/request/show.h"

#include <algorithm>

#include "analyze/report/logs/log_lines.h"
#include "analyze/report/request/waterfall.h"
#include "analyze/report/request/waterfall_table.h"
#include "analyze/report/timeline/lanes_svg.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/html_parts.h"
#include "analyze/report/words/masking.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/quantiles.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using render::Cell;
using render::Column;
using render::Document;
using render::Table;
using Kind = render::Column::Kind;

constexpr std::size_t kWaitsInText = 30, kWaitsInPage = 200;

void add_lane_pictures(const Waterfall& w, Document& out) {
  out.heading(2, "Where its time went");
  if (const std::string why = no_waterfall(w); !why.empty()) {
    out.paragraph("No waterfall: " + why + ".", render::Tone::care);
    return;
  }
  Table table = waterfall_table();
  add_waterfall(w, w.span, "", table);
  out.add(std::move(table));
}

void add_milestone_table(const Waterfall& w, Document& out) {
  if (w.milestones.empty()) return;
  Table table;
  table.columns = {{}, {"", Kind::word}, {"", Kind::name}};
  for (const auto& m : w.milestones) {
    Cell place = place_cell(m.at, w.span);
    if (m.at_most) place.text = "≤ " + place.text;
    table.rows.push_back({{std::move(place), m.end, m.what}});
  }
  out.heading(2, "Milestones");
  out.add(std::move(table));
}

void add_around(const model::Lanes& around, const Waterfall& w, Document& out) {
  if (around.lanes.empty()) return;
  out.heading(2, "Around it");
  out.note("What its processes did meanwhile; its own time is shaded. Point at a bar to read what it is.");
  out.add(render::Figures{{lanes_figure(around, w.zero, w.zero + w.span)}});
  if (const std::string notes = lanes_notes(around); !notes.empty()) out.note(notes);
}

void add_messages(const Waterfall& w, Document& out) {
  if (w.messages.listed.empty()) return;
  Table table;
  table.columns = {{"", Kind::word}, {"size"}, {"client", Kind::name}, {"server", Kind::name}};
  for (const auto& m : w.messages.listed)
    table.rows.push_back(
        {{m.name, m.size, m.client.empty() ? "not found" : m.client, m.server.empty() ? "not found" : m.server}});
  out.heading(2, "Messages");
  out.add(std::move(table));
  if (!w.messages.others.empty()) out.note("And " + w.messages.others + ".");
}

void add_files(const Waterfall& w, Document& out) {
  if (w.files.empty() && w.files_notes.empty()) return;
  out.heading(2, "Files");
  Table table;
  table.columns = {{"from"}, {"for"}, {"", Kind::word}, {"", Kind::word}};  // paths are shown in full
  for (const auto& f : w.files)
    table.rows.push_back({{place_cell(f.from, w.span), duration_cell(f.length), f.end, f.what}});
  if (!table.rows.empty()) out.add(std::move(table));
  for (const auto& note : w.files_notes) out.note(note + ".");
}

void add_wait_table(const Waterfall& w, std::size_t most, Document& out) {
  if (w.waits.empty()) return;
  Table table;
  table.columns = {{"left the CPU"}, {"waited"}, {"queued"}, {"for", Kind::name}};
  for (std::size_t i = 0; i < std::min(w.waits.size(), most); ++i) {
    const auto& wait = w.waits[i];
    table.rows.push_back({{place_cell(wait.left, w.span), duration_cell(wait.waited),
                           wait.runnable_known ? duration_cell(wait.queued) : Cell("?"),
                           wait.what + (wait.woken_by.empty() ? "" : "; woken by " + wait.woken_by) +
                               (wait.missed == 0 ? "" : "; " + count_text(wait.missed) + " before it lost")}});
  }
  out.heading(2, "Waits of the serving thread (blocked, then runnable)");
  out.add(std::move(table));
  const std::uint64_t more = w.waits_left_out + (w.waits.size() > most ? w.waits.size() - most : 0);
  if (more != 0) out.note("and " + count_text(more) + " more");
}

// Without a title.
Document document(Waterfall w, const model::Detail& detail, const model::Study& study, const model::Lanes& around,
                  const RequestStanding& standing, std::size_t waits) {
  const auto mostly = std::ranges::find(w.facts, "mostly", &FactLine::label);
  w.facts.insert(mostly == w.facts.end() ? mostly : mostly + 1, standing.facts.begin(), standing.facts.end());
  Document out;
  render::Facts facts{{}, w.facts, true};
  if (unsafe(study.quality))
    facts.verdict = {render::Tone::alarm, "",
                     "UNSAFE: header values were recorded as sent, credentials too. Do not pass this on."};
  out.add(std::move(facts));
  add_lane_pictures(w, out);
  if (!standing.behind.rows.empty()) {
    out.heading(2, "What was behind it");
    out.add(standing.behind);
  }
  if (!w.beside.empty()) {
    out.heading(2, "Beside the critical path");
    out.list(w.beside);
  }
  if (detail.logs) add_log_lines(*detail.logs, detail, w.zero, w.span, out);
  add_milestone_table(w, out);
  add_around(around, w, out);
  add_messages(w, out);
  add_files(w, out);
  add_wait_table(w, waits, out);
  if (!w.events.empty()) {
    out.heading(2, "On the connection meanwhile");
    out.list(w.events);
  }
  for (const auto& head : w.heads) {
    if (head.lines.empty()) continue;
    out.heading(2, head.title + (head.complete ? "" : " (fields may be missing)"));
    out.add(render::Code{head.lines});
  }
  return out;
}

Document titled_show(const model::Detail& detail, const model::Study& study, const ReportOptions& options,
                     const RequestStanding& standing) {
  Waterfall w = waterfall(detail, study);
  Document out;
  out.heading(1, "Request " + id_text(detail.request.row.id) + " of " + printable(options.file) + ": " +
                     shortened(w.title, 400));
  out.append(document(std::move(w), detail, study, {}, standing, kWaitsInText));
  return out;
}

}  // namespace

std::string text_show(const model::Detail& detail, const model::Study& study, const ReportOptions& options,
                      const RequestStanding& standing) {
  return render::to_text(titled_show(detail, study, options, standing),
                         std::clamp<std::size_t>(options.width, 60, 1000));
}

std::string markdown_show(const model::Detail& detail, const model::Study& study, const ReportOptions& options,
                          const RequestStanding& standing) {
  return render::to_markdown(titled_show(detail, study, options, standing));
}

render::Details page_show(const model::Detail& detail, const model::Study& study, const model::Lanes& around,
                          const RequestStanding& standing) {
  Waterfall w = waterfall(detail, study);
  const model::ExchangeId id = detail.request.row.id;
  const std::string summary =
      "Request " + id_text(id) + ", " + shortened(w.title, 400) + ": all that was recorded about it";
  Document out = document(std::move(w), detail, study, around, standing, kWaitsInPage);
  for (render::Block& block : out.blocks)
    if (auto* const heading = std::get_if<render::Heading>(&block)) ++heading->level;
  return {summary, std::move(out.blocks), true, "record-" + id_text(id)};
}

}  // namespace tailcap::report

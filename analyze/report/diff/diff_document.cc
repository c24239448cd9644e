#include <algorithm>
#include <string>
#include <vector>

#include "analyze/report/compare/compare_words.h"
#include "analyze/report/compare/curves.h"
#include "analyze/report/compare/software.h"
#include "analyze/report/diff/diff_report.h"
#include "analyze/report/diff/diff_tables.h"
#include "analyze/report/diff/diff_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using model::difference::Difference;
using model::difference::RouteDifference;
using model::difference::Setting;
using model::difference::SideSummary;
using render::Document;
using render::Tone;

constexpr std::size_t kChangesOnScreen = 5, kChangesInFull = 40, kRoutesOnScreen = 4, kRoutesInFull = 60;
constexpr std::size_t kTables = 12;  // routes with tables of their own, beside those that changed
constexpr std::size_t kShortSoftware = 2, kShortSettings = 4, kDetectable = 4;

std::string side_text(const SideSummary& s) {
  std::string out = printable(s.file) + (s.part.empty() ? "" : ", " + printable(s.part));
  if (s.begin > 0) out += " · " + utc_text(s.begin, 0);
  return out + " · " + count_text(s.requests, "request", "requests") + " in " +
         value_text({model::gate::Metric::Kind::label, 0}, s.seconds * 1e9);
}

std::string setting_text(const model::difference::SettingDifference& s) {
  const auto value = [](const std::string& text) { return text.empty() ? "none" : shortened(printable(text), 40); };
  const bool program = s.kind == Setting::Kind::program, note = s.kind == Setting::Kind::note;
  return (program ? "command line of "
          : note  ? "note "
                  : "") +
         printable(s.name) + (program || note ? ": " : " ") + value(s.first) + " → " + value(s.second);
}

// The boot and the recorder's hooks are for the table.
std::string settings_line(const Difference& d) {
  std::string out;
  std::size_t shown = 0, more = 0;
  for (const auto& s : d.settings) {
    if (s.name == "boot" || s.name == "hooks") continue;
    if (shown == kShortSettings) {
      ++more;
      continue;
    }
    ++shown;
    out += (out.empty() ? "" : "; ") + setting_text(s);
  }
  return out + (more > 0 ? "; and " + count_text(more) + " more" : "");
}

void add_facts(const Difference& d, Document& out) {
  render::Facts facts;
  facts.boxed = true;
  facts.verdict = {d.changes.empty() ? Tone::plain : Tone::care, "difference", headline(d)};
  const auto add = [&](const char* label, std::string text, Tone tone = Tone::plain) {
    if (!text.empty()) facts.lines.push_back({tone, label, std::move(text)});
  };
  add("A", side_text(d.sides[0]));
  add("B", side_text(d.sides[1]));
  if (!d.same) {
    add("load", load_sentence(d));
    add("CPUs", cpu_sentence(d));
    for (const std::string& line : software_lines(d.software, kShortSoftware)) add("software", line);
    add("around it", settings_line(d));
  }
  for (const std::string& remark : remarks(d)) add("remark", remark, Tone::care);
  out.add(std::move(facts));
}

// To look at next: the slowest request of each side.
std::vector<std::string> commands_of(const Difference& d, const RouteDifference& r) {
  std::vector<std::string> out;
  for (std::size_t side = 2; side-- > 0;)
    if (r.facts[side].slowest.connection != 0)
      out.push_back("tailcap show " + shell_word(d.sides[side].path) + " " + id_text(r.facts[side].slowest) + "   # " +
                    (side == 0 ? "A" : "B") + ", " + duration_text(Duration{r.facts[side].longest}));
  return out;
}

void add_changes(const Difference& d, std::size_t most, Document& out) {
  if (d.same) return;
  if (d.changes.empty()) {
    const std::vector<std::string> lines = detectable_lines(d, kDetectable);
    if (lines.empty()) return;
    out.heading(2, "What would have been found");
    out.list(lines);
    out.note("Changes from these on are found in 80 % of such pairs of captures.");
    return;
  }
  render::List list;
  list.numbered = true;
  list.boxed = true;
  for (std::size_t i = 0; i < std::min(most, d.changes.size()); ++i) {
    render::List::Item item;
    item.text = change_sentence(d, i);
    item.accent = render::List::Accent::notable;
    if (i == 0 || most > kChangesOnScreen) item.commands = commands_of(d, d.routes[d.changes[i].route]);
    list.items.push_back(std::move(item));
  }
  out.heading(2, "What changed");
  out.add(std::move(list));
  if (d.changes.size() > most)
    out.note(count_text(d.changes.size() - most, "more change is", "more changes are") + " in --full.");
}

void add_sections(const Difference& d, Document& out) {
  std::vector<const RouteDifference*> routes;
  for (const auto& change : d.changes) routes.push_back(&d.routes[change.route]);
  const bool served = model::difference::any_served(d);
  for (const RouteDifference& r : d.routes)
    if (r.missing.empty() && (!served || r.name.role == model::Role::server) &&
        routes.size() < d.changes.size() + kTables && std::ranges::find(routes, &r) == routes.end())
      routes.push_back(&r);
  for (const RouteDifference* r : routes) {
    out.heading(2, route_text(r->name));
    add_curves(out, {{{"A", "requests", &r->curve[0]}, {"B", "requests", &r->curve[1]}}},
               "Share of requests that took longer than a duration.");
    add_route_tables(*r, out);
  }
  if (!d.no_functions.empty()) out.note("Functions are not compared: " + printable(d.no_functions) + ".");
}

}  // namespace

Document diff_document(const Difference& d, DiffExtent extent) {
  const bool screen = extent == DiffExtent::screen;
  Document out;
  out.heading(1, "tailcap diff");
  add_facts(d, out);
  if (d.same) return out;
  add_changes(d, screen ? kChangesOnScreen : kChangesInFull, out);
  add_routes(d, screen ? kRoutesOnScreen : kRoutesInFull, screen, out);
  if (screen) {
    out.note("More: tailcap diff --full, or -o diff.html for a page.");
    return out;
  }
  if (extent == DiffExtent::page && !d.flame_image.empty()) {
    out.heading(2, "Functions on a CPU, B against A");
    out.add(render::Figures{{{"flame", d.flame_image,
                              "Widths are the samples of B. Red is more than in A, blue is less, where A is scaled to "
                              "as many requests."}}});
  }
  add_sections(d, out);
  add_edges(d, out);
  add_software(d.software, out);
  add_settings(d, out);
  out.note(
      "Intervals are 95 % intervals. They allow for requests that are alike because they are close in time or on one "
      "connection, and for what two recordings of one service differ by: its load, and how busy the machine is.");
  return out;
}

}  // namespace tailcap::report

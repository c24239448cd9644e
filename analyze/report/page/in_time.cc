#include "analyze/report/page/in_time.h"

#include <algorithm>
#include <map>
#include <optional>

#include "analyze/model/label_group.h"
#include "analyze/report/json/partition_json.h"
#include "analyze/report/tail/answer_of.h"
#include "analyze/report/tail/lanes.h"
#include "analyze/report/tail/verdicts.h"
#include "analyze/report/timeline/lanes_svg.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/quantiles.h"
#include "analyze/report/words/request_id.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::page {
namespace {

using model::Course;
using model::ExchangeId;
using model::LabelledStretch;
using render::Cell;
using render::Column;
using render::Document;
using render::Row;
using render::Table;

constexpr std::size_t kExamples = 2;   // of an answer
constexpr std::size_t kListed = 16;    // stretches of a request with a line of their own
constexpr std::size_t kDrawn = 400;    // in the line of all
constexpr double kWorthALine = 0.005;  // of the duration
constexpr std::size_t kTimeTitle = 80;

// Rows by ID, of those that are shown or named.
using Known = std::map<ExchangeId, model::Request>;

Known known_of(const model::RequestTable& table, const ReportOptions& options, std::span<const Course> courses) {
  std::vector<ExchangeId> wanted = options.in_time;
  for (const ExchangeId id : options.in_time)
    if (const Course* course = tail::course_of(courses, id))
      for (const LabelledStretch& s : course->stretches) wanted.push_back(s.culprit.request);
  std::ranges::sort(wanted);
  Known out;
  const model::Rows& rows = table.all();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (std::ranges::binary_search(wanted, rows.id(i))) out.emplace(rows.id(i), rows[i]);
  return out;
}

class Section {
 public:
  Section(const model::Study& study, const model::RequestTable& table, const ReportOptions& options,
          std::span<const Course> courses)
      : study_(study), table_(table), options_(options), courses_(courses), known_(known_of(table, options, courses)) {}

  std::optional<render::Details> of(ExchangeId id, std::size_t answer, const model::Lanes* around) const {
    const auto at = known_.find(id);
    const Course* course = tail::course_of(courses_, id);
    if (at == known_.end() || !course) return std::nullopt;
    const model::Request& row = at->second;
    Document out;
    facts(row, answer, out);
    out.add(stretches(row, *course));
    requests_around(row, out);
    if (around && !around->lanes.empty()) lanes(row, *around, out);
    out.add(render::Code{{show_command(options_, id)}});
    return render::Details{id_text(id) + "  " + shortened(request_title(row, table_.texts), kTimeTitle) + ", " +
                               duration_text(row.duration) + ", " + offset_text(row.start, study_.begin),
                           std::move(out.blocks), id == options_.in_time.front(), request_anchor(id)};
  }

 private:
  void facts(const model::Request& row, std::size_t answer, Document& out) const {
    render::Facts facts;
    const auto add = [&](const char* label, std::string text) {
      if (!text.empty()) facts.lines.push_back({render::Tone::plain, label, std::move(text)});
    };
    add("result", outcome_text(row, table_.texts[row.store.error_code]));
    add("mostly", dominant_text(row, table_.partitions.parts(row.id)));
    add(row.role == model::Role::server ? "served by" : "made by",
        (row.comm == 0 ? "" : shortened(printable(table_.texts[row.comm]), 40) + ", ") + "process " +
            pid_text(row.pid) + (row.tid == 0 ? "" : ", thread " + std::to_string(row.tid)));
    for (const auto taint : taints_in(row.taints)) add("flagged", std::string(text_of(taint)));
    out.add(std::move(facts));
    if (answer == 0) return;
    render::Text text("An example of ");
    text.runs.push_back({"answer " + std::to_string(answer), tail::verdict_anchor(answer), false});
    text.runs.push_back({"."});
    out.paragraph(std::move(text));
  }

  std::string behind(ExchangeId of, const LabelledStretch& s) const {
    const model::Culprit& c = s.culprit;
    const bool lock = model::group_of(s.label) == model::LabelGroup::lock;
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    if (const std::string where = where_text(c, table_.partitions.locks()); !where.empty()) add(where);
    if (const model::CpuGroup* group = model::group_of(c, table_.partitions.groups())) add(group_text(*group));
    if (const model::SocketPeer* peer = model::peer_of(c, table_.partitions.peers())) add(peer_text(*peer));
    if (c.request.connection != 0 && c.request != of) {
      const auto at = known_.find(c.request);
      add((lock ? "held by " : "") +
          (at == known_.end() ? "request" : shortened(request_title(at->second, table_.texts), kTimeTitle)) + " (" +
          id_text(c.request) + ")");
    }
    if (c.tid != 0) add("thread " + std::to_string(c.tid));
    return text;
  }

  Table stretches(const model::Request& row, const Course& course) const {
    const auto length = static_cast<double>(std::max<std::int64_t>(1, row.duration.count()));
    const auto place = [&](formats::Time t) { return static_cast<double>((t - row.start).count()) / length; };
    Table table;
    table.bars = true;
    table.columns = {{"what it waited for", Column::Kind::name}, {"from"}, {"for"}, {"", Column::Kind::bar}};
    Row all;
    all.cells = {"all of it", "", duration_cell(row.duration), Cell()};
    std::vector<const LabelledStretch*> longest;
    for (const LabelledStretch& s : course.stretches) {
      longest.push_back(&s);
      if (all.cells[3].bars.size() < kDrawn) all.cells[3].bars.push_back(bar(s, place));
    }
    table.rows.push_back(std::move(all));
    const auto longer = [](const LabelledStretch* a, const LabelledStretch* b) {
      return a->to - a->from > b->to - b->from;
    };
    std::stable_sort(longest.begin(), longest.end(), longer);
    std::size_t listed = 0;
    while (listed < std::min(kListed, longest.size()) &&
           static_cast<double>((longest[listed]->to - longest[listed]->from).count()) >= kWorthALine * length)
      ++listed;
    Duration rest{};
    for (std::size_t i = listed; i < longest.size(); ++i) rest += longest[i]->to - longest[i]->from;
    const std::size_t others = longest.size() - listed;
    longest.resize(listed);
    std::ranges::sort(longest, {}, [](const LabelledStretch* s) { return s->from; });
    for (const LabelledStretch* s : longest) {
      Row one;
      const bool inferred = s->evidence != model::Evidence::measured && !model::unexplained(s->label);
      one.cells = {std::string(model::text_of(s->label)) + (inferred ? " ~" : ""),
                   place_text(s->from - row.start, row.duration), duration_cell(s->to - s->from), Cell()};
      one.cells[0].indent = 1;
      one.cells[3].bars.push_back(bar(*s, place));
      if (const std::string who = behind(row.id, *s); !who.empty()) one.below.emplace_back(render::Tone::plain, who);
      table.rows.push_back(std::move(one));
    }
    if (others > 0) {
      Row row_of_rest;
      row_of_rest.cells = {count_text(others, "shorter interval", "shorter intervals"), "", duration_cell(rest),
                           Cell()};
      row_of_rest.cells[0].indent = 1;
      table.rows.push_back(std::move(row_of_rest));
    }
    return table;
  }

  template <class Place>
  static render::Bar bar(const LabelledStretch& s, const Place& place) {
    return {place(s.from), place(s.to), std::string(model::colour_of(model::group_of(s.label))),
            std::string(model::text_of(s.label)) + ": " + duration_text(s.to - s.from)};
  }

  void requests_around(const model::Request& row, Document& out) const {
    for (std::uint32_t i = 0; i < table_.rows.size(); ++i) {
      if (table_.rows.id(i) != row.id) continue;
      Table lanes = tail::lanes_table(i, table_, courses_);
      if (lanes.rows.empty()) return;
      out.heading(3, "With its calls and the requests it waited for");
      out.add(std::move(lanes));
      return;
    }
  }

  static void lanes(const model::Request& row, const model::Lanes& around, Document& out) {
    render::Figure figure = lanes_figure(around, row.start, row.start + row.duration);
    figure.legend = lanes_legend(around);
    figure.caption =
        "What its processes did meanwhile; its own time is shaded. Drag to enlarge, a double click shows all.";
    if (const std::string notes = lanes_notes(around); !notes.empty()) figure.caption += " " + notes;
    out.heading(3, "Around it");
    out.add(render::Figures{{std::move(figure)}});
  }

  const model::Study& study_;
  const model::RequestTable& table_;
  const ReportOptions& options_;
  const std::span<const Course> courses_;
  const Known known_;
};

}  // namespace

std::vector<ExchangeId> chosen(const model::Study& study, const model::RequestTable& table,
                               std::span<const Course> courses, const ReportOptions& options, std::size_t most) {
  std::vector<ExchangeId> out, peers;
  const auto add = [&](ExchangeId id, ExchangeId peer) {
    if (out.size() >= most || std::ranges::find(out, id) != out.end() || std::ranges::find(peers, id) != peers.end())
      return false;
    const Course* course = tail::course_of(courses, id);
    if (!course || course->stretches.empty()) return false;
    out.push_back(id);
    if (peer.connection != 0) peers.push_back(peer);
    return true;
  };
  for (const std::size_t i : tail::answers(study, table, options).verdicts) {
    std::size_t examples = 0;
    for (const ExchangeId id : study.verdicts[i].examples)
      if (examples < kExamples && add(id, {})) ++examples;
  }
  for (const std::uint32_t row : study.slowest) add(table.rows.id(row), table.rows.peer(row));
  return out;
}

Document in_time(const model::Study& study, const model::RequestTable& table, const ReportOptions& options,
                 std::span<const Course> courses, std::span<const model::LanesAround> around) {
  Document out;
  if (options.in_time.empty()) return out;
  const Section section(study, table, options, courses);
  tail::AnswerOf answers(study, table, tail::answers(study, table, options).verdicts);
  std::vector<render::Details> all;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const auto place = std::ranges::find(options.in_time, table.rows.id(i));
    if (place == options.in_time.end()) continue;
    const auto lanes = std::ranges::find(around, *place, &model::LanesAround::request);
    auto one = section.of(*place, answers.number(table.rows[i]), lanes == around.end() ? nullptr : &lanes->lanes);
    if (one) all.push_back(std::move(*one));
  }
  if (all.empty()) return out;
  const auto order = [&](const render::Details& d) {
    return std::ranges::find(options.in_time, d.anchor, request_anchor) - options.in_time.begin();
  };
  std::ranges::sort(all, {}, order);
  out.heading(2, "Requests in time");
  for (render::Details& one : all) out.add(std::move(one));
  return out;
}

}  // namespace tailcap::report::page

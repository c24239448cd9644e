#include <algorithm>

#include "analyze/report/compare/compare.h"
#include "analyze/report/compare/compare_words.h"
#include "analyze/report/compare/functions.h"
#include "analyze/report/compare/gate_words.h"
#include "analyze/report/compare/noticed.h"
#include "analyze/report/compare/software.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using model::gate::Comparison;
using model::gate::Count;
using model::gate::GateResult;
using model::gate::GateVerdict;
using model::gate::Metric;
using render::Column;
using render::Document;

constexpr std::size_t kTableGates = 7, kCares = 2, kChanged = 3, kTitled = 5, kSoftware = 5;
constexpr std::size_t kTableHead = 2, kFolds = 2;  // lines of Markdown beside the rows and the folded lines

// What may be said of each of some things, and of the others that they are more.
std::string first_of(std::vector<std::string> names, std::size_t most) {
  const std::size_t more = names.size() > most ? names.size() - most : 0;
  names.resize(names.size() - more);
  return ground::joined(names) + (more > 0 ? " and " + count_text(more) + " more" : "");
}

std::string title_text(const Comparison& c) {
  const GateResult* first = nullptr;
  std::size_t others = 0;
  for (const GateResult& g : c.gates) {
    if (g.verdict != c.verdict) continue;
    others += first != nullptr;
    if (!first) first = &g;
  }
  const std::string more = others > 0 ? ", and " + count_text(others) + " more" : "";
  if (c.options.self || !first) return "⚠️ tailcap: " + verdict_text(c);
  if (c.verdict == GateVerdict::fail) return "❌ tailcap: " + gate_sentence(c, *first) + more;
  if (c.verdict == GateVerdict::undecided) return "⚠️ tailcap: not decided: " + gate_sentence(c, *first) + more;
  std::vector<std::string> left;
  for (const std::string& what : c.not_gated) left.push_back(printable(what.substr(0, what.find(':'))));
  return "✅ tailcap: no regression, by " + count_text(c.gates.size(), "gate", "gates") +
         (left.empty() ? "" : "; not judged: " + first_of(left, kTitled));
}

// The same was said by a gate that did not pass.
bool said(const Comparison& c, const Noticed& one) {
  if (!one.gated) return false;
  return std::ranges::any_of(c.gates, [&](const GateResult& g) {
    if (g.verdict == GateVerdict::pass || !g.found || g.route != one.route) return false;
    const Metric calls = Metric::of(Count::calls);
    const Metric same = Metric::of(Count::same_calls);
    return g.gate.metric == one.metric || (g.gate.metric == calls && one.metric == same);
  });
}

class Comment {
 public:
  explicit Comment(const Comparison& c) : c_(c), gates_(gates_by_verdict(c)) {}

  Document take() && {
    out_.heading(2, title_text(c_));
    out_.paragraph(verdict_text(c_) + ". Runs: " + runs_text(c_) + ". Load: " + load_text(c_) + ".");
    lines_ = 2;
    add_cares();
    add_table();
    add_changed();
    add_folded();
    return std::move(out_);
  }

 private:
  void add_cares() {
    std::vector<std::string> cares;
    if (!c_.same_version.empty()) cares.push_back(same_version_text(c_));
    for (const auto* reasons : {&c_.obstacles, &c_.uneven})
      for (const std::string& reason : *reasons)
        cares.push_back((c_.obstacles.empty() ? "exact counts only: " : "not comparable: ") + reason);
    for (std::size_t i = kCares; i < cares.size(); ++i) folded_.push_back(cares[i]);
    cares.resize(std::min(kCares, cares.size()));
    list(cares);
  }

  void add_table() {
    render::Table table;
    table.columns = {{"verdict", Column::Kind::word},
                     {"gate", Column::Kind::name},
                     {"route", Column::Kind::name},
                     {"base"},
                     {"new"},
                     {"change"}};
    for (std::size_t i = 0; i < std::min(kTableGates, gates_.size()); ++i) {
      const GateResult& g = *gates_[i];
      const Metric& metric = g.gate.metric;
      const auto& e = g.estimate;
      table.rows.push_back(
          {{verdict_cell(g), gate_text(g), g.found ? route_text(c_.routes[g.route].name) : printable(g.gate.route),
            level_text(metric, e, e.base, e.base_at_least), level_text(metric, e, e.fresh, e.fresh_at_least),
            e.known ? difference_text(metric, e) + " (" + interval_text(metric, e) + ")" : "–"}});
    }
    if (!table.rows.empty()) lines_ += table.rows.size() + kTableHead;
    if (!table.rows.empty()) out_.add(std::move(table));
    std::string text =
        gates_.size() > kTableGates ? count_text(gates_.size() - kTableGates) + " more gates are on the page. " : "";
    text += unchanged_text(c_);
    if (text.empty()) return;
    out_.note(text);
    ++lines_;
  }

  // What failed beside the title, and functions.
  void add_changed() {
    std::vector<std::string> changed;
    bool titled = false;
    for (const GateResult& g : c_.gates) {
      if (g.verdict != GateVerdict::fail) continue;
      if (titled) changed.push_back(gate_sentence(c_, g));
      titled = true;
    }
    for (const std::string& function : changed_functions(c_)) changed.push_back(function);
    for (std::size_t i = kChanged; i < changed.size(); ++i) folded_.push_back(changed[i]);
    changed.resize(std::min(kChanged, changed.size()));
    list(changed);
  }

  void add_folded() {
    bool titled = c_.verdict != GateVerdict::undecided;
    for (const GateResult& g : c_.gates) {
      if (g.verdict != GateVerdict::undecided) continue;
      if (titled) folded_.push_back(gate_sentence(c_, g));
      titled = true;
    }
    for (const std::string& line : software_lines(c_.software, kSoftware)) folded_.push_back("Software: " + line);
    for (const std::string& what : c_.not_gated) folded_.push_back("Not judged: " + printable(what));
    for (const Noticed& one : noticed_of(c_))
      if (!said(c_, one)) folded_.push_back("Also changed (advisory, 5 % of such lines are wrong): " + one.text);
    for (const std::string& remark : c_.remarks) folded_.push_back(remark);
    if (folded_.empty()) return;
    const std::size_t room = kCommentLines - std::min(kCommentLines - 1, lines_ + kFolds);
    const std::size_t shown = folded_.size() > room ? room - 1 : folded_.size();
    const std::size_t more = folded_.size() - shown;
    folded_.resize(shown);
    if (more > 0) folded_.push_back(count_text(more) + " more: on the page.");
    Document inside;
    inside.list(folded_);
    out_.add(render::Details{"What is not decided, not judged, or changed besides", std::move(inside.blocks)});
  }

  void list(const std::vector<std::string>& lines) {
    out_.list(lines);
    lines_ += lines.size();
  }

  const Comparison& c_;
  std::vector<const GateResult*> gates_;
  Document out_;
  std::vector<std::string> folded_;
  std::size_t lines_ = 0;
};

}  // namespace

Document comment_document(const Comparison& c) { return Comment(c).take(); }

}  // namespace tailcap::report

#include "analyze/report/compare/software.h"

#include <algorithm>

#include "analyze/render/escape.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

using Change = model::gate::SoftwareChange;
using ChangeKind = Change::Kind;
using render::Column;

constexpr std::size_t kValueWidth = 80, kValues = 3, kChangeRows = 200;
constexpr std::size_t kIdDigits = 12;  // of a revision and a build id, as Git shortens them

std::string software_text(const std::string& text) { return render::shortened(printable(text), kValueWidth); }

std::string change_value(ChangeKind kind, const std::string& value) {
  if (kind != ChangeKind::revision && kind != ChangeKind::build_id) return software_text(value);
  const std::size_t space = std::min(value.find(' '), value.size());
  return software_text(value.substr(0, std::min(space, kIdDigits)) + value.substr(space));
}

std::string values_of(ChangeKind kind, const std::vector<std::string>& values) {
  std::string out;
  for (std::size_t i = 0; i < std::min(kValues, values.size()); ++i)
    out += (i == 0 ? "" : ", ") + change_value(kind, values[i]);
  return values.size() <= kValues ? out : out + " and " + count_text(values.size() - kValues) + " more";
}

std::string subject_of(const Change& c) {
  switch (c.kind) {
    case ChangeKind::revision:
      return "revision";
    case ChangeKind::go_version:
      return "Go";
    case ChangeKind::module:
      return software_text(c.module);
    case ChangeKind::build_id:
      break;
  }
  return "build id of " + software_text(c.program);
}

std::string change_line(const Change& c, bool several) {
  const std::string subject =
      (several && c.kind != ChangeKind::build_id ? software_text(c.program) + ": " : "") + subject_of(c);
  if (c.base.empty()) return subject + " " + values_of(c.kind, c.fresh) + " added";
  if (c.fresh.empty()) return subject + " " + values_of(c.kind, c.base) + " removed";
  return subject + " " + values_of(c.kind, c.base) + " → " + values_of(c.kind, c.fresh);
}

// More than one Go program differs.
bool several_programs(const std::vector<Change>& changes) {
  const Change* first = nullptr;
  for (const Change& c : changes) {
    if (c.kind == ChangeKind::build_id) continue;
    if (!first) first = &c;
    if (c.program != first->program) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> software_lines(const std::vector<Change>& changes, std::size_t most) {
  const bool several = several_programs(changes);
  std::vector<std::string> out;
  const std::size_t shown = std::min(most, changes.size());
  for (std::size_t i = 0; i < shown; ++i) out.push_back(change_line(changes[i], several));
  if (shown < changes.size()) out.push_back("and " + count_text(changes.size() - shown) + " more");
  return out;
}

void add_software(const std::vector<Change>& changes, render::Document& out) {
  if (changes.empty()) return;
  out.heading(2, "What differs in the software");
  render::Table table;
  table.columns = {{"program", Column::Kind::name},
                   {"what", Column::Kind::name},
                   {"base", Column::Kind::word},
                   {"new", Column::Kind::word}};
  for (std::size_t i = 0; i < std::min(kChangeRows, changes.size()); ++i) {
    const Change& c = changes[i];
    render::Row row;
    row.cells = {software_text(c.program), c.kind == ChangeKind::build_id ? "build id" : subject_of(c),
                 c.base.empty() ? "–" : values_of(c.kind, c.base), c.fresh.empty() ? "–" : values_of(c.kind, c.fresh)};
    table.rows.push_back(std::move(row));
  }
  out.add(std::move(table));
  if (changes.size() > kChangeRows)
    out.note(count_text(changes.size() - kChangeRows) + " more are not shown; --json has them.");
}

}  // namespace tailcap::report

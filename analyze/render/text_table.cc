#include "analyze/render/text_table.h"

#include <algorithm>
#include <numeric>

#include "analyze/render/escape.h"
#include "analyze/render/lines.h"

namespace tailcap::render {
namespace {

constexpr std::size_t kShortestName = 12, kShortestBar = 16, kGap = 2, kIndent = 2;
constexpr std::string_view kBelowRow = "      ";

// Broken at spaces into lines of `width`; a word that is wider gives up its middle.
std::vector<std::string> folded(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::string_view word = first_word(text);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    std::string& line = lines.back();
    const std::size_t used = line.empty() ? 0 : columns(line) + 1;
    if (used + columns(word) <= width || (columns(word) > width && used + kShortestName / 2 <= width)) {
      line += (line.empty() ? "" : " ") + shortened(word, width - used);
    } else {
      lines.push_back(shortened(word, width));
    }
  }
  return lines;
}

// A bar in a column that stands for the axis; never nothing, never outside.
std::string bar_text(const Bar& bar, std::size_t width) {
  const auto column = [&](double share) { return std::clamp(share, 0.0, 1.0) * static_cast<double>(width); };
  const auto first = std::min(static_cast<std::size_t>(column(bar.from)), width - 1);
  const auto last = static_cast<std::size_t>(column(bar.to) + 0.5);
  std::string text(first, ' ');
  if (last <= first) return text + "▏";
  for (std::size_t i = first; i < std::min(last, width); ++i) text += "█";
  return text;
}

// A table without what only a page shows; cells as their first line and the lines below.
class Layout {
 public:
  Layout(const Table& table, std::size_t width) : table_(table), width_(width) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const Column& column = table.columns[c];
      const bool filled = std::ranges::any_of(table.rows, [&](const Row& row) {
        return c < row.cells.size() && (!row.cells[c].text.empty() || row.cells[c].bars.size() == 1);
      });
      if (column.kind != Column::Kind::picture && (filled || !column.title.empty())) shown_.push_back(c);
    }
    measure();
  }

  std::string text() {
    const std::size_t name = first_name();
    bool own_line = false;
    if (total() > width_ && name < shown_.size()) {
      own_line = total() - widths_[name] - kGap <= width_;
      if (own_line) widths_[name] = 0;
    }
    std::string out;
    if (total() > width_ && !own_line && name < shown_.size()) {
      for (const Row& row : table_.rows) out += record(row);
    } else {
      if (table_.headed()) out += heads(own_line ? name : shown_.size());
      for (const Row& row : table_.rows) out += laid(row, own_line ? name : shown_.size());
    }
    for (std::size_t i = 0; i < notes_.texts().size(); ++i)
      out += wrapped("  [" + std::to_string(i + 1) + "] ", notes_.texts()[i], width_);
    return out;
  }

 private:
  bool is_bar(std::size_t i) const { return table_.columns[shown_[i]].kind == Column::Kind::bar; }
  bool is_name(std::size_t i) const { return table_.columns[shown_[i]].kind == Column::Kind::name; }
  Align align(std::size_t i) const {
    return table_.columns[shown_[i]].kind == Column::Kind::number ? Align::right : Align::left;
  }
  std::size_t first_name() const {
    std::size_t i = 0;
    while (i < shown_.size() && !is_name(i)) ++i;
    return i;
  }
  std::size_t total() const {
    const std::size_t columns = std::accumulate(widths_.begin(), widths_.end(), std::size_t{0}) +
                                std::accumulate(besides_.begin(), besides_.end(), std::size_t{0});
    return kIndent + columns + kGap * (shown_.empty() ? 0 : shown_.size() - 1);
  }

  std::string first_line(const Cell& cell) {
    std::string line = std::string(std::size_t{2} * cell.indent, ' ') + cell.text;
    if (!cell.tag.empty()) line += " (" + cell.tag + ")";
    if (!cell.note.empty()) line += " [" + std::to_string(notes_.add(cell.note)) + "]";
    return line;
  }

  const Cell& cell(const Row& row, std::size_t i) const {
    static const Cell kNone;
    return shown_[i] < row.cells.size() ? row.cells[shown_[i]] : kNone;
  }

  void measure() {
    for (std::size_t i = 0; i < shown_.size(); ++i) {
      std::size_t width = columns(table_.columns[shown_[i]].title), beside = 0;
      if (is_bar(i)) width = std::max(width, kShortestBar);
      for (const Row& row : table_.rows) {
        const Cell& c = cell(row, i);
        width = std::max(width, columns(first_line(c)));
        for (const std::string& line : c.below) width = std::max(width, columns(line));
        if (!c.beside.empty()) beside = std::max(beside, columns(c.beside) + 1);
      }
      widths_.push_back(width);
      besides_.push_back(beside);
      // A title may extend over the second value.
      if (const std::size_t title = columns(table_.columns[shown_[i]].title); title == width && beside > 0) {
        std::size_t widest = 0;
        for (const Row& row : table_.rows) widest = std::max(widest, columns(first_line(cell(row, i))));
        widths_[i] = std::max(widest, title > beside ? title - beside : 0);
      }
    }
    while (total() > width_) {
      std::size_t widest = shown_.size();
      for (std::size_t i = 0; i < shown_.size(); ++i)
        if (is_name(i) && widths_[i] > kShortestName && (widest == shown_.size() || widths_[i] > widths_[widest]))
          widest = i;
      if (widest == shown_.size()) return;
      --widths_[widest];
    }
    for (std::size_t i = 0; i < shown_.size(); ++i)
      if (is_bar(i) && total() < width_) widths_[i] += width_ - total();
  }

  static void put(std::string line, std::string& out) {
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }

  // One line of a row: what(i) is the text in a column, beside(i) the second value.
  template <typename What, typename Beside>
  void put_line(std::size_t left_out, What what, Beside beside, std::string& out) const {
    std::string line(kIndent, ' ');
    bool first = true;
    for (std::size_t i = 0; i < shown_.size(); ++i) {
      if (i == left_out) continue;
      if (!first) line += std::string(kGap, ' ');
      first = false;
      line += padded(what(i), widths_[i], align(i));
      if (besides_[i] > 0) line += padded(beside(i), besides_[i], Align::right);
    }
    put(std::move(line), out);
  }

  std::string heads(std::size_t left_out) const {
    std::string out, line(kIndent, ' ');
    bool first = true;
    for (std::size_t i = 0; i < shown_.size(); ++i) {
      if (i == left_out) continue;
      if (!first) line += std::string(kGap, ' ');
      first = false;
      line += padded(table_.columns[shown_[i]].title, widths_[i] + besides_[i], align(i));
    }
    put(std::move(line), out);
    return out;
  }

  std::string laid(const Row& row, std::size_t own_line) {
    std::string out;
    if (!row.group.empty()) out += "\n" + wrapped("  ", row.group, width_);
    if (nothing_in(row)) return out + below(row);
    std::vector<std::vector<std::string>> lines(shown_.size());
    for (std::size_t i = 0; i < shown_.size(); ++i) {
      const Cell& c = cell(row, i);
      if (i == own_line) {
        std::string text = shortened(first_line(c), width_ - kIndent);
        for (const std::string& more : c.below) text += "; " + more;
        out += wrapped("  ", text, width_);
        continue;
      }
      const std::string margin(std::size_t{2} * c.indent, ' ');
      if (is_bar(i)) {
        if (c.bars.size() == 1) lines[i] = {bar_text(c.bars[0], widths_[i])};
      } else if (is_name(i)) {
        std::string text = first_line(c).substr(margin.size());
        const std::size_t room = widths_[i] > margin.size() ? widths_[i] - margin.size() : 1;
        lines[i] = folded(text, room);
        for (const std::string& more : c.below)
          for (std::string& line : folded(more, room)) lines[i].push_back(std::move(line));
        for (std::string& line : lines[i]) line.insert(0, margin);
      } else {
        lines[i] = {first_line(c)};
        lines[i].insert(lines[i].end(), c.below.begin(), c.below.end());
      }
    }
    std::size_t high = 1;
    for (const auto& cell_lines : lines) high = std::max(high, cell_lines.size());
    for (std::size_t n = 0; n < high; ++n)
      put_line(
          own_line, [&](std::size_t i) { return n < lines[i].size() ? lines[i][n] : std::string(); },
          [&](std::size_t i) { return n == 0 ? cell(row, i).beside : std::string(); }, out);
    return out + below(row);
  }

  bool nothing_in(const Row& row) const {
    return row.drawing ||
           std::ranges::all_of(row.cells, [](const Cell& c) { return c.text.empty() && c.bars.size() != 1; });
  }

  std::string record(const Row& row) {
    std::string text, group;
    if (!row.group.empty()) group = "\n" + wrapped("  ", row.group, width_);
    if (nothing_in(row)) return group + below(row);
    for (std::size_t i = 0; i < shown_.size(); ++i) {
      const Cell& c = cell(row, i);
      std::string value = first_line(c);
      if (value.empty()) continue;
      if (is_name(i)) value = shortened(value, width_ - kShortestName);
      if (const std::string& title = table_.columns[shown_[i]].title; !title.empty()) value.insert(0, title + " ");
      std::string more = c.beside;
      for (const std::string& line : c.below) more += (more.empty() ? "" : ", ") + line;
      text += (text.empty() ? "" : "; ") + value + (more.empty() ? "" : " (" + more + ")");
    }
    return group + wrapped("  ", text, width_) + below(row);
  }

  std::string below(const Row& row) const {
    std::string out;
    for (const auto& [tone, text] : row.below) out += wrapped(kBelowRow, text, width_);
    return out;
  }

  const Table& table_;
  std::size_t width_;
  std::vector<std::size_t> shown_, widths_, besides_;  // indices of columns; widths by place in shown_
  Footnotes notes_;
};

}  // namespace

std::string table_text(const Table& table, std::size_t width) { return Layout(table, width).text(); }

}  // namespace tailcap::render

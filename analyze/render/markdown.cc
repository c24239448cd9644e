// A document as Markdown, to be pasted into an issue.
#include <algorithm>

#include "analyze/render/document.h"
#include "analyze/render/escape.h"

namespace tailcap::render {
namespace {

std::string strong(bool is, std::string escaped) { return is && !escaped.empty() ? "**" + escaped + "**" : escaped; }

std::string inline_text(const Text& text) {
  std::string out;
  for (const TextRun& run : text.runs) out += strong(run.strong, markdown(run.text));
  return out;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  while (times-- > 0) out += text;
  return out;
}

class MarkdownPrinter {
 public:
  void print(const std::vector<Block>& blocks) {
    for (const Block& block : blocks)
      std::visit([this](const auto& b) { print(b); }, static_cast<const Block::variant&>(block));
  }
  std::string take() { return std::move(out_); }

 private:
  void apart() {
    if (!out_.empty()) out_ += "\n";
  }

  void print(const Heading& heading) {
    apart();
    out_ += std::string(static_cast<std::size_t>(heading.level) + 1, '#') + " " + markdown(heading.text) + "\n";
  }

  void print(const Paragraph& paragraph) {
    apart();
    out_ += strong(paragraph.tone == Tone::alarm, inline_text(paragraph.text)) + "\n";
  }

  void print(const List& list) {
    apart();
    std::size_t number = 0;
    for (const auto& item : list.items) {
      const std::string mark = list.numbered ? std::to_string(++number) + ". " : "- ";
      out_ += mark + inline_text(item.text);
      for (const std::string& command : item.commands)
        out_ += "\\\n" + std::string(mark.size(), ' ') + markdown("$ " + command);
      out_ += "\n";
    }
  }

  void print(const Facts& facts) {
    if (facts.verdict) {
      apart();
      out_ += strong(facts.verdict->tone == Tone::alarm, markdown(facts.verdict->text)) + "\n";
    }
    if (facts.lines.empty()) return;
    apart();
    out_ += "| | |\n| --- | --- |\n";
    for (const auto& line : facts.lines)
      out_ += "| " + strong(line.tone != Tone::plain, markdown(line.label)) + " | " + markdown(line.text) + " |\n";
  }

  // "12.3 ms, 4 % (11.9–12.8) \[1\]"
  static std::string cell_text(const Cell& cell, bool whole_row_strong, Footnotes& notes) {
    std::string out = strong(cell.strong || whole_row_strong, markdown(cell.text));
    if (!cell.tag.empty()) out += " (" + markdown(cell.tag) + ")";
    if (!cell.beside.empty()) out += ", " + markdown(cell.beside);
    std::string below;
    for (const std::string& line : cell.below) below += (below.empty() ? "" : "; ") + markdown(line);
    if (!below.empty()) out += " (" + below + ")";
    if (!cell.note.empty()) out += " \\[" + std::to_string(notes.add(cell.note)) + "\\]";
    return out;
  }

  void print(const Table& table) {
    if (table.rows.empty() || table.drawing) return;
    std::vector<std::size_t> shown;
    std::size_t about_row = 0;  // the column whose cells also hold what is said below their row
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (table.columns[c].kind == Column::Kind::picture || table.columns[c].kind == Column::Kind::bar) continue;
      shown.push_back(c);
      if (table.columns[c].kind == Column::Kind::name) about_row = c;
    }
    apart();
    std::string titles = "|", marks = "|";
    for (const std::size_t c : shown) {
      titles += " " + markdown(table.columns[c].title) + " |";
      marks += table.columns[c].kind == Column::Kind::number ? " ---: |" : " --- |";
    }
    out_ += titles + "\n" + marks + "\n";
    Footnotes notes;
    for (const Row& row : table.rows) {
      if (!row.group.empty()) out_ += "| **" + markdown(row.group) + "** |" + repeated(" |", shown.size() - 1) + "\n";
      if (row.drawing) continue;
      out_ += "|";
      for (const std::size_t c : shown) {
        std::string text = c < row.cells.size() ? cell_text(row.cells[c], row.strong, notes) : std::string();
        for (const auto& [tone, line] : row.below)
          if (c == about_row) text += (text.empty() ? "" : "; ") + strong(tone == Tone::alarm, markdown(line));
        out_ += " " + text + " |";
      }
      out_ += "\n";
    }
    for (std::size_t i = 0; i < notes.texts().size(); ++i)
      out_ += "\n\\[" + std::to_string(i + 1) + "\\] " + markdown(notes.texts()[i]) + "\n";
  }

  void print(const Code& code) {
    std::size_t longest = 2, run = 0;  // no run of backticks inside ends the block
    for (const std::string& line : code.lines)
      for (const char c : line) longest = std::max(longest, run = c == '`' ? run + 1 : 0);
    const std::string fence(longest + 1, '`');
    apart();
    out_ += fence + "\n";
    for (const std::string& line : code.lines) out_ += line + "\n";
    out_ += fence + "\n";
  }

  void print(const Figures& figures) {
    for (const Figure& figure : figures.all) {
      if (figure.lines.empty()) continue;
      print(Code{figure.lines});
      if (!figure.lines_caption.empty()) out_ += "\n" + markdown(figure.lines_caption) + "\n";
    }
  }

  void print(const Details& details) {
    apart();
    out_ += "<details><summary>" + markdown(details.summary) + "</summary>\n";
    print(details.blocks);
    out_ += "\n</details>\n";
  }

  std::string out_;
};

}  // namespace

std::string to_markdown(const Document& document) {
  MarkdownPrinter printer;
  printer.print(document.blocks);
  return printer.take();
}

}  // namespace tailcap::render

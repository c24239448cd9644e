// A document on a terminal.
#include <algorithm>

#include "analyze/render/document.h"
#include "analyze/render/escape.h"
#include "analyze/render/lines.h"
#include "analyze/render/text_table.h"

namespace tailcap::render {
namespace {

constexpr std::size_t kNarrowest = 40, kWidestLabel = 24;

std::string_view sign(Tone tone) { return tone == Tone::alarm ? "!! " : tone == Tone::care ? " ! " : "   "; }

class Printer {
 public:
  explicit Printer(std::size_t width) : width_(std::max(width, kNarrowest)) {}

  void print(const std::vector<Block>& blocks) {
    for (const Block& block : blocks)
      std::visit([this](const auto& b) { print(b); }, static_cast<const Block::variant&>(block));
  }
  std::string take() { return std::move(out_); }

 private:
  void print(const Heading& heading) {
    if (!out_.empty()) out_ += "\n";
    if (heading.level == 1) {
      out_ += wrapped("", heading.text, width_);
    } else if (heading.level == 2) {
      std::string line = "── " + shortened(heading.text, width_ - 6) + " ";
      for (std::size_t used = columns(line); used < width_; ++used) line += "─";
      out_ += line + "\n";
    } else {
      out_ += (heading.level == 3 ? "" : "  ") + shortened(heading.text, width_ - 2) + "\n";
    }
  }

  void print(const Paragraph& paragraph) {
    if (paragraph.kind == Paragraph::Kind::footer) out_ += "\n";
    const std::string_view first = paragraph.tone == Tone::plain ? "  " : sign(paragraph.tone);
    out_ += wrapped(first, paragraph.text.plain(), width_);
  }

  void print(const List& list) {
    std::size_t number = 0;
    for (const auto& item : list.items) {
      const std::string mark = list.numbered ? std::to_string(++number) + ". " : list.boxed ? "" : "· ";
      out_ += wrapped("  " + mark, item.text.plain(), width_);
      for (const std::string& command : item.commands)
        out_ += std::string(2 + columns(mark), ' ') + "$ " + command + "\n";
    }
  }

  void print(const Facts& facts) {
    if (facts.verdict) out_ += wrapped(sign(facts.verdict->tone), facts.verdict->text, width_);
    std::size_t label = 0;
    for (const auto& line : facts.lines) label = std::max(label, columns(line.label));
    label = std::min(label, kWidestLabel) + 2;
    for (const auto& line : facts.lines)
      out_ += wrapped(std::string(sign(line.tone)) + padded(line.label, label), line.text, width_);
  }

  void print(const Table& table) {
    if (!table.drawing) out_ += table_text(table, width_);
  }

  void print(const Code& code) {
    for (const std::string& line : code.lines) out_ += wrapped("  ", line, width_);
  }

  void print(const Figures& figures) {
    for (const Figure& figure : figures.all) {
      for (const std::string& line : figure.lines) out_ += "  " + shortened(line, width_ - 2) + "\n";
      if (!figure.lines.empty() && !figure.lines_caption.empty()) out_ += wrapped("  ", figure.lines_caption, width_);
    }
  }

  void print(const Details& details) {
    print(Heading{4, details.summary, {}});
    print(details.blocks);
  }

  std::size_t width_;
  std::string out_;
};

}  // namespace

std::string to_text(const Document& document, std::size_t width) {
  Printer printer(width);
  printer.print(document.blocks);
  return printer.take();
}

}  // namespace tailcap::render

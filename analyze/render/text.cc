// A document on a terminal.
#include <algorithm>

#include "analyze/render/document.h"
#include "analyze/render/escape.h"
#include "analyze/render/lines.h"
#include "analyze/render/style.h"
#include "analyze/render/text_table.h"

namespace tailcap::render {
namespace {

constexpr std::size_t kNarrowest = 40, kWidestLabel = 24;

std::string_view sign(Tone tone) { return tone == Tone::alarm ? "!! " : tone == Tone::care ? " ! " : "   "; }

std::string_view style_of(Tone tone) { return tone == Tone::alarm ? kAlarm : tone == Tone::care ? kCare : ""; }

std::string_view style_of(List::Accent accent) {
  switch (accent) {
    case List::Accent::severe:
      return kAlarm;
    case List::Accent::notable:
      return kCare;
    case List::Accent::note:
    case List::Accent::none:
      break;
  }
  return kBold;
}

class TextPrinter {
 public:
  TextPrinter(std::size_t width, bool coloured) : width_(std::max(width, kNarrowest)), coloured_(coloured) {}

  void print(const std::vector<Block>& blocks) {
    for (const Block& block : blocks)
      std::visit([this](const auto& b) { print(b); }, static_cast<const Block::variant&>(block));
  }
  std::string take() { return std::move(out_); }

 private:
  void print(const Heading& heading) {
    if (!out_.empty()) out_ += "\n";
    if (heading.level == 1) {
      out_ += styled(wrapped("", heading.text, width_), kBold);
    } else if (heading.level == 2) {
      std::string line = "── " + shortened(heading.text, width_ - 6) + " ";
      for (std::size_t used = columns(line); used < width_; ++used) line += "─";
      out_ += styled(line + "\n", kBold);
    } else {
      out_ += styled((heading.level == 3 ? "" : "  ") + shortened(heading.text, width_ - 2) + "\n", kBold);
    }
  }

  void print(const Paragraph& paragraph) {
    if (paragraph.kind == Paragraph::Kind::footer) out_ += "\n";
    const std::string_view first = paragraph.tone == Tone::plain ? "  " : sign(paragraph.tone);
    const bool soft = paragraph.tone == Tone::plain && paragraph.kind != Paragraph::Kind::body;
    out_ += styled(wrapped(first, paragraph.text.plain(), width_), soft ? kDim : style_of(paragraph.tone));
  }

  void print(const List& list) {
    std::size_t number = 0;
    for (const auto& item : list.items) {
      const std::string mark = list.numbered ? std::to_string(++number) + ". " : list.boxed ? "" : "· ";
      std::string text = wrapped("  " + mark, item.text.plain(), width_);
      if (list.numbered) text = styled("  " + mark, style_of(item.accent)) + text.substr(2 + mark.size());
      out_ += text;
      for (const std::string& command : item.commands)
        out_ += styled(std::string(2 + columns(mark), ' ') + "$ " + command + "\n", kCommand);
    }
  }

  void print(const Facts& facts) {
    if (facts.verdict)
      out_ += styled(wrapped(sign(facts.verdict->tone), facts.verdict->text, width_),
                     facts.verdict->tone == Tone::plain ? kGood : style_of(facts.verdict->tone));
    std::size_t label = 0;
    for (const auto& line : facts.lines) label = std::max(label, columns(line.label));
    label = std::min(label, kWidestLabel) + 2;
    for (const auto& line : facts.lines)
      out_ += styled(wrapped(std::string(sign(line.tone)) + padded(line.label, label), line.text, width_),
                     style_of(line.tone));
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

  std::string styled(const std::string& text, std::string_view style) const {
    return coloured_ ? render::styled(text, style) : text;
  }

  std::size_t width_;
  bool coloured_;
  std::string out_;
};

}  // namespace

std::string styled(const std::string& text, std::string_view style) {
  if (style.empty()) return text;
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += "\x1b[" + std::string(style) + "m" + text.substr(begin, end - begin) + "\x1b[0m";
    if (end < text.size()) out += '\n';
    begin = end + 1;
  }
  return out;
}

std::string to_text(const Document& document, std::size_t width, bool coloured) {
  TextPrinter printer(width, coloured);
  printer.print(document.blocks);
  return printer.take();
}

}  // namespace tailcap::render

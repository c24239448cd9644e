// A document as one page that needs nothing else.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analyze/render/bar.h"
#include "analyze/render/document.h"
#include "analyze/render/escape.h"
#include "analyze/render/page.h"

namespace tailcap::render {
namespace {

constexpr std::int64_t kCellUnits = 100'000, kThinnest = 100;  // of a bar: integers, the same everywhere

std::string_view class_of(Tone tone) { return tone == Tone::alarm ? "alarm" : tone == Tone::care ? "care" : "plain"; }
std::string_view colour_class(Tone tone) { return tone == Tone::alarm ? " bad" : tone == Tone::care ? " warn" : ""; }

std::string classed(std::string_view name, std::string classes) {
  while (classes.starts_with(' ')) classes.erase(0, 1);
  return "<" + std::string(name) + (classes.empty() ? ">" : " class=\"" + classes + "\">");
}

std::string linked(std::string escaped, const std::string& link) {
  return link.empty() ? escaped : "<a href=\"#" + html(link) + "\">" + escaped + "</a>";
}

// A path, or a URL of HTTP: whatever the text is, no other scheme comes of it.
std::string outside_link(const std::string& target) {
  if (target.starts_with("http://") || target.starts_with("https://")) return html(target);
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  std::string out(target.starts_with('/') ? "file://" : "./");
  char escaped[4];
  for (const char c : target) {
    std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned char>(c));
    out += kPlain.find(c) != kPlain.npos ? std::string(1, c) : std::string(escaped);
  }
  return out;
}

std::string inline_html(const Text& text) {
  std::string out;
  for (const TextRun& run : text.runs) {
    const std::string escaped = linked(html(run.text), run.link);
    out += run.strong ? "<strong>" + escaped + "</strong>" : escaped;
  }
  return out;
}

std::string identified(const std::string& anchor) { return anchor.empty() ? "" : " id=\"" + html(anchor) + "\""; }

constexpr std::size_t kWorthContents = 4;  // chapters
constexpr std::string_view kImage = " role=\"img\"";

// A figure has its caption for a name; a drawing without one says what it is.
std::string figure_html(std::string svg, bool captioned) {
  const std::size_t at = svg.find(kImage);
  if (at == svg.npos) return svg;
  return captioned ? svg.erase(at, kImage.size()) : svg.insert(at + kImage.size(), " aria-label=\"chart\"");
}
// Drawings that repeat the text beside them are nothing to those who hear the page.
std::string pictures_html(std::string svgs) {
  for (std::size_t at = svgs.find(kImage); at != svgs.npos; at = svgs.find(kImage, at))
    svgs.replace(at, kImage.size(), " aria-hidden=true");
  return svgs;
}

bool sortable(const Block& block) {
  if (const auto* table = std::get_if<Table>(&block)) return table->sortable;
  const auto* details = std::get_if<Details>(&block);
  return details && std::ranges::any_of(details->blocks, sortable);
}

// A chapter is what is under a heading of level 2, a part what is under one of level 3.
class HtmlPrinter {
 public:
  void print_document(const Document& document) {
    for (const Block& block : document.blocks)
      if (const auto* heading = std::get_if<Heading>(&block); heading && heading->level == 2)
        chapters_.push_back(heading->text);
    search_ = std::ranges::any_of(document.blocks, sortable);
    print(document.blocks);
    end_part();
  }
  std::string take() { return std::move(out_); }

 private:
  void print(const std::vector<Block>& blocks) {
    for (const Block& block : blocks)
      std::visit([this](const auto& b) { print(b); }, static_cast<const Block::variant&>(block));
  }

  void end_part() {
    if (in_part_) out_ += "</section>\n";
    in_part_ = false;
  }

  void print_contents() {
    if (chapters_.size() < kWorthContents) return;
    out_ += "<nav aria-label=\"Contents\">";
    for (std::size_t i = 0; i < chapters_.size(); ++i)
      out_ += "<a href=\"#chapter-" + std::to_string(i + 1) + "\">" + html(chapters_[i]) + "</a>";
    if (search_)
      out_ +=
          "<span class=\"search\" hidden><output id=\"found\"></output><input id=\"search\" type=\"search\" "
          "placeholder=\"Find a route\" aria-label=\"Find a route or request\"></span>";
    out_ += "</nav>\n";
  }

  void print(const Heading& heading) {
    if (depth_ == 0 && heading.level <= 3) end_part();
    if (depth_ == 0 && heading.level == 3) {
      out_ += "<section class=\"part\">\n";
      in_part_ = true;
    }
    const std::string name = "h" + std::to_string(heading.level);
    std::string anchor = heading.anchor;
    if (depth_ == 0 && heading.level == 2) {
      if (chapter_ == 0) print_contents();
      anchor = "chapter-" + std::to_string(++chapter_);
    }
    out_ += "<" + name + identified(anchor) + ">" + html(heading.text) + "</" + name + ">\n";
  }

  void print(const Paragraph& paragraph) {
    const bool footer = paragraph.kind == Paragraph::Kind::footer;
    std::string classes(paragraph.kind == Paragraph::Kind::note ? "soft" : "");
    const std::string name = footer ? "footer" : "p";
    out_ += classed(name, classes + std::string(colour_class(paragraph.tone))) + inline_html(paragraph.text) + "</" +
            name + ">\n";
  }

  void print_boxed(const List::Item& item) {
    constexpr std::string_view kAccents[] = {"", " class=\"severe\"", " class=\"notable\"", " class=\"note\""};
    out_ += "<li" + identified(item.anchor) + std::string(kAccents[static_cast<std::size_t>(item.accent)]) + "><p>";
    for (const std::string& mark : item.marks) out_ += "<span class=\"mark\">" + html(mark) + "</span>";
    out_ += inline_html(item.text) + "</p>" + pictures_html(item.picture);
    if (!item.links.empty() || !item.commands.empty()) {
      out_ += "<p class=\"links\">";
      for (const TextRun& run : item.links) out_ += linked(html(run.text), run.link) + " ";
      for (const std::string& command : item.commands) out_ += "<code>" + html(command) + "</code>";
      out_ += "</p>";
    }
    out_ += "</li>\n";
  }

  void print(const List& list) {
    const std::string tag = list.numbered ? "ol" : "ul";
    out_ += "<" + tag + (list.boxed ? " class=\"verdicts\">\n" : ">\n");
    for (const auto& item : list.items) {
      if (list.boxed) {
        print_boxed(item);
        continue;
      }
      out_ += "<li>" + inline_html(item.text);
      for (const std::string& command : item.commands) out_ += "<br><code>" + html(command) + "</code>";
      out_ += "</li>\n";
    }
    out_ += "</" + tag + ">\n";
  }

  void print(const Facts& facts) {
    if (facts.boxed) out_ += "<div class=\"box\">\n";
    if (facts.verdict)
      out_ += classed("div", "verdict " + std::string(class_of(facts.verdict->tone))) + html(facts.verdict->text) +
              "</div>\n";
    if (facts.lines.empty()) {
      if (facts.boxed) out_ += "</div>\n";
      return;
    }
    out_ += "<dl class=\"quality\">\n";
    for (const auto& line : facts.lines) {
      const std::string tone(class_of(line.tone));
      out_ += classed("dt", tone) + html(line.label) + "</dt>" + classed("dd", tone) + html(line.text) + "</dd>\n";
    }
    out_ += facts.boxed ? "</dl>\n</div>\n" : "</dl>\n";
  }

  static std::string small(const std::string& text, Tone tone = Tone::plain) {
    return classed("span", "ci" + std::string(colour_class(tone))) + html(text) + "</span>";
  }

  static std::string attributes(const Cell& cell, Column::Kind kind, bool bars) {
    std::string out;
    if (kind == Column::Kind::name) out += " class=\"name\"";
    if (kind == Column::Kind::word) out += " class=\"left\"";
    if (kind == Column::Kind::bar || (kind == Column::Kind::picture && bars)) out += " class=\"track\"";
    // Exact to the nanosecond for 104 days, and no locale.
    if (cell.sort_key) out += " data-v=\"" + std::to_string(std::llround(*cell.sort_key * 1000)) + "\"";
    if (!cell.hint.empty()) out += " title=\"" + html(cell.hint) + "\"";
    if (cell.indent > 0) out += " style=\"padding-left:" + std::to_string(8 + 14 * cell.indent) + "px\"";
    return out;
  }

  static std::string bars_svg(const std::vector<Bar>& bars) {
    if (bars.empty()) return {};
    const auto units = [](double share) {
      return static_cast<std::int64_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(kCellUnits) + 0.5);
    };
    ground::Svg out = bar_svg(kCellUnits);
    for (const Bar& bar : bars) {
      const std::int64_t from = std::min(units(bar.from), kCellUnits - kThinnest);
      add_bar(out, from, std::max(units(bar.to) - from, kThinnest), bar.colour, bar.hint);
    }
    return out.close("svg").take();
  }

  std::string cell_html(const Cell& cell, Footnotes& notes) {
    std::string text = linked(html(cell.text), cell.link);
    if (!cell.outside.empty()) text = "<a href=\"" + outside_link(cell.outside) + "\">" + text + "</a>";
    if (!cell.command.empty())
      text = "<details class=\"id\"><summary>" + text + "</summary><code>" + html(cell.command) + "</code></details>";
    if (cell.strong) text = "<strong>" + text + "</strong>";
    if (cell.tone != Tone::plain)
      text = classed("span", std::string(colour_class(cell.tone)).substr(1)) + text + "</span>";
    std::string out;
    if (!cell.colour.empty()) out += "<i class=\"swatch\" style=\"background:" + html(cell.colour) + "\"></i>";
    out += text + pictures_html(cell.picture) + pictures_html(bars_svg(cell.bars));
    if (!cell.tag.empty()) out += classed("span", cell.strong ? "tag" : "tag aside") + html(cell.tag) + "</span>";
    if (!cell.note.empty()) out += "<sup>" + std::to_string(notes.add(cell.note)) + "</sup>";
    if (!cell.beside.empty()) out += small(cell.beside);
    for (const std::string& line : cell.below) out += small(line);
    return out;
  }

  void legend(const std::vector<LegendEntry>& entries) {
    if (entries.empty()) return;
    out_ += "<ul class=\"legend\">";
    for (const auto& entry : entries)
      out_ += "<li><i style=\"background:" + html(entry.colour) + "\"></i>" + html(entry.name) + "</li>";
    out_ += "</ul>\n";
  }

  void print(const Table& table) {
    if (table.rows.empty()) return;
    legend(table.legend);
    const bool coloured = std::ranges::any_of(table.rows, [](const Row& row) {
      return std::ranges::any_of(row.cells, [](const Cell& cell) { return !cell.colour.empty(); });
    });
    std::string classes = std::string(table.sortable ? " sortable" : "") + (coloured || table.bars ? " tail" : "") +
                          (table.bars ? " stacked" : "");
    out_ += "<div class=\"wide\">" + classed("table", std::move(classes)) + "\n";
    std::size_t about_row = table.columns.size();
    for (std::size_t c = 0; c < table.columns.size(); ++c)
      if (table.columns[c].kind == Column::Kind::name) about_row = c;
    if (table.headed()) {
      out_ += "<thead><tr>";
      for (const Column& column : table.columns) {
        const std::string tag = column.title.empty() ? "td" : "th";
        out_ += classed(tag, column.kind == Column::Kind::name     ? "name"
                             : column.kind == Column::Kind::number ? ""
                                                                   : "left") +
                html(column.title) + "</" + tag + ">";
      }
      out_ += "</tr></thead>\n";
    }
    out_ += "<tbody>\n";
    Footnotes notes;
    for (const Row& row : table.rows) {
      if (!row.group.empty())
        out_ += "<tr><td class=\"name\" colspan=\"" + std::to_string(table.columns.size()) + "\"><strong>" +
                html(row.group) + "</strong></td></tr>\n";
      out_ += classed("tr", row.strong ? "total" : row.last ? "last" : "");
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        static const Cell kNone;
        const Cell& cell = c < row.cells.size() ? row.cells[c] : kNone;
        // Columns of bars have no heads: the row's name says what their cells are.
        const bool heads_row = table.bars && c == about_row;
        out_ += (heads_row ? "<th scope=\"row\"" : "<td") + attributes(cell, table.columns[c].kind, table.bars) + ">" +
                cell_html(cell, notes);
        if (c == about_row)
          for (const auto& [tone, text] : row.below) out_ += small(text, tone);
        out_ += heads_row ? "</th>" : "</td>";
      }
      out_ += "</tr>\n";
    }
    out_ += "</tbody></table></div>\n";
    if (notes.texts().empty()) return;
    out_ += "<ol class=\"notes\">";
    for (const std::string& text : notes.texts()) out_ += "<li>" + html(text) + "</li>";
    out_ += "</ol>\n";
  }

  void print(const Code& code) {
    out_ += "<pre>";
    for (const std::string& line : code.lines) out_ += html(line) + "\n";
    out_ += "</pre>\n";
  }

  void print(const Figures& figures) {
    if (figures.all.size() > 1) out_ += "<div class=\"card\">\n";
    for (const Figure& figure : figures.all) {
      if (figure.svg.empty()) continue;
      out_ += "<figure" + identified(figure.anchor) + ">\n" + figure_html(figure.svg, !figure.caption.empty());
      legend(figure.legend);
      if (!figure.caption.empty()) out_ += "<figcaption>" + html(figure.caption) + "</figcaption>";
      out_ += "</figure>\n";
    }
    if (figures.all.size() > 1) out_ += "</div>\n";
  }

  void print(const Details& details) {
    out_ += "<details" + identified(details.anchor) + (details.open ? " open" : "") + "><summary>" +
            html(details.summary) + "</summary>\n";
    ++depth_;
    print(details.blocks);
    --depth_;
    out_ += "</details>\n";
  }

  std::string out_;
  std::vector<std::string> chapters_;
  std::size_t chapter_ = 0, depth_ = 0;  // the one being printed; foldouts around it
  bool in_part_ = false, search_ = false;
};

}  // namespace

std::string to_html(const Document& document, const EmbeddedData& data) {
  HtmlPrinter printer;
  printer.print_document(document);
  return page(document.title(), printer.take(), data);
}

}  // namespace tailcap::render

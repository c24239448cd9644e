// The output of a command before it becomes text for a terminal, Markdown or a page: blocks in reading order. Each
// format shows every block. Content that only a page can show (drawings, exact values under the mouse) is an addition
// to text beside it.
//
// All strings are printable() and not escaped; the renderers escape them. Drawings are SVG that this program made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tailcap::render {

enum class Tone : std::uint8_t {
  plain,
  care,   // limits what can be said
  alarm,  // must not be overlooked
};

// A piece of a sentence.
struct TextRun {
  std::string text;
  std::string link{};  // an anchor of this document, followed on a page; empty: none
  bool strong = false;
};

struct Text {
  std::vector<TextRun> runs;

  Text() = default;
  Text(std::string text) : runs{{std::move(text), {}, false}} {}
  Text(const char* text) : Text(std::string(text)) {}
  std::string plain() const;
};

struct Heading {
  int level = 2;  // 1: the title of the document
  std::string text;
  std::string anchor{};  // what links name; empty: none
};

struct Paragraph {
  enum class Kind : std::uint8_t { body, note, footer };  // a note explains what is above it
  Text text;
  Tone tone = Tone::plain;
  Kind kind = Kind::body;
};

struct List {
  enum class Accent : std::uint8_t { none, severe, notable, note };
  struct Item {
    Text text;
    Accent accent = Accent::none;
    std::vector<std::string> commands{};  // to type next, each on a line of its own
    // On a page only:
    std::string anchor{};
    std::vector<std::string> marks{};  // words before the text: how much it matters, who caused it
    std::string picture{};             // SVG
    std::vector<TextRun> links{};      // to what shows it
  };
  std::vector<Item> items;
  bool numbered = false;
  bool boxed = false;  // the sentences that matter most in the document
};

// Labelled lines; boxed under a verdict at the head of a document.
struct Facts {
  struct Line {
    Tone tone = Tone::plain;
    std::string label;
    std::string text;
  };
  std::optional<Line> verdict;
  std::vector<Line> lines;
  bool boxed = false;
};

struct LegendEntry {
  std::string name, colour;
};

// A part of an axis that all rows of a table share, from 0 to 1.
struct Bar {
  double from = 0, to = 0;
  std::string colour, hint;  // on a page
};

struct Cell {
  std::string text;
  std::string beside;              // a second value of the same thing: its share
  std::vector<std::string> below;  // further lines in the same column: an interval, a name
  std::string note;                // why the value is refused or limited: a footnote
  std::string hint;                // every digit of it; on a page only
  std::string link;
  std::string outside;  // path or URL of what the text names: followed on a page
  std::string tag;      // a mark beside a name: "cause"
  std::string command;  // shows more about it: unfolded below the text; on a page only
  std::string colour;
  std::string picture;             // SVG; on a page only
  std::vector<Bar> bars;           // several are shown on a page only
  std::optional<double> sort_key;  // unset: sorts by its text
  Tone tone = Tone::plain;
  bool strong = false;
  std::uint8_t indent = 0;

  Cell() = default;
  Cell(std::string value) : text(std::move(value)) {}
  Cell(std::string_view value) : text(value) {}
  Cell(const char* value) : text(value) {}
};

struct Column {
  enum class Kind : std::uint8_t {
    number,   // aligned to the right
    word,     // an id, a result: aligned to the left, never shortened
    name,     // aligned to the left; broken into lines or shortened where there is no room
    bar,      // bars on an axis
    picture,  // on a page only
  };
  std::string title;
  Kind kind = Kind::number;
};

struct Row {
  std::vector<Cell> cells;
  std::vector<std::pair<Tone, std::string>> below{};  // sentences about the row, under it
  bool strong = false;
  std::string group{};   // a line of its own before this row; empty: none
  bool drawing = false;  // what it shows is in other rows too: on a page only
  bool last = false;     // stays last when a page sorts or searches the table: what is left out
};

// Cells beyond the columns are not shown; missing ones are empty.
struct Table {
  std::vector<Column> columns;
  std::vector<Row> rows;
  bool sortable = false;            // on a page
  bool drawing = false;             // its values are in another table too: on a page only
  bool bars = false;                // rows without lines between them, for bars that are compared
  std::vector<LegendEntry> legend;  // of the colours in its pictures

  bool headed() const;  // a column has a title
};

// Lines as they are in a message or a file.
struct Code {
  std::vector<std::string> lines;
};

// A drawing. Formats without drawings show its lines, which have equal width, unchanged; without lines it is shown on a
// page only.
struct Figure {
  std::string anchor{};
  std::string svg{};
  std::string caption{};
  std::vector<LegendEntry> legend{};
  std::vector<std::string> lines{};
  std::string lines_caption{};
};

// Next to each other where there is room.
struct Figures {
  std::vector<Figure> all;
};

struct Block;

// Folded on a page and in Markdown, in full on a terminal.
struct Details {
  std::string summary;
  std::vector<Block> blocks;
  bool open = false;
  std::string anchor{};
};

struct Block : std::variant<Heading, Paragraph, List, Facts, Table, Code, Figures, Details> {
  using variant::variant;
};

struct Document {
  std::vector<Block> blocks;

  void add(Block block) { blocks.push_back(std::move(block)); }
  void heading(int level, std::string text, std::string anchor = {});
  void paragraph(Text text, Tone tone = Tone::plain);
  void note(Text text);
  void list(const std::vector<std::string>& items);  // nothing if there are none
  void append(Document&& other);
  bool empty() const { return blocks.empty(); }
  std::string title() const;  // of its first heading
};

// width: columns; less than 40 counts as 40. coloured: with the terminal's escape sequences for tones and headings.
std::string to_text(const Document& document, std::size_t width, bool coloured = false);
std::string to_markdown(const Document& document);
// In base64: what the instrument of a page works with. Without requests, the page has no instrument.
struct EmbeddedData {
  std::string_view requests, lanes;
};
// A self-contained page.
std::string to_html(const Document& document, const EmbeddedData& data = {});

// All headings in order, summaries of foldouts among them.
std::vector<std::string> headings(const Document& document);

// The reasons below a table, each once, numbered from 1.
class Footnotes {
 public:
  std::size_t add(const std::string& text);  // its number
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
};

}  // namespace tailcap::render

#include <gtest/gtest.h>

#include "analyze/render/document.h"
#include "analyze/render/escape.h"

namespace tailcap::render {
namespace {

using Kind = Column::Kind;

const std::string kEvil = "</td><script>alert(1)</script>|`x` **b** @you #1 http://evil/\"'&";

bool contains(const std::string& text, std::string_view what) { return text.find(what) != text.npos; }

std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    most = std::max(most, columns(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  return most;
}

Document with(Block block) {
  Document document;
  document.add(std::move(block));
  return document;
}

Table routes() {
  Table table;
  table.columns = {{"route", Kind::name}, {"requests", Kind::number}, {"p50", Kind::number}};
  Cell slow("12.3 ms");
  slow.below = {"11.9–12.8"};
  Cell refused("refused");
  refused.note = "too few";
  table.rows = {{{"GET /日本語", "1,234", slow}}, {{"POST /a", "5", refused}}};
  return table;
}

// A document with this text in every place that takes text.
Document everywhere(const std::string& text) {
  Document document;
  document.heading(1, text);
  document.heading(2, text, text);
  document.paragraph(text, Tone::alarm);
  document.note(Text{text});
  List list;
  list.items.push_back({{}, List::Accent::severe});
  list.items[0].text.runs = {{text, text, true}};
  list.boxed = true;
  document.add(list);
  document.list({text});
  document.add(Facts{Facts::Line{Tone::care, text, text}, {{Tone::plain, text, text}}, true});
  Table table;
  table.columns = {{text, Kind::name}, {text, Kind::number}, {text, Kind::word}};
  Cell cell(text);
  cell.beside = cell.note = cell.hint = cell.link = cell.tag = cell.colour = text;
  cell.below = {text};
  table.rows = {{{cell, cell, cell}, {{Tone::care, text}}, true}};
  table.legend = {{text, text}};
  document.add(Details{text, {table}, false});
  table.rows[0].group = text;
  table.rows[0].cells[0].bars = {{0, 1, text, text}};
  document.add(table);
  document.add(Figures{{{text, "<svg></svg>", text, {{text, text}}, {text}, text}}});
  return document;
}

TEST(RenderHtml, NoTextBecomesMarkup) {
  const std::string page = to_html(everywhere(kEvil));
  EXPECT_FALSE(contains(page, "<script>alert"));
  EXPECT_FALSE(contains(page, "</td><script"));
  EXPECT_FALSE(contains(page, "http://evil/\"'"));
  EXPECT_TRUE(contains(page, "&lt;script&gt;"));
}

TEST(RenderMarkdown, NoTextBecomesMarkup) {
  const std::string text = to_markdown(everywhere(kEvil));
  // Lines of text are in a block of their own, between fences longer than any run of backticks inside.
  const std::string outside = text.substr(0, text.find("```"));
  for (const auto* markup : {"<script", "|`", "**b**", "@you", " #1", "http://"})
    EXPECT_FALSE(contains(outside, markup)) << markup;
  Figure fenced;
  fenced.lines = {"`````", "x"};
  const std::string block = to_markdown(with(Figures{{fenced}}));
  EXPECT_EQ(block, "``````\n`````\nx\n``````\n");
}

TEST(RenderText, ColumnsLineUpWithWideCharacters) {
  EXPECT_EQ(to_text(with(routes()), 80),
            "  route        requests          p50\n"
            "  GET /日本語     1,234      12.3 ms\n"
            "                           11.9–12.8\n"
            "  POST /a             5  refused [1]\n"
            "  [1] too few\n");
}

TEST(RenderText, SecondValuesLineUp) {
  Table table;
  table.columns = {{"", Kind::name}, {"fastest 50 %", Kind::number}};
  Cell a("14.5 µs"), b("2.22 ms");
  a.beside = "0.6 %";
  b.beside = "99.4 %";
  table.rows = {{{"requests", "328"}}, {{"waiting", a}}, {{"in the service", b}}};
  EXPECT_EQ(to_text(with(table), 80),
            "                    fastest 50 %\n"
            "  requests            328\n"
            "  waiting         14.5 µs  0.6 %\n"
            "  in the service  2.22 ms 99.4 %\n");
}

TEST(RenderText, NarrowTerminals) {
  Table table = routes();
  for (int i = 0; i < 5; ++i) {
    table.columns.push_back({"p9" + std::to_string(i), Kind::number});
    for (Row& row : table.rows) row.cells.push_back("123.4 ms");
  }
  for (Row& row : table.rows) {
    row.cells[0].text += "/a/very/long/path/that/nobody/can/read";
    row.below = {{Tone::care, "3 requests are flagged"}};
  }
  for (const std::size_t width : {40, 60, 80, 100, 200}) {
    const std::string text = to_text(with(table), width);
    EXPECT_LE(widest(text), width) << text;
    for (const auto* fact : {"12.3 ms", "11.9–12.8", "refused [1]", "[1] too few", "123.4 ms", "flagged"})
      EXPECT_TRUE(contains(text, fact)) << fact << "\n" << text;
  }
}

TEST(RenderText, LongNamesAreBrokenIntoLines) {
  Table table;
  table.columns = {{"count", Kind::number}, {"what", Kind::name}};
  table.rows = {{{"1", "killed by SIGKILL, out of memory, core dumped"}}};
  table.rows[0].cells[1].below = {"4.300 ms later"};
  EXPECT_EQ(to_text(with(table), 40),
            "  count  what\n"
            "      1  killed by SIGKILL, out of\n"
            "         memory, core dumped\n"
            "         4.300 ms later\n");
  table.columns = {{"", Kind::name}, {"a long title of a column", Kind::word}};
  table.rows = {{{"read at +4.300 ms", "x"}}};
  EXPECT_TRUE(contains(to_text(with(table), 40), "\n  +4.300 ms\n"));
}

TEST(Render, EmptyTables) {
  Table table;
  table.columns = {{"a", Kind::number}};
  EXPECT_EQ(to_text(with(table), 80), "  a\n");
  EXPECT_EQ(to_markdown(with(table)), "");
  EXPECT_FALSE(contains(to_html(with(table)), "<table"));
  EXPECT_EQ(to_text(with(Table{}), 80), "");
  Document document;
  document.list({});
  EXPECT_TRUE(document.empty());
}

TEST(Render, PicturesAreOnThePageOnly) {
  Table table;
  table.columns = {{"id", Kind::word}, {"where", Kind::picture}};
  Cell bar;
  bar.picture = "<svg>bar</svg>";
  table.rows = {{{"3.1", bar}}};
  EXPECT_EQ(to_text(with(table), 80), "  id\n  3.1\n");
  EXPECT_EQ(to_markdown(with(table)), "| id |\n| --- |\n| 3.1 |\n");
  EXPECT_TRUE(contains(to_html(with(table)), "<svg>bar</svg>"));
  Figure figure;
  figure.svg = "<svg>drawing</svg>";
  figure.caption = "all requests";
  EXPECT_EQ(to_text(with(Figures{{figure}}), 80), "");
  EXPECT_TRUE(contains(to_html(with(Figures{{figure}})), "<svg>drawing</svg><figcaption>all requests"));
}

TEST(Render, BarsStandAtTheirPlaceOnTheAxis) {
  Table table;
  table.columns = {{"", Kind::name}, {"for"}, {"", Kind::bar}};
  Cell early, late, all;
  early.bars = {{0, 0.5, "#fff", "read"}};
  late.bars = {{0.999, 1, "#fff", "write"}};
  all.bars = {early.bars[0], late.bars[0]};
  table.rows = {{{"", "", all}, {}, false, "at the server", true},
                {{"read", "5 ms", early}, {{Tone::plain, "from disk"}}},
                {{"write", "1 µs", late}}};
  EXPECT_EQ(to_text(with(table), 40),
            "          for\n"
            "\n"
            "  at the server\n"
            "  read   5 ms  █████████████\n"
            "      from disk\n"
            "  write  1 µs                          █\n");
  EXPECT_EQ(to_markdown(with(table)),
            "|  | for |\n| --- | ---: |\n| **at the server** | |\n| read; from disk | 5 ms |\n| write | 1 µs |\n");
  const std::string page = to_html(with(table));
  EXPECT_TRUE(contains(page, "<rect x=\"0\" width=\"50000\" height=\"10\" fill=\"#fff\"><title>read</title></rect>"));
  EXPECT_TRUE(contains(page, "<td class=\"name\" colspan=\"3\"><strong>at the server</strong>"));
}

TEST(RenderText, CodeIsKeptLineByLine) {
  const Document document = with(Code{{"GET / HTTP/1.1", "Host: *"}});
  EXPECT_EQ(to_text(document, 80), "  GET / HTTP/1.1\n  Host: *\n");
  EXPECT_EQ(to_markdown(document), "```\nGET / HTTP/1.1\nHost: *\n```\n");
  EXPECT_TRUE(contains(to_html(document), "<pre>GET / HTTP/1.1\nHost: *\n</pre>"));
}

TEST(Render, MarkdownKeepsWhatIsBesideAndBelow) {
  EXPECT_EQ(to_markdown(with(routes())),
            "| route | requests | p50 |\n| --- | ---: | ---: |\n"
            "| GET /日本語 | 1,234 | 12.3 ms (11.9–12.8) |\n"
            "| POST /a | 5 | refused \\[1\\] |\n"
            "\n\\[1\\] too few\n");
}

TEST(Render, EachFormatShowsEveryBlock) {
  Document document;
  document.heading(1, "alpha");
  document.add(Facts{Facts::Line{Tone::care, "", "bravo"}, {{Tone::alarm, "charlie", "delta"}}, true});
  document.heading(3, "echo");
  document.paragraph("foxtrot");
  document.note("golf");
  document.list({"hotel"});
  Table table;
  table.columns = {{"india", Kind::name}};
  Cell cell("juliett");
  cell.beside = "kilo";
  cell.below = {"lima"};
  cell.note = "mike";
  cell.tag = "november";
  table.rows = {{{cell}, {{Tone::plain, "oscar"}}, false}};
  document.add(Details{"papa", {table}, false});
  document.add(Paragraph{"quebec", Tone::plain, Paragraph::Kind::footer});
  const std::string formats[] = {to_text(document, 80), to_markdown(document), to_html(document)};
  for (const std::string& text : formats) {
    std::size_t at = 0;
    for (const auto* word : {"alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "papa", "india",
                             "juliett", "oscar", "quebec"}) {
      at = text.find(word, at);
      ASSERT_NE(at, text.npos) << word << "\n" << text;
    }
    for (const auto* word : {"kilo", "lima", "mike", "november"}) EXPECT_TRUE(contains(text, word)) << word;
  }
  EXPECT_EQ(headings(document), (std::vector<std::string>{"alpha", "echo", "papa"}));
}

}  // namespace
}  // namespace tailcap::render

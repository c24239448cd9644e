#include "analyze/render/document.h"

#include <algorithm>
#include <iterator>

namespace tailcap::render {

std::string Text::plain() const {
  std::string out;
  for (const TextRun& run : runs) out += run.text;
  return out;
}

bool Table::headed() const {
  return std::ranges::any_of(columns, [](const Column& column) { return !column.title.empty(); });
}

void Document::heading(int level, std::string text, std::string anchor) {
  add(Heading{level, std::move(text), std::move(anchor)});
}

void Document::paragraph(Text text, Tone tone) { add(Paragraph{std::move(text), tone, Paragraph::Kind::body}); }

void Document::note(Text text) { add(Paragraph{std::move(text), Tone::plain, Paragraph::Kind::note}); }

void Document::list(const std::vector<std::string>& items) {
  if (items.empty()) return;
  List list;
  for (const std::string& item : items) list.items.push_back({item, List::Accent::none});
  add(std::move(list));
}

void Document::append(Document&& other) {
  std::ranges::move(other.blocks, std::back_inserter(blocks));
  other.blocks.clear();
}

std::string Document::title() const {
  for (const Block& block : blocks)
    if (const auto* heading = std::get_if<Heading>(&block)) return heading->text;
  return {};
}

namespace {

void add_headings(const std::vector<Block>& blocks, std::vector<std::string>& out) {
  for (const Block& block : blocks) {
    if (const auto* heading = std::get_if<Heading>(&block)) out.push_back(heading->text);
    if (const auto* details = std::get_if<Details>(&block)) {
      out.push_back(details->summary);
      add_headings(details->blocks, out);
    }
  }
}

}  // namespace

std::vector<std::string> headings(const Document& document) {
  std::vector<std::string> out;
  add_headings(document.blocks, out);
  return out;
}

std::size_t Footnotes::add(const std::string& text) {
  const auto known = std::ranges::find(texts_, text);
  if (known != texts_.end()) return static_cast<std::size_t>(known - texts_.begin()) + 1;
  texts_.push_back(text);
  return texts_.size();
}

}  // namespace tailcap::render

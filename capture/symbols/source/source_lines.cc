#include "capture/symbols/source/source_lines.h"

#include <algorithm>
#include <cstring>

namespace tailcap::capture::symbols {

namespace {

constexpr std::size_t kMostOfRows = 4u << 20;  // PostgreSQL has 0.6 million
constexpr std::size_t kMaxSpans = 4u << 20, kMaxInlined = 1u << 20, kMostParts = 2u << 20;
constexpr std::size_t kMostOfTexts = 32u << 20;

template <class T>
std::string_view bytes_of(const std::vector<T>& items) {
  return {reinterpret_cast<const char*>(items.data()), items.size() * sizeof(T)};
}

template <class T>
bool take_items(scan::Decoder& in, std::size_t most, std::vector<T>& out) {
  static_assert(sizeof(T) == 16);  // no padding: what is sent is what was written
  const std::string_view bytes = in.text(most * sizeof(T));
  out.resize(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
  return bytes.size() % sizeof(T) == 0;
}

template <class T>
const T* last_before(const std::vector<T>& items, std::uint64_t address) {
  const auto next = std::upper_bound(items.begin(), items.end(), address,
                                     [](std::uint64_t a, const T& item) { return a < item.address; });
  return next == items.begin() ? nullptr : &*(next - 1);
}

template <class T>
bool sorted(const std::vector<T>& items) {
  return std::is_sorted(items.begin(), items.end(), [](const T& a, const T& b) { return a.address < b.address; });
}

}  // namespace

const SourceLines::Row* SourceLines::row_at(std::uint64_t address) const {
  const Row* row = last_before(rows_, address);
  return row && row->line != 0 ? row : nullptr;
}

std::vector<SourceFrame> SourceLines::at(std::uint64_t address) const {
  std::vector<SourceFrame> frames;
  const Row* row = row_at(address);
  const Span* span = last_before(spans_, address);
  std::uint32_t number = span ? span->inlined : 0;
  if (!row && number == 0) return frames;
  SourceFrame& innermost = frames.emplace_back();
  if (row) {
    innermost.file = text(row->file);
    innermost.line = row->line;
  }
  while (number != 0) {
    const Inlined& inlined = inlined_[number - 1];
    frames.back().function = text(inlined.function);
    SourceFrame& caller = frames.emplace_back();
    if (inlined.line != 0) {
      caller.file = text(inlined.file);
      caller.line = inlined.line;
    }
    number = inlined.within;
  }
  return frames;
}

bool SourceLines::covers(std::uint64_t address) const {
  const Part* part = last_before(parts_, address);
  return !part || part->left_out == 0;
}

std::uint64_t SourceLines::memory() const {
  return rows_.capacity() * sizeof(Row) + spans_.capacity() * sizeof(Span) + inlined_.capacity() * sizeof(Inlined) +
         parts_.capacity() * sizeof(Part) + texts_.capacity();
}

void SourceLines::encode(scan::Encoder& out) const {
  out.text(bytes_of(rows_));
  out.text(bytes_of(spans_));
  out.text(bytes_of(inlined_));
  out.text(bytes_of(parts_));
  out.text(texts_);
}

SourceLines SourceLines::decode(scan::Decoder& in) {
  SourceLines out;
  bool whole = take_items(in, kMostOfRows, out.rows_);
  whole = take_items(in, kMaxSpans, out.spans_) && whole;
  whole = take_items(in, kMaxInlined, out.inlined_) && whole;
  whole = take_items(in, kMostParts, out.parts_) && whole;
  out.texts_ = in.text(kMostOfTexts);
  const std::size_t texts = out.texts_.size(), inlined = out.inlined_.size();
  whole = whole && (texts == 0 || out.texts_.back() == '\0') && sorted(out.rows_) && sorted(out.spans_) &&
          sorted(out.parts_);
  for (const Row& row : out.rows_) whole = whole && (row.line == 0 || row.file < texts);
  for (const Span& span : out.spans_) whole = whole && span.inlined <= inlined;
  for (std::size_t i = 0; i < inlined; ++i) {
    const Inlined& each = out.inlined_[i];
    whole = whole && each.function < texts && (each.line == 0 || each.file < texts) && each.within <= i;
  }
  if (whole) return out;
  in.fail();
  return {};
}

}  // namespace tailcap::capture::symbols

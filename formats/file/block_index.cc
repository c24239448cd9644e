#include "formats/file/block_index.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "formats/bounds/read_limits.h"

namespace tailcap::formats::file {
namespace {

constexpr std::size_t kMinSearchStep = 1u << 12, kMaxSearchStep = 1u << 20;
// How far a file with a damaged beginning is searched for a block before it is rejected as no capture: one block of any
// size.
constexpr std::uint64_t kMaxSearch = 68u << 20;

class Hopper {
 public:
  explicit Hopper(const InputFile& file) : file_(file) {}

  BlockIndex run() {
    const std::uint64_t end = file_.size();
    std::uint64_t at = 0;
    while (at < end) {
      const auto header = header_at(at);
      if (ended_) {
        gap(at, end, "data behind the end of the capture");
        break;
      }
      if (header && header->version > kFormatVersion && index_.entries.empty()) {
        throw std::runtime_error(file_.name() + " was written in format " + std::to_string(header->version) +
                                 ", this tailcap reads up to " + std::to_string(kFormatVersion) +
                                 "; use a later tailcap");
      }
      if (header && is_whole(*header, at)) {
        if (header->is(BlockType::preamble) && sequence_ > 0) {
          gap(at, end, "another capture was appended");
          break;
        }
        add(*header, at);
        at += header->block_size();
        continue;
      }
      // The header may be right and the rest cut or shifted: search from behind the header.
      const std::uint64_t next =
          search(header ? at + 8 + header->header_size : at + 1, at == 0 && !header ? kMaxSearch : end);
      if (at == 0 && !header && next == end) throw std::runtime_error(not_a_capture());
      const bool torn = next == end;
      gap(at, next,
          header ? (torn ? "the last block is cut short" : "the block overlaps the next one") : "no block begins here");
      // A sound header says what is missing.
      if (header) index_.entries.back().until = std::max(last_, header->last);
      at = next;
    }
    close();
    return std::move(index_);
  }

 private:
  std::optional<BlockHeader> header_at(std::uint64_t at) const {
    std::array<std::byte, kMaxFramedHeader> bytes;
    return decode_header(std::span(bytes).first(file_.read(at, bytes)));
  }

  // Whether the block ends at the end of the file or where another block begins.
  bool is_whole(const BlockHeader& header, std::uint64_t at) {
    const std::uint64_t end = at + header.block_size();
    return end == file_.size() || (end < file_.size() && (header_at(end) || !search_inside(header, at)));
  }

  // The bytes after the block are no header. If a header begins inside, this block is the damaged one; otherwise the
  // bytes after it are.
  bool search_inside(const BlockHeader& header, std::uint64_t at) {
    const std::uint64_t end = at + header.block_size();
    return search(at + 8 + header.header_size, end) < end;
  }

  // The offset of the first header that begins in [from, limit); the size of the file if there is none. The search may
  // look, and find a header, a little past the limit.
  std::uint64_t search(std::uint64_t from, std::uint64_t limit) {
    // Small steps first: a crafted file has a header every 72 bytes, and each may ask for a search.
    std::size_t step = kMinSearchStep;
    for (; from < std::min(limit, file_.size()); from += step, step = std::min(2 * step, kMaxSearchStep)) {
      bytes_.resize(step + kMaxFramedHeader);
      const auto found = std::span(bytes_).first(file_.read(from, bytes_));
      const std::size_t at = find_header(found);
      if (at < found.size()) return from + at;
    }
    return file_.size();
  }

  void add(const BlockHeader& header, std::uint64_t at) {
    if (header.sequence < sequence_) return gap(at, at + header.block_size(), "a block that was there before");
    const bool explained = gaps_open_ && index_.entries.back().bytes > 0;
    if (header.sequence > sequence_ && !explained) {
      IndexEntry entry;
      entry.what = IndexEntry::What::gap;
      entry.offset = at;
      const std::uint32_t n = header.sequence - sequence_;
      entry.damage = n == 1 ? "block " + std::to_string(sequence_) + " is missing"
                            : "blocks " + std::to_string(sequence_) + " to " + std::to_string(header.sequence - 1) +
                                  " are missing";
      entry.since = entry.until = last_;
      index_.entries.push_back(std::move(entry));
      gaps_open_ = true;
    }
    sequence_ = header.sequence + 1;
    if (gaps_open_) end_gaps(header.first);
    last_ = std::max(last_, header.last);
    if (!in_proportion(header)) {
      index_.out_of_proportion = true;
      return;
    }
    IndexEntry entry;
    entry.offset = at;
    entry.bytes = header.block_size();
    entry.header = header;
    index_.entries.push_back(std::move(entry));
    if (header.is(BlockType::footer)) {
      ended_ = true;
      index_.state = (header.flags & kBlockRecovered) != 0 ? CaptureState::recovered : CaptureState::complete;
    }
  }

  // Counts the block. Headers give the size of the inflated block, so nothing is inflated here; the loader checks what
  // they say.
  bool in_proportion(const BlockHeader& header) {
    if (!read_limits().proportion || !header.has_events()) return true;
    raw_ += header.raw_size;
    events_ += header.events;
    return raw_ <= kFreeRaw + kRawPerByte * file_.size() && events_ <= kFreeEvents + kEventsPerByte * file_.size();
  }

  void gap(std::uint64_t from, std::uint64_t to, std::string why) {
    IndexEntry entry;
    entry.what = IndexEntry::What::gap;
    entry.offset = from;
    entry.bytes = to - from;
    entry.damage = std::move(why);
    entry.since = last_;
    entry.until = last_;
    index_.entries.push_back(std::move(entry));
    gaps_open_ = true;
  }

  // The gaps at the end of the index last until the block that follows them.
  void end_gaps(Time until) {
    for (auto entry = index_.entries.rbegin(); entry != index_.entries.rend() && entry->what == IndexEntry::What::gap;
         ++entry) {
      entry->until = std::max(entry->since, until);
    }
    gaps_open_ = false;
  }

  void close() {
    if (index_.state != CaptureState::truncated || !file_.being_written()) return;
    index_.state = CaptureState::recording;
    // A block that is still being written is not damage.
    auto& entries = index_.entries;
    if (!entries.empty() && entries.back().what == IndexEntry::What::gap &&
        entries.back().offset + entries.back().bytes == file_.size())
      entries.pop_back();
  }

  std::string not_a_capture() const {
    std::array<std::byte, 8> start;
    const std::size_t n = file_.read(0, start);
    std::string hex, text;
    for (std::size_t i = 0; i < n; ++i) {
      char byte[4];
      const auto c = std::to_integer<unsigned>(start[i]);
      std::snprintf(byte, sizeof byte, "%s%02x", i == 0 ? "" : " ", c);
      hex += byte;
      text += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '.';
    }
    return file_.name() + " is not a tailcap capture: it starts with " + hex + " \"" + text +
           "\". Captures are made by `tailcap record`";
  }

  const InputFile& file_;
  BlockIndex index_;
  std::vector<std::byte> bytes_;
  std::uint32_t sequence_ = 0;  // of the next block
  std::uint64_t raw_ = 0, events_ = 0;
  Time last_ = kNoTime;  // the latest time in any block so far
  bool ended_ = false;
  bool gaps_open_ = false;
};

}  // namespace

BlockIndex index_blocks(const InputFile& file) { return Hopper(file).run(); }

std::vector<const IndexEntry*> delivery_order(const BlockIndex& index) {
  std::map<std::uint16_t, std::vector<const IndexEntry*>> streams;
  std::uint16_t stream = 0;
  for (const IndexEntry& entry : index.entries) {
    if (entry.what == IndexEntry::What::block) {
      if (!entry.header.has_events() && !entry.header.is(BlockType::preamble)) continue;
      stream = entry.header.stream;
    }
    streams[stream].push_back(&entry);
  }
  const auto time_of = [](const IndexEntry& e) { return e.what == IndexEntry::What::block ? e.header.first : e.since; };
  std::vector<const IndexEntry*> order;
  struct Cursor {
    const std::vector<const IndexEntry*>* entries;
    std::size_t at = 0;
  };
  std::vector<Cursor> cursors;
  for (const auto& [number, entries] : streams) cursors.push_back({&entries});
  while (true) {
    Cursor* next = nullptr;
    for (Cursor& c : cursors) {
      if (c.at == c.entries->size()) continue;
      if (next == nullptr || time_of(*(*c.entries)[c.at]) < time_of(*(*next->entries)[next->at])) next = &c;
    }
    if (next == nullptr) return order;
    order.push_back((*next->entries)[next->at++]);
  }
}

}  // namespace tailcap::formats::file

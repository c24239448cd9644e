#include "analyze/protocols/hpack/decoder.h"

#include <optional>

#include "ground/http/hpack_huffman.h"
#include "ground/http/hpack_static_table.h"

namespace tailcap::protocols::hpack {

using namespace ground::hpack;
namespace {

struct String {
  bool known = false;
  std::string_view text;
};

}  // namespace

// Reads a block from front to back. A verdict other than done leaves the rest unread for good.
class Decoder::Reader {
 public:
  explicit Reader(const HeaderBlock& block) : block_(block), bytes_(block.bytes()), whole_(block.whole()) {}
  bool empty() const { return at_ == bytes_.size(); }
  Step at_end() const { return block_.cut() ? Step::cut : Step::done; }
  Step past_end() const { return block_.cut() ? Step::cut : Step::invalid; }

  Step byte(std::uint8_t& out) {
    if (empty()) return past_end();
    if (!whole_ && !block_.known(at_, at_ + 1)) return Step::cut;
    out = static_cast<std::uint8_t>(bytes_[at_++]);
    return Step::done;
  }

  // RFC 7541, 5.1. first: the byte already read, of which the lowest `prefix` bits belong to the number.
  Step integer(std::uint8_t first, unsigned prefix, std::uint64_t& out) {
    const unsigned most = (1u << prefix) - 1;
    out = first & most;
    if (out < most) return Step::done;
    for (unsigned shift = 0;; shift += 7) {
      std::uint8_t next = 0;
      if (const Step step = byte(next); step != Step::done) return step;
      if (shift > 28) return Step::invalid;  // beyond any index, length or table size in use
      out += static_cast<std::uint64_t>(next & 0x7f) << shift;
      if ((next & 0x80) == 0) return out > UINT32_MAX ? Step::invalid : Step::done;
    }
  }

  // RFC 7541, 5.2. If not all bytes of a string were captured, the string is unknown, but the data after it is not.
  Step string(std::string& store, String& out) {
    std::uint8_t first = 0;
    if (const Step step = byte(first); step != Step::done) return step;
    std::uint64_t length = 0;
    if (const Step step = integer(first, 7, length); step != Step::done) return step;
    if (length > bytes_.size() - at_) return past_end();
    const std::string_view raw = bytes_.substr(at_, length);
    const std::size_t begin = at_;
    at_ += length;
    if (!whole_ && !block_.known(begin, at_)) {
      out = {};
      return Step::done;
    }
    out = {true, raw};
    if (first & 0x80) {
      store.clear();
      if (!huffman_decode(raw, store, kMaxString)) return Step::invalid;
      out.text = store;
    }
    return Step::done;
  }

 private:
  const HeaderBlock& block_;
  std::string_view bytes_;
  bool whole_;
  std::size_t at_ = 0;
};

Step Decoder::decode(const HeaderBlock& block, FieldList& fields) {
  fields.clear();
  Reader in(block);
  const Step step = decode_fields(in, fields);
  if (step != Step::done) table_.lose();
  return step;
}

Step Decoder::decode_fields(Reader& in, FieldList& fields) {
  bool began = false;
  while (!in.empty()) {
    std::uint8_t first = 0;
    if (const Step step = in.byte(first); step != Step::done) return step;
    Step step = Step::done;
    if (first & 0x80) {  // 6.1 indexed field
      std::uint64_t index = 0;
      step = in.integer(first, 7, index);
      if (step == Step::done) step = indexed(index, fields);
    } else if ((first & 0xe0) == 0x20) {  // 6.3 dynamic table size update
      std::uint64_t capacity = 0;
      if (began) return Step::invalid;  // 4.2: at the beginning; how many is of no consequence
      step = in.integer(first, 5, capacity);
      if (step == Step::done) table_.resize(capacity);
      if (step != Step::done) return step;
      continue;
    } else {  // 6.2 literal: with indexing 01, without 0000, never 0001
      const bool index_it = first & 0x40;
      const unsigned prefix = index_it ? 6 : 4;
      std::uint64_t name_index = 0;
      step = in.integer(first, prefix, name_index);
      if (step == Step::done) step = literal(in, name_index, index_it, !index_it && (first & 0x10), fields);
    }
    if (step != Step::done) return step;
    began = true;
  }
  return in.at_end();
}

Step Decoder::indexed(std::uint64_t index, FieldList& fields) {
  HeaderField field;
  if (index >= 1 && index <= kStaticEntries) {
    const StaticEntry& entry = static_entry(static_cast<std::uint32_t>(index));
    field.name = entry.name;
    field.value = entry.value;
    field.name_known = field.value_known = true;
  } else {
    if (index == 0) return Step::invalid;
    Entry entry;
    if (table_.find(index - kStaticEntries, entry) == DynamicTable::Found::absent) return Step::invalid;
    field.name = entry.name;
    field.value = entry.value;
    field.name_known = entry.name_known;
    field.value_known = entry.value_known;
    field.entry = table_.id_of(index - kStaticEntries);
  }
  fields.add(field);
  return Step::done;
}

Step Decoder::literal(Reader& in, std::uint64_t name_index, bool index_it, bool never_indexed, FieldList& fields) {
  String name, value;
  if (name_index == 0) {
    if (const Step step = in.string(name_, name); step != Step::done) return step;
  } else if (name_index <= kStaticEntries) {
    name = {true, static_entry(static_cast<std::uint32_t>(name_index)).name};
  } else {
    Entry entry;
    if (table_.find(name_index - kStaticEntries, entry) == DynamicTable::Found::absent) return Step::invalid;
    name = {entry.name_known, entry.name};
  }
  const Step step = in.string(value_, value);
  HeaderField field{name.text, value.text, name.known, step == Step::done && value.known, never_indexed, {}};
  if (step == Step::cut) {  // the value's length was not captured: that the field is there, and its name, is known
    fields.add(field);
    return step;
  }
  if (step != Step::done) return step;
  if (index_it) field.entry = table_.id_of(0);  // the number that the insertion will have
  fields.add(field);
  if (index_it)
    table_.insert(name.known ? std::optional(name.text) : std::nullopt,
                  value.known ? std::optional(value.text) : std::nullopt);
  return Step::done;
}

}  // namespace tailcap::protocols::hpack

#include "formats/mask/coded_text.h"

#include <algorithm>
#include <array>

#include "ground/http/hpack_huffman.h"

namespace tailcap::formats::mask {

namespace hpack = ground::hpack;

namespace {

constexpr unsigned kShortest = 5, kFiller = 8;  // bits of '0' and of '*'

// The code of what is written instead of a character: '*', '0', '-' or 'x' where that is as long.
std::uint32_t filler(unsigned length) {
  switch (length) {
    case 6:
      return 0x16;
    case 7:
      return 0x79;
    case 8:
      return 0xf9;
    default:
      return hpack::huffman_code(length).value();
  }
}

// As many code lengths with the same sum, revealing as little as possible about the original ones.
void choose_lengths(std::vector<std::uint8_t>& lengths, std::size_t bits) {
  const std::size_t extra = bits - kShortest * lengths.size();
  if (extra > (kFiller - kShortest) * lengths.size()) {
    std::sort(lengths.begin(), lengths.end());
    return;
  }
  std::fill(lengths.begin(), lengths.end(), std::uint8_t{kShortest});
  std::size_t i = 0;
  for (; i < extra / 3; i++) lengths[i] = kFiller;
  if (extra % 3 > 0) lengths[i] = static_cast<std::uint8_t>(kShortest + extra % 3);
}

struct CodeOf {
  std::uint32_t bits = 0;
  std::uint8_t length = 0;
};

CodeOf code_of(char c) {
  static const auto all = [] {
    std::array<CodeOf, 256> codes{};
    for (unsigned i = 0; i < 256; ++i) {
      std::string eight, one;
      hpack::huffman_encode(std::string(8, static_cast<char>(i)), eight);
      hpack::huffman_encode(std::string(1, static_cast<char>(i)), one);
      std::uint32_t code = 0;
      for (std::size_t b = 0; b < 4; ++b)
        code = code << 8 | (b < one.size() ? static_cast<unsigned char>(one[b]) : 0xffu);
      codes[i] = {code >> (32 - eight.size()), static_cast<std::uint8_t>(eight.size())};
    }
    return codes;
  }();
  return all[static_cast<unsigned char>(c)];
}

}  // namespace

void CodedText::begin() {
  begun_ = 0;
  own_ = given_ = 0;
}

void CodedText::decode(std::string_view bytes) {
  text_.clear();
  codes_.clear();
  changed_.assign(bytes);
  std::uint64_t window = begun_ > 0 ? static_cast<std::uint64_t>(own_) << (64 - begun_) : 0;
  unsigned bits = begun_;
  std::size_t next = 0, at = 0;  // byte to be loaded, bit reached
  unsigned before = begun_;
  for (;;) {
    while (bits <= 56 && next < bytes.size()) {
      window |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[next++])) << (56 - bits);
      bits += 8;
    }
    const auto symbol = hpack::huffman_next(window, bits);
    if (symbol.length == 0) break;
    codes_.push_back({at, static_cast<std::uint8_t>(symbol.length), false});
    text_.push_back(static_cast<char>(symbol.symbol));
    at += symbol.length - before;
    before = 0;
    window <<= symbol.length;
    bits -= symbol.length;
  }
  rest_ = bits;
  rest_own_ = bits > 0 ? static_cast<std::uint32_t>(window >> (64 - bits)) : 0;
}

void CodedText::put(std::size_t at, std::uint32_t code, unsigned length) {
  for (unsigned i = length; i-- > 0; at++) {
    const auto bit = static_cast<unsigned char>(0x80u >> (at % 8));
    const auto byte = static_cast<unsigned char>(changed_[at / 8]);
    changed_[at / 8] = static_cast<char>((code >> i & 1) != 0 ? byte | bit : byte & ~bit);
  }
}

// Characters [first, end) are hidden, and each of them is whole in these bytes. Written at bit `at`; returns how many
// bits.
std::size_t CodedText::fill(std::size_t first, std::size_t end, std::size_t at) {
  std::vector<std::uint8_t> lengths;
  std::size_t bits = 0;
  for (std::size_t i = first; i < end; ++i) {
    lengths.push_back(codes_[i].length);
    bits += codes_[i].length;
  }
  choose_lengths(lengths, bits);
  for (const auto length : lengths) {
    put(at, filler(length), length);
    at += length;
  }
  return bits;
}

std::size_t CodedText::write_like(char c, std::size_t at) {
  const CodeOf code = code_of(c);
  put(at, code.bits, code.length);
  return code.length;
}

// Every run of characters that are not hidden is as long as it was.
bool CodedText::as_long(std::size_t first) const {
  std::size_t before = 0, after = 0;
  for (std::size_t i = first; i <= codes_.size(); ++i) {
    if (i < codes_.size() && !codes_[i].hidden) {
      before += codes_[i].length;
      after += code_of(text_[i]).length;
      continue;
    }
    if (before != after) return false;
  }
  return true;
}

void CodedText::hide(std::size_t first) {
  for (std::size_t i = first; i < codes_.size();) {
    std::size_t end = i;
    while (end < codes_.size() && codes_[end].hidden) ++end;
    if (end > i) fill(i, end, codes_[i].at);
    i = end + 1;
  }
}

// Characters that are not hidden are written, too: they are others, and their codes may lie elsewhere in their run.
void CodedText::replace(std::size_t first) {
  if (!as_long(first)) {
    // A replacement of another length would shift all that follows.
    for (std::size_t i = first; i < codes_.size(); ++i) codes_[i].hidden = true;
    return hide(first);
  }
  std::size_t at = first < codes_.size() ? codes_[first].at : 0;
  for (std::size_t i = first; i < codes_.size();) {
    if (!codes_[i].hidden) {
      at += write_like(text_[i++], at);
      continue;
    }
    std::size_t end = i;
    while (end < codes_.size() && codes_[end].hidden) ++end;
    at += fill(i, end, at);
    i = end;
  }
}

void CodedText::rewrite(bool hides, bool last, bool replaces) {
  const std::size_t all = changed_.size() * 8;
  std::size_t i = 0;
  if (begun_ > 0 && !codes_.empty()) {
    const Code& first = codes_[0];
    // The part already written may belong to another character by now: then that one is finished.
    if (first.hidden || given_ != own_) {
      const auto code = hpack::huffman_code(first.length, given_, begun_).value_or(filler(first.length));
      put(0, code & ((1u << (first.length - begun_)) - 1), first.length - begun_);
    }
    i = 1;
  }
  if (replaces)
    replace(i);
  else
    hide(i);
  const bool continues = codes_.empty() && begun_ > 0;  // the same character still
  const unsigned written = continues ? begun_ : 0;
  std::uint32_t given = rest_own_;
  const bool differs = continues && given_ != own_;
  if (rest_ > written && (hides || differs || last)) {
    if (last) {
      given = rest_ < 32 ? (1u << rest_) - 1 : ~0u;  // padding, and nothing but padding
    } else {
      // Codes of one length only begin so: then any of them does. Otherwise these bits say nothing but the length.
      const auto lengths = hpack::huffman_lengths(rest_own_, rest_);
      if (lengths.least == lengths.most || differs) {
        const auto code = written > 0 ? hpack::huffman_code(lengths.least, given_, written)
                                      : std::optional<std::uint32_t>(filler(lengths.least));
        given = code.value_or(filler(lengths.least)) >> (lengths.least - rest_);
      }
    }
    put(all - (rest_ - written), given & (rest_ - written < 32 ? (1u << (rest_ - written)) - 1 : ~0u), rest_ - written);
  }
  begun_ = rest_;
  own_ = rest_own_;
  given_ = given;
}

}  // namespace tailcap::formats::mask

#include "capture/mask/http/coded_text.h"

#include <algorithm>

#include "ground/hpack_huffman.h"

namespace tailcap::capture::mask {

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

// Characters [first, end) are hidden, and each of them is whole in these bytes.
void CodedText::fill(std::size_t first, std::size_t end) {
  std::vector<std::uint8_t> lengths;
  std::size_t bits = 0, at = codes_[first].at;
  for (std::size_t i = first; i < end; ++i) {
    lengths.push_back(codes_[i].length);
    bits += codes_[i].length;
  }
  choose_lengths(lengths, bits);
  for (const auto length : lengths) {
    put(at, filler(length), length);
    at += length;
  }
}

void CodedText::rewrite(bool hides, bool last) {
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
  while (i < codes_.size()) {
    if (!codes_[i].hidden) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < codes_.size() && codes_[end].hidden) ++end;
    fill(i, end);
    i = end;
  }
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

}  // namespace tailcap::capture::mask

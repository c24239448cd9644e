#include "analyze/redact/needles.h"

#include <algorithm>
#include <bitset>
#include <cstring>

#include "ground/http/hpack_huffman.h"

namespace tailcap::redact {
namespace {

constexpr unsigned kFilterBits = 24;

std::uint64_t beginning(const char* bytes) {
  std::uint64_t n = 0;
  std::memcpy(&n, bytes, sizeof n);
  return n;
}
std::uint64_t slot(std::uint64_t n) { return (n * 0x9e3779b97f4a7c15u) >> (64 - kFilterBits); }

std::string hexadecimal(std::string_view text, std::string_view before, bool capitals) {
  const char* digits = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    out += before;
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// What is the same wherever the text begins `offset` bytes behind a group of three.
std::string base64(std::string_view text, unsigned offset, bool for_urls) {
  const char* digits = for_urls ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                                : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string padded = std::string(offset, '\0') + std::string(text);
  std::string out;
  for (std::size_t bit = 0; bit + 6 <= padded.size() * 8; bit += 6) {
    if (bit < offset * 8u) continue;
    unsigned value = 0;
    for (std::size_t b = bit; b < bit + 6; ++b)
      value = value << 1 | (static_cast<unsigned char>(padded[b / 8]) >> (7 - b % 8) & 1u);
    out += digits[value];
  }
  return out;
}

// The whole bytes of the Huffman code of the text, if it begins at this bit of a byte.
std::string huffman(std::string_view text, unsigned shift) {
  std::string coded, eight;
  ground::hpack::huffman_encode(text, coded);
  // The exact number of bits: what eight copies take.
  for (int i = 0; i < 8; ++i) eight += text;
  std::string all;
  ground::hpack::huffman_encode(eight, all);
  const std::size_t bits = all.size();
  std::string out;
  for (std::size_t bit = (8 - shift) % 8; bit + 8 <= bits; bit += 8) {
    unsigned value = 0;
    for (std::size_t b = bit; b < bit + 8; ++b)
      value = value << 1 | (static_cast<unsigned char>(coded[b / 8]) >> (7 - b % 8) & 1u);
    out += static_cast<char>(value);
  }
  return out;
}

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

}  // namespace

bool Needles::searchable(std::string_view text) {
  if (text.size() < kShortest) return false;
  std::bitset<256> seen;
  for (const char c : text) seen.set(static_cast<unsigned char>(c));
  return seen.count() >= 4;
}

Needles::Needles(const std::vector<std::string>& texts, std::size_t whole)
    : texts_(texts), filter_(std::size_t{1} << (kFilterBits - 6)) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string& text = texts[i];
    add(text, i, Form::plain);
    add(folded(text), i, Form::folded);
    if (i >= whole) continue;
    add(hexadecimal(text, "%", false), i, Form::percent);
    add(hexadecimal(text, "%", true), i, Form::percent);
    add(hexadecimal(text, "", false), i, Form::hex);
    add(hexadecimal(text, "", true), i, Form::hex);
    for (unsigned offset = 0; offset < 3; ++offset)
      for (const bool for_urls : {false, true}) add(base64(text, offset, for_urls), i, Form::base64);
    for (unsigned shift = 0; shift < 8; ++shift) add(huffman(text, shift), i, Form::huffman);
  }
}

void Needles::add(std::string bytes, std::size_t needle, Form form) {
  if (bytes.size() < kShortest) return;
  const std::uint64_t begins = beginning(bytes.data());
  const auto [first, end] = by_beginning_.equal_range(begins);
  for (auto at = first; at != end; ++at)
    if (variants_[at->second].needle == needle && variants_[at->second].bytes == bytes &&
        (variants_[at->second].form == Form::folded) == (form == Form::folded))
      return;
  by_beginning_.emplace(begins, static_cast<std::uint32_t>(variants_.size()));
  filter_[slot(begins) / 64] |= std::uint64_t{1} << slot(begins) % 64;
  variants_.push_back({std::move(bytes), static_cast<std::uint32_t>(needle), form});
}

void Needles::search(std::string_view in, const Found& found) const {
  pass(in, false, found);
  pass(folded(in), true, [&](std::size_t needle, Form form, std::size_t begin, std::size_t end) {
    // As it was is found already.
    if (in.substr(begin, end - begin) != texts_[needle]) found(needle, form, begin, end);
  });
}

void Needles::pass(std::string_view in, bool folded, const Found& found) const {
  for (std::size_t at = 0; at + kShortest <= in.size(); ++at) {
    const std::uint64_t begins = beginning(in.data() + at);
    if ((filter_[slot(begins) / 64] >> slot(begins) % 64 & 1) == 0) continue;
    const auto [first, end] = by_beginning_.equal_range(begins);
    for (auto it = first; it != end; ++it) {
      const Variant& v = variants_[it->second];
      if ((v.form == Form::folded) == folded && in.substr(at).starts_with(v.bytes))
        found(v.needle, v.form, at, at + v.bytes.size());
    }
  }
}

std::string_view name_of(Needles::Form form) {
  constexpr std::string_view names[] = {"as it was",      "in other capitals", "percent-encoded",
                                        "in hexadecimal", "in base64",         "in Huffman code"};
  return names[static_cast<std::size_t>(form)];
}

}  // namespace tailcap::redact

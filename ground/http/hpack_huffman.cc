#include "ground/http/hpack_huffman.h"

#include <array>

namespace tailcap::ground::hpack {
namespace {

constexpr unsigned kSymbols = 257;  // the last is EOS
constexpr unsigned kShortest = 5, kLongest = 30;

// Bits of each symbol's code. The code is canonical: by length, and among equals by symbol, codes count upwards.
constexpr std::uint8_t kLengths[kSymbols] = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,  5,  5,  5,  6,  6,  6,  6,  6,  6,  6,
    7,  8,  15, 6,  12, 10, 13, 6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
    7,  8,  7,  8,  13, 19, 13, 14, 6,  15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,
    5,  6,  7,  7,  7,  7,  7,  15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24,
    24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22,
    23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26,
    27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23,
    22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
};

// Codes of up to kFirstBits (all of ASCII that occurs) are looked up at once; longer ones are found by comparing.
constexpr unsigned kFirstBits = 10;

struct Code {
  std::uint16_t symbol = 0;
  std::uint8_t length = 0;  // 0: longer than kFirstBits
};

// The first one or two symbols of kPairBits bits: enough for two letters.
constexpr unsigned kPairBits = 12;

struct Pair {
  char symbols[2] = {0, 0};
  std::uint8_t count = 0;   // 0: the first code is longer than kFirstBits
  std::uint8_t length = 0;  // bits of both codes
};

struct Tables {
  std::array<Code, 1u << kFirstBits> first{};
  std::array<Pair, 1u << kPairBits> pairs{};
  std::array<std::uint32_t, kSymbols> codes{};
  std::array<std::uint16_t, kSymbols> ordered{};       // symbols by code
  std::array<std::uint32_t, kLongest + 2> begin{};     // first code of a length
  std::array<std::uint32_t, kLongest + 2> limit{};     // one past the last code of a length
  std::array<std::uint16_t, kLongest + 2> position{};  // of its first symbol in `ordered`
};

constexpr Tables make_tables() {
  Tables t;
  std::uint32_t code = 0;
  std::uint16_t n = 0;
  for (unsigned length = kShortest; length <= kLongest; ++length) {
    t.begin[length] = code;
    t.position[length] = n;
    for (unsigned symbol = 0; symbol < kSymbols; ++symbol) {
      if (kLengths[symbol] != length) continue;
      t.codes[symbol] = code;
      t.ordered[n++] = static_cast<std::uint16_t>(symbol);
      if (length <= kFirstBits) {
        const std::uint32_t from = code << (kFirstBits - length);
        for (std::uint32_t i = 0; i < 1u << (kFirstBits - length); ++i)
          t.first[from + i] = {static_cast<std::uint16_t>(symbol), static_cast<std::uint8_t>(length)};
      }
      ++code;
    }
    t.limit[length] = code;
    code <<= 1;
  }
  for (std::uint32_t bits = 0; bits < 1u << kPairBits; ++bits) {
    Pair& pair = t.pairs[bits];
    const Code one = t.first[bits >> (kPairBits - kFirstBits)];
    if (one.length == 0) continue;
    pair = {{static_cast<char>(one.symbol), 0}, 1, one.length};
    // Zeros follow. They are no code of the bits that are left unless it ends within them.
    const std::uint32_t rest = bits << one.length & ((1u << kPairBits) - 1);
    const Code two = t.first[rest >> (kPairBits - kFirstBits)];
    if (two.length == 0 || one.length + two.length > kPairBits) continue;
    pair.symbols[1] = static_cast<char>(two.symbol);
    pair.count = 2;
    pair.length = static_cast<std::uint8_t>(one.length + two.length);
  }
  return t;
}

// The length of the code that the window begins with, as if all its bits were real.
constexpr unsigned length_of(const Tables& t, std::uint64_t window) {
  if (const unsigned length = t.first[window >> (64 - kFirstBits)].length) return length;
  unsigned length = kFirstBits + 1;
  while (length < kLongest && (window >> (64 - length)) >= t.limit[length]) ++length;
  return length;
}

constexpr Tables kTables = make_tables();
static_assert(kTables.codes[256] == 0x3fffffff && kTables.limit[kLongest] == 1u << kLongest, "the code is complete");

}  // namespace

bool huffman_decode(std::string_view coded, std::string& out, std::size_t limit) {
  std::uint64_t window = 0;  // the next bits, highest first
  unsigned bits = 0;         // how many of them are real
  const auto* next = reinterpret_cast<const unsigned char*>(coded.data());
  const auto* end = next + coded.size();
  const std::size_t start = out.size();
  const std::size_t most = coded.size() * 8 / kShortest;
  out.resize(start + (most < limit ? most : limit));  // written in place, cut back at the end
  char* to = out.data() + start;
  char* const full = out.data() + out.size();
  bool good = true;
  for (;;) {
    while (bits <= 56 && next != end) {
      window |= static_cast<std::uint64_t>(*next++) << (56 - bits);
      bits += 8;
    }
    while (full - to >= 2) {
      const Pair& pair = kTables.pairs[window >> (64 - kPairBits)];
      if (pair.count == 0 || pair.length > bits) break;
      to[0] = pair.symbols[0];
      to[1] = pair.symbols[1];
      to += pair.count;
      window <<= pair.length;
      bits -= pair.length;
    }
    if (bits < kLongest && next != end) continue;
    const Code code = kTables.first[window >> (64 - kFirstBits)];
    unsigned length = code.length;
    unsigned symbol = code.symbol;
    if (length == 0) {
      length = length_of(kTables, window);
      symbol = kTables.ordered[kTables.position[length] + (window >> (64 - length)) - kTables.begin[length]];
    }
    if (length > bits) break;  // padding, or cut in the middle of a code
    if (symbol == 256 || to == full) {
      good = false;
      break;
    }
    *to++ = static_cast<char>(symbol);
    window <<= length;
    bits -= length;
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
  // What is left is padding: the beginning of EOS, that is ones, and shorter than a byte.
  return good && bits < 8 && (bits == 0 || window >> (64 - bits) == (1u << bits) - 1);
}

HuffmanSymbol huffman_next(std::uint64_t window, unsigned bits) {
  const unsigned length = length_of(kTables, window);
  if (length > bits) return {};
  return {length, kTables.ordered[kTables.position[length] + (window >> (64 - length)) - kTables.begin[length]]};
}

HuffmanLengths huffman_lengths(std::uint32_t prefix, unsigned bits) {
  if (bits == 0) return {kShortest, kLongest};
  const std::uint64_t least = static_cast<std::uint64_t>(prefix) << (64 - bits);
  return {length_of(kTables, least), length_of(kTables, least | ~std::uint64_t{0} >> bits)};
}

std::optional<std::uint32_t> huffman_code(unsigned length, std::uint32_t prefix, unsigned bits) {
  if (length > kLongest || bits > length || kTables.begin[length] == kTables.limit[length]) return std::nullopt;
  const std::uint64_t from = static_cast<std::uint64_t>(prefix) << (length - bits),
                      to = static_cast<std::uint64_t>(prefix + 1) << (length - bits);
  const std::uint64_t code = bits == 0 || from < kTables.begin[length] ? kTables.begin[length] : from;
  if (code >= kTables.limit[length] || (bits > 0 && code >= to)) return std::nullopt;
  return static_cast<std::uint32_t>(code);
}

void huffman_encode(std::string_view text, std::string& out) {
  std::uint64_t pending = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const auto symbol = static_cast<unsigned char>(c);
    pending = pending << kLengths[symbol] | kTables.codes[symbol];
    bits += kLengths[symbol];
    for (; bits >= 8; bits -= 8) out.push_back(static_cast<char>(pending >> (bits - 8)));
  }
  if (bits > 0) out.push_back(static_cast<char>(pending << (8 - bits) | 0xffu >> bits));
}

}  // namespace tailcap::ground::hpack

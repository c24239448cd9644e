// The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B). Here because both ends need it: the analyser reads
// it, the recorder masks values in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tailcap::ground::hpack {

// Appends what `coded` says to out, at most `limit` bytes. false: not a valid string (EOS inside, padding that is
// longer than seven bits or not ones) or longer than the limit; out then holds a part of it.
bool huffman_decode(std::string_view coded, std::string& out, std::size_t limit);

// Appends the code of `text` to out. The analyser never sends; captures made for tests do.
void huffman_encode(std::string_view text, std::string& out);

struct HuffmanSymbol {
  unsigned length = 0;  // bits of its code; 0: the window's real bits do not reach to its end
  unsigned symbol = 0;  // 256: EOS, which no string contains
};
// The symbol whose code `window` begins with (its highest bit first), of which `bits` are real.
HuffmanSymbol huffman_next(std::uint64_t window, unsigned bits);

// The shortest and the longest code that begin with these `bits` bits. bits <= 30.
struct HuffmanLengths {
  unsigned least = 0, most = 0;
};
HuffmanLengths huffman_lengths(std::uint32_t prefix, unsigned bits);

// The first code of that length that begins with these bits; nothing if there is none. bits <= length, 1 <= length
// <= 30.
std::optional<std::uint32_t> huffman_code(unsigned length, std::uint32_t prefix = 0, unsigned bits = 0);

}  // namespace tailcap::ground::hpack

// The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B). Here because both ends need it: the analyser reads it,
// the recorder overwrites credentials in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tailcap::formats::hpack {

// Appends what `coded` says to out, at most `limit` bytes. false: not a valid string (EOS inside, padding that is longer
// than seven bits or not ones) or longer than the limit; out then holds a part of it.
bool huffman_decode(std::string_view coded, std::string& out, std::size_t limit);

// Appends the code of `text` to out. The analyser never sends; captures made for tests do.
void huffman_encode(std::string_view text, std::string& out);

// Bits of the code that `window` begins with (its highest bit first); 0 if its `bits` real bits do not reach to its end.
unsigned huffman_length(std::uint64_t window, unsigned bits);

// A code of that many bits, of the first symbol that has one; nothing if there is none. 1 <= length <= 30.
std::optional<std::uint32_t> huffman_code(unsigned length);

}  // namespace tailcap::formats::hpack

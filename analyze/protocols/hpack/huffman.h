// The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tailcap::protocols::hpack {

// Appends what `coded` says to out, at most `limit` bytes. false: not a valid string (EOS inside, padding that is longer
// than seven bits or not ones) or longer than the limit; out then holds a part of it.
bool huffman_decode(std::string_view coded, std::string& out, std::size_t limit);

// Appends the code of `text` to out. The analyser never sends; captures made for tests do.
void huffman_encode(std::string_view text, std::string& out);

}  // namespace tailcap::protocols::hpack

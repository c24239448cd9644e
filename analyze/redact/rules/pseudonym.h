// Keyed pseudonyms: equal texts get equal pseudonyms, different ones different ones, and without the key none leads
// back.
//
// A pseudonym of a word has the word's length, its kinds of characters in their places (digits, small and capital
// letters), and the length of its Huffman code in HPACK. So it fits wherever the word was on the wire, and what is read
// from the form of a word (a number in a path, a UUID) stays the same.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "analyze/redact/rules/keyed_digest.h"
#include "formats/socket_event.h"

namespace tailcap::redact {

// What becomes of the words of a text.
enum class Words : std::uint8_t {
  kept,          // those that read like words of a language; numbers and what may be a token become pseudonyms
  none,          // all become pseudonyms
  unless_public  // as none, but for names that every system has (names of libraries, Go's own packages)
};

// For any number of threads.
class Pseudonyms {
 public:
  explicit Pseudonyms(std::string_view key) : digest_(key) {}

  // The pseudonym of one word, without separators. What cannot be replaced by its like becomes asterisks.
  // as_hex: it is a part of a hexadecimal number, like a UUID.
  std::string of(std::string_view word, bool as_hex = false);
  // Replaces every word of a text that `words` does not keep; separators stay.
  std::string text(std::string_view text, Words words);
  // Prefixes survive: addresses of one network stay in one. The first byte of IPv4 and the first two of IPv6 are kept,
  // and so are loopback and unspecified addresses.
  formats::Address address(const formats::Address& address, bool v6);

  // As many bytes, keyed.
  std::string bytes(std::string_view bytes) const;

 private:
  // What was made before, of names that begin with what they are the names of.
  struct alignas(64) Shelf {
    std::mutex mutex;
    std::unordered_map<std::string, std::string> made;
  };
  template <class Make>
  std::string kept_or(std::string name, const Make& make);
  std::string make(std::string_view word, bool as_hex) const;
  void permute(std::string& word, bool as_hex) const;

  static constexpr std::size_t kShelves = 64, kMostKept = (1u << 18) / kShelves;
  KeyedDigest digest_;
  std::array<Shelf, kShelves> shelves_;
};

// Part of a word: letters, digits, and bytes beyond ASCII.
bool is_word_byte(char c);
// A word of a language, or one of the names with a number that systems have: http2, eth0, v1.
bool reads_as_word(std::string_view word);
// A name that says nothing about who uses the system: libc.so.6, runtime.gopark, [kernel].
bool is_public_name(std::string_view name);

// A key of 32 random bytes.
std::string random_key();

}  // namespace tailcap::redact

#include "analyze/redact/rules/pseudonym.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "ground/http/hpack_huffman.h"

namespace tailcap::redact {
namespace {

constexpr std::size_t kMaxWord = 24;   // longer words are no words of a language
constexpr std::size_t kMaxDigits = 3;  // at the end of a word
constexpr unsigned kTurns = 64;

bool digit(char c) { return c >= '0' && c <= '9'; }
bool small(char c) { return c >= 'a' && c <= 'z'; }
bool capital(char c) { return c >= 'A' && c <= 'Z'; }
bool letter(char c) { return small(c) || capital(c); }
bool hex_letter(char c) { return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool hex(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return digit(c) || hex_letter(c); });
}

// Bits of each character's Huffman code.
const std::array<std::uint8_t, 256>& code_lengths() {
  static const auto lengths = [] {
    std::array<std::uint8_t, 256> all{};
    for (unsigned c = 0; c < 256; ++c) {
      std::string coded;
      ground::hpack::huffman_encode(std::string(8, static_cast<char>(c)), coded);
      all[c] = static_cast<std::uint8_t>(coded.size());
    }
    return all;
  }();
  return lengths;
}
unsigned bits_of(char c) { return code_lengths()[static_cast<unsigned char>(c)]; }

// The characters of a kind whose codes are as long.
std::string find_choices(char like, bool as_hex) {
  const std::string_view all = digit(like)             ? "0123456789"
                               : as_hex && small(like) ? "abcdef"
                               : as_hex                ? "ABCDEF"
                               : small(like)           ? "abcdefghijklmnopqrstuvwxyz"
                                                       : "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string out;
  for (const char c : all)
    if (bits_of(c) == bits_of(like)) out += c;
  return out;
}

const std::string& choices(char like, bool as_hex) {
  static const auto all = [] {
    std::array<std::string, 512> found;
    for (unsigned i = 0; i < found.size(); ++i) found[i] = find_choices(static_cast<char>(i % 256), i >= 256);
    return found;
  }();
  return all[static_cast<unsigned char>(like) + (as_hex ? 256u : 0u)];
}

// Where the groups of a number like 2f1c-00a7-… end that begin at `at`; 0: there is none.
std::size_t grouped_number(std::string_view text, std::size_t at) {
  std::size_t end = at, digits = 0;
  bool any = false, groups = false;
  while (end < text.size() && (digit(text[end]) || hex_letter(text[end]) || text[end] == '-')) {
    any = any || digit(text[end]);
    groups = groups || text[end] == '-';
    digits += text[end] != '-';
    ++end;
  }
  const bool whole = end == text.size() || !is_word_byte(text[end]);
  return whole && any && groups && digits >= 16 ? end : 0;
}

// Names of folders and units that every system has.
bool is_public_word(std::string_view word) {
  static constexpr std::string_view all[] = {
      "usr",     "lib",    "lib64",   "bin",    "sbin", "proc",  "sys",   "dev",     "etc",   "var",   "tmp",
      "run",     "home",   "opt",     "x86",    "64",   "linux", "gnu",   "so",      "slice", "scope", "user",
      "service", "system", "session", "cgroup", "fs",   "shm",   "memfd", "deleted", "py"};
  return std::find(std::begin(all), std::end(all), word) != std::end(all);
}

void add(std::string& text, std::size_t number) {
  char digits[20];
  text.append(digits, std::to_chars(digits, std::end(digits), number).ptr);
}

// An endless stream of numbers from a digest. The seed has a byte 0 at its end, and is longer while a number is drawn.
class Draw {
 public:
  Draw(const KeyedDigest& digest, std::string& seed) : digest_(digest), seed_(seed) { seed_ += '\0'; }
  std::uint32_t below(std::uint32_t n) {
    if (n == 1) return 0;
    if (at_ + 4 > block_.size()) {
      const std::size_t size = seed_.size();
      add(seed_, turn_++);
      block_ = digest_(seed_);
      seed_.resize(size);
      at_ = 0;
    }
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | block_[at_++];
    return static_cast<std::uint32_t>(std::uint64_t{value} * n >> 32);
  }

 private:
  const KeyedDigest& digest_;
  std::string& seed_;
  std::array<unsigned char, 32> block_;
  std::size_t at_ = 32;
  unsigned turn_ = 0;
};

}  // namespace

bool is_word_byte(char c) { return letter(c) || digit(c) || static_cast<unsigned char>(c) >= 0x80; }

bool reads_as_word(std::string_view s) {
  if (s.size() > kMaxWord) return false;
  std::size_t letters = 0;
  while (letters < s.size() && letter(s[letters])) ++letters;
  std::size_t end = letters;
  while (end < s.size() && digit(s[end])) ++end;
  const bool number = letters == 0 && end == s.size() && s.size() <= 2;
  if (end != s.size() || (letters == 0 && !number) || end - letters > kMaxDigits) return number;
  // Words change between capitals and small letters at joints alone, random letters at every second one.
  std::size_t changes = 0, vowels = 0;
  for (std::size_t i = 0; i < letters; ++i) {
    if (i > 0) changes += small(s[i - 1]) && capital(s[i]);
    vowels += std::string_view("aeiouyAEIOUY").find(s[i]) != std::string_view::npos;
  }
  if (letters >= 8 && (vowels * 8 < letters || changes * 4 > letters)) return false;
  return !(s.size() >= 8 && hex(s) && end > letters);
}

bool is_public_name(std::string_view name) {
  static constexpr std::string_view libraries[] = {
      "libc.so",   "libpthread", "libm.so", "libstdc++", "libgcc_s",  "libssl",   "libcrypto", "libgnutls",  "ld-linux",
      "libdl",     "librt",      "libz.so", "libresolv", "[vdso]",    "[kernel]", "[unknown]", "[vsyscall]", "libnss",
      "libnghttp", "libuv",      "libev",   "libpcre",   "libpython", "python3",  "libgrpc",   "libprotobuf"};
  const std::string_view file = name.substr(name.rfind('/') == name.npos ? 0 : name.rfind('/') + 1);
  for (const auto library : libraries)
    if (file.starts_with(library) || (file.starts_with('[') && file.substr(1).starts_with(library)))
      return std::all_of(file.begin(), file.end(), [](char c) {
        return is_word_byte(c) || std::string_view("[].-_+").find(c) != std::string_view::npos;
      });
  // Go's own packages: what is in front of the last dot of the path has no dot, and is one of these.
  static constexpr std::string_view go[] = {
      "runtime", "net",  "sync",     "internal", "bufio",    "io",       "os",    "syscall", "time", "reflect",
      "crypto",  "main", "database", "context",  "compress", "encoding", "bytes", "strings", "fmt"};
  if (name.starts_with("google.golang.org/grpc") || name.starts_with("golang.org/x/net/")) return true;
  const std::string_view package = name.substr(0, name.find_first_of("./"));
  if (package == "main") return name == "main.main";
  return package.size() < name.size() && std::find(std::begin(go), std::end(go), package) != std::end(go);
}

std::string random_key() {
  unsigned char key[32];
  if (RAND_bytes(key, sizeof key) != 1) throw std::runtime_error("libcrypto has no random bytes for a key");
  return {reinterpret_cast<const char*>(key), sizeof key};
}

// A permutation of the words of one length, kinds of characters and code lengths: no two of them become one. First the
// characters of a kind change places, in a way that their code lengths alone decide; then each is replaced by another
// of its code length, in a way that the ones beside it decide, from the left, from the right, and from the left again.
void Pseudonyms::permute(std::string& word, bool as_hex) const {
  const std::string form = std::to_string(word.size()) + (as_hex ? " hex " : " ");
  std::string seed, moved;
  std::vector<std::size_t> places, from;
  for (const auto kind :
       {+[](char c) { return digit(c); }, +[](char c) { return small(c); }, +[](char c) { return capital(c); }}) {
    places.clear();
    for (std::size_t i = 0; i < word.size(); ++i)
      if (kind(word[i])) places.push_back(i);
    if (places.size() < 2) continue;
    (seed = "places ") += form;
    const std::size_t begin = seed.size();
    for (const std::size_t i : places) seed += static_cast<char>('0' + bits_of(word[i]) % 64);
    std::sort(seed.begin() + static_cast<std::ptrdiff_t>(begin), seed.end());
    Draw draw(digest_, seed);
    from = places;
    for (std::size_t i = from.size(); i > 1; --i)
      std::swap(from[i - 1], from[draw.below(static_cast<std::uint32_t>(i))]);
    moved.clear();
    for (const std::size_t i : from) moved += word[i];
    for (std::size_t i = 0; i < places.size(); ++i) word[places[i]] = moved[i];
  }
  const auto shift = [&](std::size_t i, const char* pass) {
    const std::string& alike = choices(word[i], as_hex);
    if (alike.size() == 1) return;
    ((seed = "shift ") += pass) += form;
    add(seed, i);
    seed += ' ';
    add(seed, bits_of(word[i]));
    seed += ' ';
    // Those behind it were, or will be, shifted: only what is final, or not yet touched, may decide.
    if (*pass == '<')
      (seed += '.').append(word, i + 1);
    else
      seed.append(word, 0, i) += '.';
    Draw draw(digest_, seed);
    word[i] = alike[(alike.find(word[i]) + draw.below(static_cast<std::uint32_t>(alike.size()))) % alike.size()];
  };
  for (std::size_t i = 0; i < word.size(); ++i) shift(i, ">1");
  for (std::size_t i = word.size(); i-- > 0;) shift(i, "<2");
  for (std::size_t i = 0; i < word.size(); ++i) shift(i, ">3");
}

std::string Pseudonyms::make(std::string_view word, bool as_hex) const {
  if (!std::all_of(word.begin(), word.end(), [](char c) { return letter(c) || digit(c); }))
    return std::string(word.size(), '*');
  std::string out(word);
  // A word that is no hexadecimal number must not become one: walking on along the cycle leaves the others in place.
  for (unsigned turn = 0; turn < kTurns; ++turn) {
    permute(out, as_hex);
    if (as_hex || word.size() < 8 || !hex(out)) return out;
  }
  return std::string(word.size(), '*');
}

template <class Make>
std::string Pseudonyms::kept_or(std::string name, const Make& make) {
  Shelf& shelf = shelves_[std::hash<std::string>()(name) % kShelves];
  {
    const std::lock_guard hold(shelf.mutex);
    if (const auto found = shelf.made.find(name); found != shelf.made.end()) return found->second;
  }
  // Two threads may make the same one: it is the same.
  std::string made = make();
  const std::lock_guard hold(shelf.mutex);
  if (shelf.made.size() >= kMostKept) shelf.made.clear();
  shelf.made.try_emplace(std::move(name), made);
  return made;
}

std::string Pseudonyms::of(std::string_view word, bool as_hex) {
  as_hex = hex(word) && (as_hex || word.size() >= 8);
  return kept_or((as_hex ? "x" : "w") + std::string(word), [&] { return make(word, as_hex); });
}

std::string Pseudonyms::text(std::string_view text, Words words) {
  if (words == Words::unless_public && is_public_name(text)) return std::string(text);
  std::string out;
  std::size_t number_end = 0;  // of a hexadecimal number in groups
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word_byte(text[at])) {
      out += text[at++];
      continue;
    }
    if (at >= number_end) number_end = std::max(at, grouped_number(text, at));
    std::size_t end = at;
    while (end < text.size() && is_word_byte(text[end])) ++end;
    const std::string_view word = text.substr(at, end - at);
    const bool in_number = at < number_end;
    const bool kept = !in_number && ((words == Words::kept && reads_as_word(word)) ||
                                     (words == Words::unless_public && is_public_word(word)));
    if (kept)
      out += word;
    else
      out += of(word, in_number);
    at = end;
  }
  return out;
}

std::string Pseudonyms::bytes(std::string_view bytes) const {
  std::string seed = "bytes " + std::string(bytes);
  Draw draw(digest_, seed);
  std::string out;
  while (out.size() < bytes.size()) out += static_cast<char>(draw.below(256));
  return out;
}

formats::Address Pseudonyms::address(const formats::Address& original, bool v6) {
  formats::Address out = original;
  const auto& in = original.bytes;
  std::size_t first = 1, size = v6 ? 16 : 4;
  if (v6) {
    const bool mapped =
        std::all_of(in.begin(), in.begin() + 10, [](auto b) { return b == 0; }) && in[10] == 0xff && in[11] == 0xff;
    const bool low = std::all_of(in.begin(), in.begin() + 15, [](auto b) { return b == 0; }) && in[15] <= 1;
    if (low) return out;
    if (mapped) {
      formats::Address v4;
      std::copy_n(in.begin() + 12, 4, v4.bytes.begin());
      v4 = address(v4, false);
      std::copy_n(v4.bytes.begin(), 4, out.bytes.begin() + 12);
      return out;
    }
    first = 2;
  } else if (in[0] == 127 || std::all_of(in.begin(), in.begin() + 4, [](auto b) { return b == 0; })) {
    return out;
  }
  const std::string whole(reinterpret_cast<const char*>(in.data()), size);
  const std::string changed = kept_or((v6 ? "6" : "4") + whole, [&] {
    std::string made = whole;
    for (std::size_t bit = first * 8; bit < size * 8; ++bit) {
      std::string prefix = whole.substr(0, bit / 8);
      if (bit % 8 != 0) prefix += static_cast<char>(static_cast<unsigned char>(whole[bit / 8]) >> (8 - bit % 8));
      std::string seed = (v6 ? "address 6 " : "address 4 ") + std::to_string(bit) + ' ' + prefix;
      Draw draw(digest_, seed);
      if (draw.below(2) != 0)
        made[bit / 8] = static_cast<char>(static_cast<unsigned char>(made[bit / 8]) ^ (0x80u >> bit % 8));
    }
    return made;
  });
  std::copy(changed.begin(), changed.end(), reinterpret_cast<char*>(out.bytes.data()));
  return out;
}

}  // namespace tailcap::redact

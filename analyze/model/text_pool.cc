#include "analyze/model/text_pool.h"

#include <sys/random.h>

#include <cstring>

namespace tailcap::model {
namespace {

// A text is its length in base 128 and its bytes, at a multiple of kUnit: 2^32 units are 16 GiB.
constexpr std::size_t kUnit = 4;
constexpr std::size_t kChunk = 64u << 10;  // longer texts get a chunk of their own
constexpr std::size_t kUnits = kChunk / kUnit;
constexpr std::size_t kMaxLength = 10;  // bytes of a length

// The author of a capture must not know it: texts that all have one hash would make every look-up a search through all
// of them.
struct Secret {
  std::uint64_t start = 0xcbf29ce484222325u, factor = 0x9e3779b97f4a7c15u;
  Secret() {
    std::uint64_t words[2];
    if (getrandom(words, sizeof words, GRND_NONBLOCK) != sizeof words) return;
    start = words[0];
    factor = words[1] | 1;
  }
};

std::uint64_t folded(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Eight bytes at a time, each multiplied and folded: ids never depend on it, only speed does.
std::uint32_t hash_of(std::string_view text) {
  static const Secret secret;
  std::uint64_t h = secret.start ^ text.size();
  while (text.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data(), 8);
    h = folded(h ^ word, secret.factor);
    text.remove_prefix(8);
  }
  std::uint64_t word = 0;
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  return static_cast<std::uint32_t>(folded(h ^ word, secret.factor));
}

// These bits choose the slot in the largest tables only. Never 0.
std::uint8_t tag_of(std::uint32_t hash) { return static_cast<std::uint8_t>(hash >> 24 | 1); }

}  // namespace

std::size_t TextPool::slot_of(std::string_view text, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  const std::uint8_t tag = tag_of(hash);
  for (std::size_t i = hash & mask;; i = (i + 1) & mask)
    if (tags_[i] == 0 || (tags_[i] == tag && (*this)[slots_[i]] == text)) return i;
}

void TextPool::grow() {
  std::vector<TextId> old(slots_.empty() ? 64 : slots_.size() * 2);
  old.swap(slots_);
  tags_.assign(slots_.size(), 0);
  const std::size_t mask = slots_.size() - 1;
  for (const TextId id : old) {
    if (id == 0) continue;
    const std::uint32_t hash = hash_of((*this)[id]);
    std::size_t i = hash & mask;
    while (tags_[i] != 0) i = (i + 1) & mask;
    slots_[i] = id;
    tags_[i] = tag_of(hash);
  }
}

std::uint32_t TextPool::store(std::string_view text) {
  const std::size_t most = text.size() + kMaxLength;
  std::size_t chunk = open_, at = open_used_;
  if (most > kChunk) {
    chunk = chunks_.size();
    at = 0;
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(most));
  } else if (open_used_ > kChunk - most) {
    chunk = open_ = chunks_.size();
    at = open_used_ = 0;
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunk));
  }
  char* const begin = chunks_[chunk].get() + at;
  char* to = begin;
  std::size_t length = text.size();
  for (; length >= 0x80; length >>= 7) *to++ = static_cast<char>(length | 0x80);
  *to++ = static_cast<char>(length);
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  to += text.size();
  if (most <= kChunk) open_used_ += (static_cast<std::size_t>(to - begin) + kUnit - 1) / kUnit * kUnit;
  return static_cast<std::uint32_t>(chunk * kUnits + at / kUnit);
}

TextId TextPool::intern(std::string_view text) {
  if ((interned_ + 1) * 4 > slots_.size() * 3) grow();
  const std::uint32_t hash = hash_of(text);
  const std::size_t slot = slot_of(text, hash);
  if (tags_[slot] != 0) return slots_[slot];
  ++interned_;
  tags_[slot] = tag_of(hash);
  return slots_[slot] = append(text);
}

TextId TextPool::append(std::string_view text) {
  places_.push_back(store(text));
  return static_cast<TextId>(places_.size());
}

TextId TextPool::find(std::string_view text) const { return slots_.empty() ? 0 : slots_[slot_of(text, hash_of(text))]; }

std::string_view TextPool::operator[](TextId id) const {
  if (id == 0) return {};
  const std::uint32_t place = places_[id - 1];
  const char* at = chunks_[place / kUnits].get() + place % kUnits * kUnit;
  std::size_t length = static_cast<unsigned char>(*at) & 0x7f;
  for (unsigned shift = 7; *at++ & 0x80; shift += 7) length |= static_cast<std::size_t>(*at & 0x7f) << shift;
  return {at, length};
}

}  // namespace tailcap::model

#include "analyze/flow/text_pool.h"

#include <cstring>

namespace tailcap::flow {
namespace {

constexpr std::size_t kChunk = 64u << 10;  // texts longer than this get a chunk of their own

// FNV-1a over eight bytes at a time, folded: ids never depend on it, only speed does.
std::uint32_t hash_of(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325u ^ text.size();
  while (text.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data(), 8);
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    h ^= h >> 32;
    text.remove_prefix(8);
  }
  std::uint64_t word = 0;
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  h = (h ^ word) * 0x9e3779b97f4a7c15u;
  return static_cast<std::uint32_t>(h >> 32);
}

}  // namespace

std::size_t TextPool::slot_of(std::string_view text, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const TextId id = slots_[i];
    if (id == 0) return i;
    const Slice& s = texts_[id - 1];
    if (s.hash == hash && s.size == text.size() && (s.size == 0 || std::memcmp(s.data, text.data(), s.size) == 0)) return i;
  }
}

void TextPool::grow() {
  std::vector<TextId> old(slots_.empty() ? 64 : slots_.size() * 2);
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const TextId id : old) {
    if (id == 0) continue;
    std::size_t i = texts_[id - 1].hash & mask;
    while (slots_[i] != 0) i = (i + 1) & mask;
    slots_[i] = id;
  }
}

const char* TextPool::store(std::string_view text) {
  if (text.size() > chunk_left_) {
    const std::size_t size = text.size() > kChunk / 4 ? text.size() : kChunk;
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    if (size != kChunk) {  // its own chunk; the open one stays open
      std::memcpy(chunks_.back().get(), text.data(), size);
      return chunks_.back().get();
    }
    chunk_next_ = chunks_.back().get();
    chunk_left_ = size;
  }
  char* at = chunk_next_;
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  chunk_next_ += text.size();
  chunk_left_ -= text.size();
  return at;
}

TextId TextPool::intern(std::string_view text) {
  if ((texts_.size() + 1) * 4 > slots_.size() * 3) grow();
  const std::uint32_t hash = hash_of(text);
  const std::size_t slot = slot_of(text, hash);
  if (slots_[slot] != 0) return slots_[slot];
  texts_.push_back({store(text), static_cast<std::uint32_t>(text.size()), hash});
  return slots_[slot] = static_cast<TextId>(texts_.size());
}

TextId TextPool::find(std::string_view text) const {
  return slots_.empty() ? 0 : slots_[slot_of(text, hash_of(text))];
}

std::string_view TextPool::operator[](TextId id) const {
  if (id == 0) return {};
  const Slice& s = texts_[id - 1];
  return {s.data, s.size};
}

}  // namespace tailcap::flow

// One budget of bytes for all text and state that connections keep until it can be decided what bytes mean. Who holds
// much has to let go first, so that one process cannot spend what the others need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>

namespace tailcap::formats::mask {

// The memory that a string holds beside its own size.
inline std::size_t held_by(const std::string& text) {
  static const std::size_t own = std::string().capacity();
  return text.capacity() > own ? text.capacity() : 0;
}

// Gives the memory of a text or a container back, which an assignment does not.
template <class Held>
void let_go_of(Held& held) {
  Held().swap(held);
}

class Waiting {
 public:
  static constexpr std::size_t kMost = 32u << 20;
  static constexpr std::size_t kFree = 512;   // what a connection may hold beside its own size
  static constexpr std::size_t kMuch = 4096;  // more than a connection that is read without waiting

  explicit Waiting(std::size_t most = kMost) : most_(most) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  // What one connection holds. It must not outlive the budget.
  class Share {
   public:
    Share() = default;
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { set(0); }
    // From now on this is the share of the connection `id` in `of`.
    void holds(Waiting& of, std::uint64_t id, std::size_t bytes) {
      if (bytes <= kFree) bytes = 0;
      if (bytes == bytes_) return;
      const bool listed = bytes_ > 0, much = bytes > kMuch;
      if (listed && bytes > 0 && much == much_) return set(bytes);
      set(0);
      if (bytes == 0) return;
      of_ = &of;
      much_ = much;
      place_ = of.list(much).insert(of.list(much).end(), id);
      set(bytes);
    }

   private:
    void set(std::size_t bytes) {
      if (!of_) return;
      of_->total_ += bytes - bytes_;
      bytes_ = bytes;
      if (bytes > 0) return;
      of_->list(much_).erase(place_);
      of_ = nullptr;
    }
    Waiting* of_ = nullptr;
    std::size_t bytes_ = 0;
    bool much_ = false;
    std::list<std::uint64_t>::iterator place_;
  };

  // The connection that has to let go: of those that hold much, the one that began to first. Nothing: all fit.
  std::optional<std::uint64_t> over() const {
    if (total_ <= most_) return std::nullopt;
    const auto& from = much_.empty() ? little_ : much_;
    return from.front();
  }
  std::size_t total() const { return total_; }

 private:
  std::list<std::uint64_t>& list(bool much) { return much ? much_ : little_; }

  std::size_t most_, total_ = 0;
  std::list<std::uint64_t> much_, little_;  // the oldest first
};

}  // namespace tailcap::formats::mask

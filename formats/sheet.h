// The bytes of one I/O that remain: none, until a caller proves what a byte is and keeps it.
//
// Bytes are numbered as they are visible: first the head's, then the tail's. Bytes that are neither kept nor hidden are
// left out at the end of the head and before the tail; elsewhere they become asterisks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tailcap::formats {

class Sheet {
 public:
  void begin(std::string_view head, std::string_view tail) {
    head_ = head;
    tail_ = tail;
    head_end_ = 0;
    tail_begin_ = head.size() + tail.size();
    used_ = false;
  }

  void keep(std::size_t begin, std::size_t end) {
    if (begin >= end) return;
    mark(begin, end);
    const std::string_view from = begin < head_.size() ? head_ : tail_;
    const std::size_t skip = begin < head_.size() ? 0 : head_.size();
    from.copy(text_.data() + begin, end - begin, begin - skip);
  }
  // The reader needs to see that there are bytes, but not which.
  void hide(std::size_t begin, std::size_t end) {
    if (begin < end) mark(begin, end);
  }
  // The meaning of these bytes is unknown: an asterisk shows the reader that no message begins with them.
  void blot(std::size_t begin, std::size_t end) {
    if (begin >= end) return;
    mark(begin, end);
    for (std::size_t i = begin; i < end; ++i) text_[i] = '?';
  }
  // Replaces bytes by others of the same length.
  void write(std::size_t begin, std::string_view other) {
    if (other.empty()) return;
    mark(begin, begin + other.size());
    other.copy(text_.data() + begin, other.size());
  }

  // Valid until the next begin().
  std::string_view head() const { return used_ ? std::string_view(text_).substr(0, head_end_) : std::string_view(); }
  std::string_view tail() const { return used_ ? std::string_view(text_).substr(tail_begin_) : std::string_view(); }
  // What was kept, hidden and written of a range, all of it.
  std::string_view result(std::size_t begin, std::size_t size) const {
    return std::string_view(text_).substr(begin, size);
  }
  std::size_t kept_head() const { return head_end_; }

 private:
  // A range never lies in the head and in the tail.
  void mark(std::size_t begin, std::size_t end) {
    if (!used_) {
      text_.assign(head_.size() + tail_.size(), '*');
      used_ = true;
    }
    if (begin < head_.size())
      head_end_ = end > head_end_ ? end : head_end_;
    else
      tail_begin_ = begin < tail_begin_ ? begin : tail_begin_;
  }

  std::string_view head_, tail_;
  std::string text_;
  std::size_t head_end_ = 0, tail_begin_ = 0;
  bool used_ = false;
};

}  // namespace tailcap::formats

#include "formats/mask/chunks.h"

#include <algorithm>

namespace tailcap::formats::mask {

namespace {

constexpr unsigned kMaxLine = 4096;             // of a chunk's size, zeros in front of it, and extensions
constexpr std::uint64_t kMaxSize = 1ull << 60;  // larger ones are invalid

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

}  // namespace

void Chunks::begin(bool strict) {
  state_ = State::size;
  strict_ = strict;
  left_ = 0;
  line_ = 0;
}

bool Chunks::skip(std::uint64_t n) {
  if (state_ != State::data || n > left_) return false;
  left_ -= n;
  if (left_ == 0) state_ = State::data_end;
  return true;
}

void Chunks::size_done() {
  state_ = left_ == 0 ? State::trailers : State::data;
  if (left_ == 0) trailers_.begin(true);
  line_ = 0;
}

std::size_t Chunks::feed(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const char c = bytes[at];
    switch (state_) {
      case State::size:
      case State::padding:
        if (const int digit = state_ == State::size ? hex(c) : -1;
            digit >= 0 && left_ < kMaxSize / 16 && ++line_ < kMaxLine) {
          left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        } else if (line_ == 0 || digit >= 0) {
          state_ = State::broken;
          return at;
        } else if (c == '\r') {
          state_ = State::size_end;
        } else if (c == '\n' && !strict_) {
          size_done();
        } else if (c == ';') {
          state_ = State::extension;
        } else if ((c == ' ' || c == '\t') && ++line_ < kMaxLine) {
          state_ = State::padding;
        } else if (state_ == State::padding) {
          state_ = State::extension;
          break;
        } else {
          state_ = State::broken;
          return at;
        }
        sheet.keep(base + at, base + at + 1);
        at++;
        break;
      case State::extension: {
        const std::size_t end = std::min(bytes.find_first_of("\r\n", at), bytes.size());
        line_ += static_cast<unsigned>(std::min<std::size_t>(end - at, kMaxLine));
        if (line_ >= kMaxLine) {
          state_ = State::broken;
          return at;
        }
        sheet.hide(base + at, base + end);
        at = end;
        if (at == bytes.size()) break;
        if (bytes[at] == '\r') {
          state_ = State::size_end;
        } else if (strict_) {
          state_ = State::broken;
          return at;
        } else {
          size_done();
        }
        sheet.keep(base + at, base + at + 1);
        at++;
        break;
      }
      case State::size_end:
      case State::data_cr:
        if (c != '\n') {
          state_ = State::broken;
          return at;
        }
        sheet.keep(base + at, base + at + 1);
        at++;
        if (state_ == State::size_end)
          size_done();
        else
          state_ = State::size;
        break;
      case State::data:
        return at;
      case State::data_end:
        if (c != '\r' && (c != '\n' || strict_)) {
          state_ = State::broken;
          return at;
        }
        sheet.keep(base + at, base + at + 1);
        at++;
        state_ = c == '\r' ? State::data_cr : State::size;
        break;
      case State::trailers:
        at += trailers_.feed(bytes.substr(at), base + at, sheet, rules);
        if (trailers_.done())
          state_ = strict_ && trailers_.framing.any() ? State::broken : State::done;
        else if (trailers_.too_long())
          state_ = State::broken;
        if (state_ != State::trailers) return at;
        break;
      case State::done:
      case State::broken:
        return at;
    }
  }
  return at;
}

}  // namespace tailcap::formats::mask

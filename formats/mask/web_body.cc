#include "formats/mask/web_body.h"

#include <algorithm>

namespace tailcap::formats::mask {

namespace {

constexpr unsigned kPrefix = 5;
constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

}  // namespace

bool WebBody::keeps_next() const {
  if (lost_) return false;
  return have_ < kPrefix || (in_trailers_ && trailers_.keeps_next());
}

void WebBody::skip(std::uint64_t n) {
  if (!text_ && have_ == kPrefix && !in_trailers_ && n <= left_) {
    left_ -= n;
    if (left_ == 0) have_ = 0;
    return;
  }
  lost_ = true;
}

void WebBody::feed(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  if (text_)
    coded(bytes, base, sheet, rules);
  else
    binary(bytes, base, sheet, rules);
}

void WebBody::binary(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  std::size_t at = 0;
  while (at < bytes.size() && !lost_) {
    if (have_ < kPrefix) {
      const auto octet = static_cast<unsigned char>(bytes[at]);
      if (have_ == 0) {
        in_trailers_ = (octet & 0x80) != 0;
        left_ = 0;
        if ((octet & 0x7f) > 1) {  // not a flag of gRPC: the content type is wrong
          lost_ = true;
          break;
        }
      } else {
        left_ = left_ << 8 | octet;
      }
      sheet.keep(base + at, base + at + 1);
      at++;
      if (++have_ < kPrefix) continue;
      if (in_trailers_) trailers_.begin(false);
      if (left_ == 0) have_ = 0;
      continue;
    }
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
    std::size_t done = n;
    if (in_trailers_) {
      done = trailers_.feed(bytes.substr(at, n), base + at, sheet, rules);
      if (done < n) sheet.hide(base + at + done, base + at + n);  // behind a blank line, which is not sent in practice
    } else {
      sheet.hide(base + at, base + at + n);
    }
    at += n;
    left_ -= n;
    if (left_ == 0) have_ = 0;
  }
  sheet.hide(base + at, base + bytes.size());
}

// Rewrites each digit from what is left of the bytes that it belongs to. A byte that is cut is judged by its position.
void WebBody::coded(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  decoded_.clear();
  const unsigned digits = digits_;
  for (const char c : bytes) {
    const int value = sextet(c);
    if (value < 0) {
      if (c != '=') lost_ = true;
      bits_ = digits_ = 0;
      continue;
    }
    bits_ = bits_ << 6 | static_cast<unsigned>(value);
    if (++digits_ > 1) decoded_.push_back(static_cast<char>(bits_ >> (8 - 2 * digits_) & 0xff));
    if (digits_ == 4) bits_ = digits_ = 0;
  }
  plain_.begin(decoded_, {});
  if (lost_)
    plain_.hide(0, decoded_.size());
  else
    binary(decoded_, 0, plain_, rules);
  const std::string_view plain = plain_.head();
  const bool last_kept = keeps_next();

  // The same pass again, with the kept bytes.
  changed_.assign(bytes);
  unsigned place = digits;
  std::size_t next = 0;
  const auto byte = [&](std::size_t i) -> unsigned {
    if (i < plain.size()) return static_cast<unsigned char>(plain[i]);
    return last_kept ? 256 : static_cast<unsigned>('*');
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int value = sextet(bytes[i]);
    if (value < 0) {
      place = 0;
      if (bytes[i] != '=') changed_[i] = 'A';
      continue;
    }
    // Digit 0: the first six bits of a byte. 1: its last two and four of the next. 2: four and two. 3: the last six.
    const auto own = static_cast<unsigned>(value);
    unsigned out = 0;
    const unsigned first = byte(next);
    switch (place) {
      case 0:
        out = first == 256 ? own : first >> 2;
        break;
      case 1: {
        const unsigned second = byte(next + 1);
        out = (first == 256 ? own & 0x30 : (first & 3) << 4) | (second == 256 ? own & 0x0f : second >> 4);
        next++;
        break;
      }
      case 2: {
        const unsigned second = byte(next + 1);
        out = (first == 256 ? own & 0x3c : (first & 15) << 2) | (second == 256 ? own & 0x03 : second >> 6);
        next++;
        break;
      }
      default:
        out = first == 256 ? own : first & 63;
        next++;
        break;
    }
    changed_[i] = kDigits[out & 63];
    place = (place + 1) % 4;
  }
  sheet.write(base, changed_);
}

}  // namespace tailcap::formats::mask

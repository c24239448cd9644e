#include "analyze/redact/wire/hello.h"

#include <algorithm>
#include <string_view>

namespace tailcap::redact::wire {
namespace {

constexpr std::string_view kRetry =
    "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2"
    "\xc8\xa8\x33\x9c";

class Hello {
 public:
  Hello(std::string& body, const HeaderList& list) : body_(body), list_(list) {}

  void run(bool client) {
    at_ = 2;
    const std::size_t random = take(32);
    if (bad_) return hide(0, body_.size());
    if (client || std::string_view(body_).substr(random, 32) != kRetry) hide(random, 32);
    const std::size_t size = number(1), id = take(size);
    if (bad_) return hide(id, body_.size());
    body_.replace(id, size, list_.names().bytes(std::string_view(body_).substr(id, size)));
    if (client) {
      take(number(2));
      take(number(1));
    } else {
      take(3);
    }
    if (at_ < body_.size()) number(2);
    while (!bad_ && at_ < body_.size()) {
      const std::size_t type = number(2), length = number(2), begin = take(length);
      if (!bad_) extension(type, begin, length, client);
    }
    if (bad_) hide(at_, body_.size());
  }

 private:
  std::size_t number(std::size_t bytes) {
    const std::size_t begin = take(bytes);
    std::size_t n = 0;
    for (std::size_t i = 0; !bad_ && i < bytes; ++i) n = n << 8 | static_cast<unsigned char>(body_[begin + i]);
    return n;
  }
  // Returns where they begin.
  std::size_t take(std::size_t n) {
    const std::size_t begin = std::min(at_, body_.size());
    if (bad_ || n > body_.size() - begin) {
      bad_ = true;
      return begin;
    }
    at_ = begin + n;
    return begin;
  }
  void hide(std::size_t begin, std::size_t n) {
    begin = std::min(begin, body_.size());
    std::fill_n(body_.begin() + static_cast<std::ptrdiff_t>(begin), std::min(n, body_.size() - begin), '*');
  }

  void extension(std::size_t type, std::size_t begin, std::size_t length, bool client) {
    switch (type) {
      case 0:  // server_name
        return client ? names(begin + 2, begin + length, 1, 2) : hide(begin, length);
      case 16:  // ALPN
        return names(begin + 2, begin + length, 0, 1);
      case 10:  // groups, point formats, signatures, versions: numbers from registries
      case 11:
      case 13:
      case 22:
      case 23:
      case 43:
      case 45:
        return;
      default:
        return hide(begin, length);
    }
  }

  // Names with `kind` bytes in front of a length of `bytes` bytes each.
  void names(std::size_t begin, std::size_t end, std::size_t kind, std::size_t bytes) {
    while (begin + kind + bytes <= end) {
      begin += kind;
      std::size_t length = 0;
      for (std::size_t i = 0; i < bytes; ++i) length = length << 8 | static_cast<unsigned char>(body_[begin + i]);
      begin += bytes;
      if (length > end - begin) break;
      const std::string name = body_.substr(begin, length);
      static constexpr std::string_view kKnown[] = {"h2", "http/1.1", "http/1.0", "h3", "h2c", "grpc-exp", "localhost"};
      if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
        body_.replace(begin, length, list_.words(name));
      begin += length;
    }
    if (begin < end) hide(begin, end - begin);
  }

  std::string& body_;
  const HeaderList& list_;
  std::size_t at_ = 0;
  bool bad_ = false;
};

}  // namespace

void redact_hello(std::string& body, bool client, const HeaderList& list) {
  if (body.size() < 2) return;
  Hello(body, list).run(client);
}

}  // namespace tailcap::redact::wire

#include "analyze/redact/wire/target.h"

#include <algorithm>
#include <string_view>

#include "ground/http/query_key.h"

namespace tailcap::redact::wire {

namespace {

class TargetMask {
 public:
  TargetMask(std::string& text, bool cut, std::size_t written, const HeaderList& list)
      : text_(text), cut_(cut), written_(written), list_(list) {}

  void run() {
    const std::size_t path = authority();
    const std::size_t query = std::min(text_.find_first_of("?#", path), text_.size());
    for (std::size_t at = path; at < query;) {
      const std::size_t end = std::min(text_.find('/', at), query);
      segment(at, end);
      at = end + 1;
    }
    if (query < text_.size()) pairs(query + 1, text_.size());
  }

 private:
  void hide(std::size_t begin, std::size_t end) {
    std::fill(text_.begin() + static_cast<std::ptrdiff_t>(begin), text_.begin() + static_cast<std::ptrdiff_t>(end),
              '*');
  }
  bool partial(std::size_t begin, std::size_t end) const {
    return (cut_ && end == text_.size()) || (written_ > 0 && begin <= written_);
  }

  // Returns the start of the path.
  std::size_t authority() {
    if (text_.empty() || text_[0] == '/' || text_[0] == '*' || text_[0] == '?') return 0;
    for (const std::string_view scheme : {"http://", "https://"})
      if (cut_ && scheme.starts_with(text_)) return text_.size();
    const std::size_t scheme = text_.find("://");
    const std::size_t begin = scheme == text_.npos ? 0 : scheme + 3;
    const std::size_t end = std::min(text_.find_first_of("/?#", begin), text_.size());
    if (scheme != text_.npos && text_.compare(0, scheme, "http") != 0 && text_.compare(0, scheme, "https") != 0)
      hide(0, scheme);
    if (partial(begin, end)) {
      hide(begin, end);
    } else {
      std::string host = text_.substr(begin, end - begin);
      list_.judge(Value::authority, host, {});
      text_.replace(begin, end - begin, host);
    }
    return end;
  }

  void segment(std::size_t begin, std::size_t end) {
    const std::string_view all = std::string_view(text_).substr(0, end);
    const std::size_t parameters = std::min(all.find(';', begin), end);
    words(begin, parameters);
    if (parameters < end) pairs(parameters + 1, end);
  }

  void words(std::size_t begin, std::size_t end) {
    if (begin >= end) return;
    const std::string part = text_.substr(begin, end - begin);
    const bool odd = std::any_of(part.begin(), part.end(), [](char c) {
      return c == '%' || c == '@' || static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f;
    });
    if (odd || partial(begin, end)) return hide(begin, end);
    text_.replace(begin, part.size(), list_.words(part));
  }

  void pairs(std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end;) {
      const std::size_t stop = std::min(text_.find_first_of("&;", at), end);
      const std::size_t equals = std::min(text_.find('=', at), stop);
      const std::string_view key = std::string_view(text_).substr(at, equals - at);
      if (equals < stop && list_.keeps_query(key)) {
        at = stop + 1;
        continue;
      }
      // Without '=' it is a value.
      if (equals < stop && ground::is_query_key(key))
        words(at, equals);
      else
        hide(at, equals);
      if (equals < stop) hide(equals + 1, stop);
      at = stop + 1;
    }
  }

  std::string& text_;
  bool cut_;
  std::size_t written_;
  const HeaderList& list_;
};

}  // namespace

void mask_target(std::string& target, bool cut, std::size_t written, const HeaderList& list) {
  const std::string before = target;
  TargetMask(target, cut, written, list).run();
  list.saw(before, target);
}

}  // namespace tailcap::redact::wire

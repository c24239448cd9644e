#include "capture/mask/http/target.h"

#include <algorithm>
#include <string_view>

namespace tailcap::capture::mask {

namespace {

constexpr std::size_t kMaxNumber = 8;    // digits of a query value that is kept
constexpr std::size_t kTokenRun = 40;    // this many base64 characters are taken for a credential: 20 bytes in
                                         // hexadecimal
constexpr std::size_t kTokenBegin = 16;  // for a run that is cut, and may therefore be longer
constexpr std::size_t kShortestJwt = 16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_base64(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '+' || c == '-' || c == '_' || c == '=';
}

class TargetMask {
 public:
  TargetMask(std::string& text, bool cut, const HeaderList& list) : text_(text), cut_(cut), list_(list) {}

  void run() {
    std::size_t at = authority();
    const std::size_t query = std::min(text_.find_first_of("?#", at), text_.size());
    while (at < query) {
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
  bool goes_on(std::size_t end) const { return cut_ && end == text_.size(); }

  // Returns the start of the path.
  std::size_t authority() {
    if (text_.empty() || text_[0] == '/' || text_[0] == '*' || text_[0] == '?') return 0;
    for (const std::string_view scheme : {"http://", "https://"})
      if (cut_ && scheme.starts_with(text_)) return text_.size();
    const std::size_t scheme = text_.find("://");
    const std::size_t begin = scheme == text_.npos ? 0 : scheme + 3;
    const std::size_t end = std::min(text_.find_first_of("/?#", begin), text_.size());
    user_information(begin, end);
    return end;
  }

  void user_information(std::size_t begin, std::size_t end) {
    if (goes_on(end)) return hide(begin, end);
    const std::size_t at = std::string_view(text_).substr(0, end).rfind('@');
    if (at != text_.npos && at >= begin) hide(begin, at);
  }

  void segment(std::size_t begin, std::size_t end) {
    const std::string_view all = std::string_view(text_).substr(0, end);
    const std::size_t parameters = std::min(all.find(';', begin), end);
    const std::size_t at = all.rfind('@'), colon = all.find(':', begin);
    if (at != all.npos && colon != all.npos && at > colon)
      hide(begin, at);
    else if (colon != all.npos && goes_on(end))
      hide(colon + 1, end);
    tokens(begin, parameters);
    if (parameters < end) pairs(parameters + 1, end);
  }

  // The length of one base64 character at `at`, which may be written as %2B, %2F or %3D. 0: none.
  std::size_t base64_at(std::size_t at, std::size_t end) const {
    if (is_base64(text_[at])) return 1;
    if (text_[at] != '%') return 0;
    if (end - at < 3) return goes_on(end) ? end - at : 0;
    const char high = text_[at + 1], digit = lower(text_[at + 2]);
    return (high == '2' && (digit == 'b' || digit == 'f')) || (high == '3' && digit == 'd') ? 3 : 0;
  }

  void tokens(std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end;) {
      const std::size_t run = at;
      std::size_t part = at;  // since the last dot
      for (std::size_t n = 0; at < end && ((n = base64_at(at, end)) > 0 || text_[at] == '.');
           at += std::max<std::size_t>(n, 1)) {
        if (n > 0) continue;
        if (at - part >= kTokenRun) hide(part, at);
        part = at + 1;
      }
      const std::size_t longest = goes_on(at) ? kTokenBegin : kTokenRun;
      const bool jwt = std::string_view(text_).substr(run).starts_with("eyJ");
      if (jwt && (at - run >= kShortestJwt || goes_on(at)))
        hide(run, at);
      else if (at - part >= longest)
        hide(part, at);
      if (at < end) at++;
    }
  }

  void pairs(std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end;) {
      const std::size_t stop = std::min(text_.find_first_of("&;", at), end);
      const std::size_t equals = std::min(text_.find('=', at), stop);
      // Checked before testing whether the key is a token.
      const bool keeps = list_.keeps_query(std::string_view(text_).substr(at, equals - at));
      tokens(at, equals);
      if (equals < stop && !keeps && !is_number(equals + 1, stop)) hide(equals + 1, stop);
      at = stop + 1;
    }
  }

  bool is_number(std::size_t begin, std::size_t end) const {
    return end - begin <= kMaxNumber && !goes_on(end) &&
           std::all_of(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                       text_.begin() + static_cast<std::ptrdiff_t>(end), is_digit);
  }

  std::string& text_;
  bool cut_;
  const HeaderList& list_;
};

}  // namespace

void mask_target(std::string& target, bool cut, const HeaderList& list) { TargetMask(target, cut, list).run(); }

void mask_authority(std::string& host, bool cut) {
  const std::size_t at = host.rfind('@');
  if (at != host.npos) std::fill_n(host.begin(), at, '*');
  // A name could be a user's, and a colon could begin a password: only the rest decides.
  else if (cut && host.find(':') != host.npos)
    std::fill(host.begin() + static_cast<std::ptrdiff_t>(host.find(':') + 1), host.end(), '*');
}

}  // namespace tailcap::capture::mask

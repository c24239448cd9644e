#include "capture/mask/http/target.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/mask/http/token.h"
#include "ground/http/query_key.h"

namespace tailcap::capture::mask {

namespace {

constexpr std::size_t kMaxNumber = 8;  // digits of a query value that is kept
constexpr std::size_t kTokenRun = 40;  // this many base64 characters are taken for a credential, whatever they are
constexpr std::size_t kShortestJwt = 16;

// Parameters whose numbers let somebody in, or pay: by a word of the name, or by a part or the end of all of it.
constexpr auto kSecretWords = std::to_array<std::string_view>({
    "2fa", "auth", "card", "csc", "cvc", "cvc2", "cvv", "cvv2", "hash", "key", "mfa", "nonce", "otp",
    "pan", "pass", "pin",  "pw",  "pwd", "sid",  "sig", "sms",  "ssn",  "tan", "tfa", "totp",
});
constexpr auto kSecretParts = std::to_array<std::string_view>({
    "apikey",
    "credential",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "secret",
    "session",
    "signature",
    "token",
    "verif",
});
constexpr std::string_view kSecretEnd = "code";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }

bool is_letter_or_digit(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z'); }

bool is_base64(char c) { return is_letter_or_digit(c) || c == '+' || c == '-' || c == '_' || c == '='; }

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

  // The length of the escape or character at `at` if it belongs to a run; 0: it ends the run.
  std::size_t run_at(std::size_t at, std::size_t end) const {
    const char c = text_[at];
    if (c != '%') return is_base64(c) || std::string_view("~,!$'()").find(c) != std::string_view::npos;
    return end - at >= 3 && is_hex(text_[at + 1]) && is_hex(text_[at + 2]) ? 3 : 1;
  }

  // Escapes and other signs are neither letters nor digits.
  std::string run_of(std::size_t begin, std::size_t end) const {
    std::string run;
    for (std::size_t at = begin; at < end; at += run_at(at, end)) run += is_base64(text_[at]) ? text_[at] : '%';
    return run;
  }

  // What base64 has, with %2B, %2F and %3D, is a credential if it is long, whatever it reads like.
  bool long_run(std::size_t begin, std::size_t end) const {
    std::size_t from = begin;
    for (std::size_t at = begin, n = 0; at < end; at += n) {
      n = run_at(at, end);
      const char sign = n == 3 ? lower(text_[at + 2]) : '\0';
      const bool escape =
          n == 3 && ((text_[at + 1] == '2' && (sign == 'b' || sign == 'f')) || (text_[at + 1] == '3' && sign == 'd'));
      if (!escape && !is_base64(text_[at])) from = at + n;
      if (at + n >= from + kTokenRun) return true;
    }
    return false;
  }

  // A run without dots.
  void token(std::size_t begin, std::size_t end) {
    if (begin >= end || (end - begin < kShortestCredential && !goes_on(end))) return;
    if (long_run(begin, end)) return hide(begin, end);
    const std::string run = run_of(begin, end);
    if (is_credential(run) || (goes_on(end) && may_be_credential(run))) hide(begin, end);
  }

  // A JSON Web Token begins so; within a word, only what has its two dots is one.
  bool is_jwt(std::size_t begin, std::size_t end) const {
    const std::string_view run = std::string_view(text_).substr(begin, end - begin);
    const std::size_t at = run.find("eyJ");
    if (at == run.npos) return false;
    const bool starts = at == 0 || !is_letter_or_digit(run[at - 1]);
    const bool dots = std::count(run.begin() + static_cast<std::ptrdiff_t>(at), run.end(), '.') >= 2;
    return (starts || dots) && (run.size() - at >= kShortestJwt || goes_on(end));
  }

  void tokens(std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end; ++at) {
      const std::size_t run = at;
      std::size_t part = at;  // since the last dot
      for (std::size_t n = 0; at < end && ((n = run_at(at, end)) > 0 || text_[at] == '.');
           at += std::max<std::size_t>(n, 1)) {
        if (n > 0) continue;
        parts_.emplace_back(part, at);
        part = at + 1;
      }
      parts_.emplace_back(part, at);
      const bool jwt = is_jwt(run, at);
      for (const auto& [from, to] : parts_)
        if (!jwt) token(from, to);
      parts_.clear();
      if (jwt) hide(run, at);
    }
  }

  void pairs(std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end;) {
      const std::size_t stop = std::min(text_.find_first_of("&;", at), end);
      const std::size_t equals = std::min(text_.find('=', at), stop);
      const std::string key = text_.substr(at, equals - at);
      // Without '=' it is a value, as in links that confirm or share something.
      const bool named = equals < stop && ground::is_query_key(key);
      const bool keeps = list_.keeps_query(named ? std::string_view(key) : std::string_view());
      if (named)
        tokens(at, equals);
      else if (!keeps)
        hide(at, equals);
      const bool number = named && !keeps && is_number(equals + 1, stop) && !is_secret(key);
      if (equals < stop && !keeps && !number) hide(equals + 1, stop);
      at = stop + 1;
    }
  }

  // By its words: between signs, and where a capital follows a small letter.
  static bool is_secret(std::string_view key) {
    std::string word, all;
    bool secret = false;
    const auto end_word = [&] {
      secret = secret || std::find(kSecretWords.begin(), kSecretWords.end(), word) != kSecretWords.end();
      word.clear();
    };
    for (std::size_t i = 0; i < key.size(); ++i) {
      const bool capital = key[i] != lower(key[i]);
      if (!is_letter_or_digit(key[i]) || (capital && i > 0 && key[i - 1] == lower(key[i - 1]))) end_word();
      if (!is_letter_or_digit(key[i])) continue;
      word += lower(key[i]);
      all += lower(key[i]);
    }
    end_word();
    return secret || all.ends_with(kSecretEnd) ||
           std::any_of(kSecretParts.begin(), kSecretParts.end(),
                       [&](std::string_view part) { return all.find(part) != all.npos; });
  }

  bool is_number(std::size_t begin, std::size_t end) const {
    return end - begin <= kMaxNumber && !goes_on(end) &&
           std::all_of(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                       text_.begin() + static_cast<std::ptrdiff_t>(end), is_digit);
  }

  std::string& text_;
  bool cut_;
  const HeaderList& list_;
  std::vector<std::pair<std::size_t, std::size_t>> parts_;  // of a run, between its dots
};

}  // namespace

void mask_target(std::string& target, bool cut, const HeaderList& list) { TargetMask(target, cut, list).run(); }

// What comes in pieces may be the name of a user until all of it is there.
void mask_authority(std::string& host, bool cut) {
  const std::size_t at = cut ? host.size() : host.rfind('@'),
                    blanks = std::min(host.find_first_not_of(" \t"), host.size());
  if (at != host.npos && at > blanks)
    std::fill(host.begin() + static_cast<std::ptrdiff_t>(blanks), host.begin() + static_cast<std::ptrdiff_t>(at), '*');
}

}  // namespace tailcap::capture::mask

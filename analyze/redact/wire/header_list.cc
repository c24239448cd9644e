#include "analyze/redact/wire/header_list.h"

#include <algorithm>
#include <array>

#include "analyze/redact/wire/hello.h"
#include "analyze/redact/wire/target.h"
#include "ground/http/http_start_line.h"
#include "ground/http/http_text.h"

namespace tailcap::redact::wire {

using ground::lower;

namespace {

constexpr auto kWords = std::to_array<std::string_view>({
    "100-continue", "br",        "chunked",    "close",   "compress", "connect",  "deflate",
    "delete",       "get",       "gzip",       "h2c",     "head",     "http",     "http2-settings",
    "https",        "identity",  "keep-alive", "max",     "options",  "patch",    "post",
    "put",          "snappy",    "te",         "timeout", "trace",    "trailers", "transfer-encoding",
    "upgrade",      "websocket", "zstd",
});

constexpr std::size_t kMaxId = 80, kMaxNumber = 19;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

bool all_words(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(",;= \t"), text.size());
    std::string word(text.substr(0, end));
    std::transform(word.begin(), word.end(), word.begin(), lower);
    const bool number = word.size() <= 4 && std::all_of(word.begin(), word.end(), is_digit);
    if (!number && std::find(kWords.begin(), kWords.end(), word) == kWords.end()) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

// Numbers in hexadecimal with what traces put between them. Text that is no number is none.
bool is_id(std::string_view text) {
  return text.size() <= kMaxId &&
         std::all_of(text.begin(), text.end(),
                     [](char c) {
                       return is_hex(c) || c == '-' || c == ':' || c == '/' || c == ';' || c == '=' || c == 'o';
                     }) &&
         (text.size() >= 8 || std::all_of(text.begin(), text.end(), is_digit));
}

// grpc-trace-bin: 29 bytes that begin with the version and the first field's number, both 0.
bool is_binary_id(std::string_view text) {
  return text.size() >= 38 && text.size() <= 40 && text.starts_with("AAA") &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '+' || c == '/' || c == '=';
         });
}

// type/subtype, each of words; what follows is hidden by the caller.
std::size_t media_type(std::string_view text) {
  static constexpr std::string_view kTypes[] = {"application/", "text/",      "image/", "audio/",
                                                "video/",       "multipart/", "font/"};
  const std::size_t end = std::min(text.find_first_of("; \t"), text.size());
  const std::string_view type = text.substr(0, end);
  const auto found = std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto t) { return type.starts_with(t); });
  if (found == std::end(kTypes) || end > 64) return 0;
  for (std::size_t at = found->size(); at < end;) {
    const std::size_t stop = std::min(type.find_first_of("+-.", at), end);
    if (!reads_as_word(type.substr(at, stop - at))) return 0;
    at = stop + 1;
  }
  return end;
}

void host(std::string& text, const HeaderList& list) {
  if (const std::size_t at = text.rfind('@'); at != text.npos) std::fill_n(text.begin(), at, '*');
  std::size_t begin = text.rfind('@') == text.npos ? 0 : text.rfind('@') + 1;
  const std::size_t colon = text.find(']') == text.npos ? text.find(':', begin) : text.npos;
  const std::size_t end = std::min(colon, text.size());
  const std::string name = text.substr(begin, end - begin);
  const bool local = name == "localhost" || name.starts_with("127.") || name == "[::1]";
  const bool address =
      !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return is_digit(c) || c == '.'; });
  if (!local && !(address && !list.strict())) text.replace(begin, end - begin, list.words(name));
  // Behind the host there is a port, or something that does not belong there.
  const bool port = colon != text.npos && text.size() - colon <= 6 &&
                    std::all_of(text.begin() + static_cast<std::ptrdiff_t>(colon) + 1, text.end(), is_digit);
  if (colon != text.npos && !port) std::fill(text.begin() + static_cast<std::ptrdiff_t>(colon) + 1, text.end(), '*');
}

}  // namespace

bool HeaderList::judge(Value value, std::string& text, const Extent& extent) const {
  if (value == Value::target) {
    mask_target(text, !extent.last, extent.judged, *this);
    return true;
  }
  const bool whole = extent.first && extent.last;
  const std::string before = seen_ ? text.substr(extent.judged) : std::string();
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const std::string inner(trim(text));
  bool kept = false;
  std::size_t most = text.size();
  switch (value) {
    case Value::masked:
    case Value::target:
    case Value::kept:
      break;
    case Value::number:
      kept = inner.size() <= kMaxNumber && std::all_of(inner.begin(), inner.end(), is_digit);
      break;
    case Value::id:
      kept = whole;
      if (whole && !is_id(inner) && !is_binary_id(inner))
        text.replace(begin, inner.size(), names_->text(inner, Words::none));
      break;
    case Value::words:
      kept = whole && all_words(inner);
      break;
    case Value::grpc:
      kept = whole && inner.size() >= 2 && inner.size() <= 9 && std::all_of(inner.begin(), inner.end() - 1, is_digit) &&
             std::string_view("HMSmun").find(inner.back()) != std::string_view::npos;
      break;
    case Value::type:
      if (whole) most = begin + media_type(inner);
      kept = whole && most > begin;
      break;
    case Value::authority:
      if (whole) {
        std::string changed(inner);
        host(changed, *this);
        text.replace(begin, inner.size(), changed);
        kept = true;
      }
      break;
  }
  if (!kept) most = begin;
  for (std::size_t i = std::max(most, extent.judged); i < text.size(); ++i)
    if (text[i] != ' ' && text[i] != '\t') text[i] = '*';
  if (seen_) seen_(before, std::string_view(text).substr(extent.judged));
  return !kept;
}

bool HeaderList::keeps_method(std::string_view method) const {
  return !policy_->strict() || ground::is_known_method(method);
}

void HeaderList::hello(std::string& body, bool client) const { redact_hello(body, client, *this); }

}  // namespace tailcap::redact::wire

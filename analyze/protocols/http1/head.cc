#include "analyze/protocols/http1/head.h"

#include <algorithm>
#include <cstring>

#include "ground/http/http_text.h"

namespace tailcap::protocols {

using model::Message;
using model::Protocol;

namespace {

bool is_token(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return ground::is_token(c); });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t'; }

std::string_view trim(std::string_view s) {
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

// ASCII only; `b` is in lower case.
bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x | 0x20) : x) == y;
         });
}

// Calls each(element) for the elements of a comma-separated list.
template <class F>
void elements(std::string_view list, F each) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (const auto e = trim(list.substr(0, comma)); !e.empty()) each(e);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

std::optional<std::uint64_t> number(std::string_view digits) {
  constexpr std::uint64_t kMax = std::uint64_t{1} << 62;
  if (digits.empty() || digits.size() > 19) return std::nullopt;
  std::uint64_t n = 0;
  for (char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    n = n * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return n <= kMax ? std::optional(n) : std::nullopt;
}

// "HTTP/1.x"; other major versions are other protocols.
bool parse_version(std::string_view v, Protocol& protocol) {
  if (v.size() != 8 || v.substr(0, 7) != "HTTP/1." || !is_digit(v[7])) return false;
  protocol = v[7] == '0' ? Protocol::http10 : Protocol::http11;
  return true;
}

void note_length(std::string_view value, Framing& f) {
  bool any = false;
  elements(value, [&](std::string_view e) {
    any = true;
    const auto n = number(e);
    if (!n || (f.length && *f.length != *n)) f.contradictory = true;
    if (n && !f.length) f.length = n;
  });
  if (!any) f.contradictory = true;
}

void note_coding(std::string_view value, Framing& f) {
  elements(value, [&](std::string_view e) {
    const std::string_view name = trim(e.substr(0, e.find(';')));
    if (f.chunked) f.malformed = true;  // chunked must be applied last, and once
    f.chunked = same(name, "chunked");
    f.other_coding = !f.chunked;
  });
}

void note(std::string_view name, std::string_view value, Framing& f) {
  switch (name.size()) {
    case 6:
      if (same(name, "expect") && same(value, "100-continue")) f.expects_continue = true;
      break;
    case 7:
      if (same(name, "upgrade")) f.upgrade = true;
      break;
    case 10:
      if (same(name, "connection"))
        elements(value, [&](std::string_view e) {
          if (same(e, "close")) f.close = true;
          if (same(e, "keep-alive")) f.keep_alive = true;
        });
      break;
    case 14:
      if (same(name, "content-length")) note_length(value, f);
      break;
    case 17:
      if (same(name, "transfer-encoding")) note_coding(value, f);
      break;
    default:
      break;
  }
}

// Takes a line off the front, without its end; false: no complete line is left.
bool take_line(std::string_view& text, std::string_view& line) {
  const auto end = text.find('\n');
  if (end == text.npos) return false;
  line = text.substr(0, end > 0 && text[end - 1] == '\r' ? end - 1 : end);
  text.remove_prefix(end + 1);
  return true;
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

// Eight bytes at a time; of those with a tab or a control character among them, one by one.
bool has_control(std::string_view s) {
  constexpr std::uint64_t kOnes = ~std::uint64_t{0} / 0xff, kHigh = kOnes << 7;
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const auto in_word = [&](std::size_t at) {
    std::uint64_t bytes;
    std::memcpy(&bytes, s.data() + at, kWord);
    const std::uint64_t low = (bytes - kOnes * 0x20) & ~bytes;                                 // high bits: below 0x20
    const std::uint64_t deleted = ((bytes ^ kOnes * 0x7f) - kOnes) & ~(bytes ^ kOnes * 0x7f);  // 0x7f
    return ((low | deleted) & kHigh) != 0 && std::any_of(s.data() + at, s.data() + at + kWord, is_control);
  };
  if (s.size() < kWord) return std::any_of(s.begin(), s.end(), is_control);
  for (std::size_t at = 0; at + kWord < s.size(); at += kWord)
    if (in_word(at)) return true;
  return in_word(s.size() - kWord);
}

}  // namespace

Guess guess(std::string_view bytes) {
  while (!bytes.empty() && (bytes.front() == '\r' || bytes.front() == '\n')) bytes.remove_prefix(1);
  const auto end = std::find_if(bytes.begin(), bytes.end(), [](char c) { return !ground::is_token(c); });
  const auto length = static_cast<std::size_t>(end - bytes.begin());
  if (length > kMaxMethod) return Guess::neither;
  if (end == bytes.end()) return Guess::undecided;
  if (*end == ' ') return length > 0 ? Guess::request : Guess::neither;
  if (*end != '/') return Guess::neither;
  constexpr std::string_view kStatus = "HTTP/1.";
  const std::string_view begin = bytes.substr(0, kStatus.size());
  if (begin != kStatus.substr(0, begin.size())) return Guess::neither;
  return begin.size() == kStatus.size() ? Guess::response : Guess::undecided;
}

std::size_t head_end(std::string_view bytes, std::size_t from) {
  // The blank line may have begun in what was searched before.
  std::size_t at = from > 2 ? from - 2 : 0;
  while ((at = bytes.find('\n', at)) != bytes.npos) {
    const std::string_view rest = bytes.substr(at + 1, 2);
    if (!rest.empty() && rest[0] == '\n') return at + 2;
    if (rest == "\r\n") return at + 3;
    ++at;
  }
  return bytes.npos;
}

bool parse_request_line(std::string_view line, Message& m, Framing& f) {
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == line.npos || first == 0 || first > kMaxMethod || last <= first + 1) return false;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!is_token(line.substr(0, first)) || !parse_version(line.substr(last + 1), m.protocol) || has_control(target))
    return false;
  if (target.find(' ') != target.npos) f.malformed = true;
  m.method.assign(line.substr(0, first));
  m.target.assign(target);
  return true;
}

bool parse_status_line(std::string_view line, Message& m) {
  // The space behind the code is missing in real life when there is no reason phrase.
  if (line.size() < 12 || line[8] != ' ' || !parse_version(line.substr(0, 8), m.protocol)) return false;
  if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) return false;
  if (line.size() > 12 && line[12] != ' ') return false;
  m.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  return m.status >= 100;
}

void parse_field(std::string_view line, model::Headers& fields, Framing& f) {
  std::size_t colon = 0;
  while (colon < line.size() && ground::is_token(line[colon])) ++colon;
  const bool valid = colon > 0 && colon < line.size() && line[colon] == ':';
  if (!valid) colon = line.find(':', colon);
  if (colon == line.npos || fields.size() >= kMaxFields) {
    f.malformed = true;
    return;
  }
  std::string_view name = line.substr(0, colon);
  if (!valid) {
    f.malformed = true;
    name = trim(name);  // "Host : x": RFC 9112, 5.1 has proxies remove it from responses
    if (!is_token(name)) return;
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (has_control(value)) f.malformed = true;
  fields.add(name, value);
  note(name, value, f);
}

bool parse_head(std::string_view text, bool request, bool whole, Message& m, Framing& f) {
  std::string_view line;
  do {
    if (!take_line(text, line)) return false;
  } while (line.empty() && request);
  if (!(request ? parse_request_line(line, m, f) : parse_status_line(line, m))) return false;
  std::string folded;
  while (take_line(text, line) && !line.empty()) {
    if (is_space(line.front())) {
      f.malformed = true;  // a folded line right behind the start line belongs to nothing
      continue;
    }
    if (text.empty() && !whole) break;  // the next line may continue this one
    if (!text.empty() && is_space(text.front())) {
      folded.assign(line);
      while (!text.empty() && is_space(text.front()) && take_line(text, line)) folded.append(" ").append(trim(line));
      if (!whole && !text.empty() && is_space(text.front())) break;  // it goes on where nothing was captured
      parse_field(folded, m.headers, f);
    } else {
      parse_field(line, m.headers, f);
    }
  }
  f.length_and_coding = f.length && (f.chunked || f.other_coding);
  m.headers_complete = whole;
  if (f.malformed) m.taints = m.taints | model::Taint::malformed;
  return true;
}

namespace {

// A read may begin in the middle of a method's name, and "EAD" is a token, too. Left out are names that end others
// (LOCK, LINK, BIND).
bool well_known(std::string_view method) {
  constexpr std::string_view names[] = {"GET",       "POST",    "PUT",    "DELETE", "HEAD",   "OPTIONS",
                                        "PATCH",     "CONNECT", "TRACE",  "PURGE",  "SEARCH", "PROPFIND",
                                        "PROPPATCH", "MKCOL",   "REPORT", "UNLOCK"};
  return std::find(std::begin(names), std::end(names), method) != std::end(names);
}

}  // namespace

bool verified_start(std::string_view bytes, bool request) {
  // Cheap refusals first: this is asked of every piece of a connection that is lost.
  if (guess(bytes.substr(0, kMaxMethod + 8)) != (request ? Guess::request : Guess::response)) return false;
  if (bytes.front() == '\r' || bytes.front() == '\n') return false;
  Message m;
  Framing f;
  std::string_view line;
  if (!take_line(bytes, line)) return false;
  if (!(request ? parse_request_line(line, m, f) : parse_status_line(line, m)) || f.malformed) return false;
  if (request && !well_known(m.method)) return false;
  bool any = false;
  while (take_line(bytes, line)) {
    if (line.empty()) return true;
    if (is_space(line.front())) continue;
    parse_field(line, m.headers, f);
    if (f.malformed) return false;
    any = true;
  }
  return any;
}

}  // namespace tailcap::protocols

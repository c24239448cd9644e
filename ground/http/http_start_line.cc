#include "ground/http/http_start_line.h"

#include <algorithm>
#include <array>

#include "ground/http/http_text.h"

namespace tailcap::ground {

namespace {

using What = StartLine::What;

constexpr std::size_t kMaxMethod = 32;

// A request with another method is accepted only when its line is whole.
constexpr std::array<std::string_view, 17> kMethods = {"GET",       "POST",    "PUT",    "DELETE", "HEAD",   "OPTIONS",
                                                       "PATCH",     "CONNECT", "TRACE",  "PURGE",  "SEARCH", "PROPFIND",
                                                       "PROPPATCH", "MKCOL",   "REPORT", "UNLOCK", "PRI"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool has_control(std::string_view s) {
  return std::any_of(s.begin(), s.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

bool begins_alike(std::string_view a, std::string_view b) { return a.starts_with(b.substr(0, a.size())); }

bool is_version(std::string_view v) { return v.size() == 8 && v.starts_with("HTTP/1.") && is_digit(v[7]); }

// "HTTP/1." and a digit, as far as it goes, perhaps with the CR of the line's end.
bool version_possible(std::string_view v, bool preface) {
  if (v.ends_with('\r')) return preface ? v == "HTTP/2.0\r" : is_version(v.substr(0, v.size() - 1));
  return preface ? begins_alike(v, "HTTP/2.0") && v.size() <= 8
                 : begins_alike(v, "HTTP/1.") && (v.size() < 8 || is_version(v));
}

StartLine judge_status(std::string_view line, bool whole) {
  StartLine out;
  if (whole) {
    if (line.size() < 12 || !is_version(line.substr(0, 8)) || line[8] != ' ') return out;
    if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]) || line[9] == '0') return out;
    if ((line.size() > 12 && line[12] != ' ') || has_control(line)) return out;
    out.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    out.what = What::response;
    return out;
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  constexpr std::string_view kShape = "HTTP/1.d ddd ";
  for (std::size_t i = 0; i < std::min(line.size(), kShape.size()); ++i)
    if (kShape[i] == 'd' ? !is_digit(line[i]) : line[i] != kShape[i]) return out;
  if (!has_control(line)) out.what = What::possible;
  return out;
}

StartLine judge_request(std::string_view line, bool whole) {
  StartLine out;
  const std::size_t first = line.find(' ');
  const std::string_view method = line.substr(0, first);
  if (method.empty() || method.size() > kMaxMethod || !std::all_of(method.begin(), method.end(), is_token)) return out;
  out.head = method == "HEAD";
  out.connect = method == "CONNECT";
  if (whole) {
    const std::size_t last = line.rfind(' ');
    if (first == line.npos || last <= first + 1) return out;
    out.target_begin = first + 1;
    out.target_end = last;
    out.target_whole = true;
    const std::string_view target = line.substr(first + 1, last - first - 1);
    if (has_control(target)) return out;
    if (is_version(line.substr(last + 1)))
      out.what = What::request;
    else if (line == "PRI * HTTP/2.0")
      out.what = What::preface;
    return out;
  }
  if (first == line.npos) {
    if (std::any_of(kMethods.begin(), kMethods.end(), [&](auto m) { return m.starts_with(method); }))
      out.what = What::possible;
    return out;
  }
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) return out;
  const std::string_view rest = line.substr(first + 1);
  const std::size_t end = rest.find(' ');
  const std::string_view target = rest.substr(0, end);
  out.target_begin = first + 1;
  out.target_end = first + 1 + target.size();
  out.target_whole = end != rest.npos;
  const bool absolute = begins_alike(target.substr(0, 7), "http://") || begins_alike(target.substr(0, 8), "https://");
  if (!target.empty() && target[0] != '/' && target != "*" && !absolute && !out.connect) return out;
  if (has_control(target) || (end == 0)) return out;
  if (out.target_whole && !version_possible(rest.substr(end + 1), method == "PRI")) return out;
  out.what = What::possible;
  return out;
}

bool take_line(std::string_view& text, std::string_view& line) {
  const auto end = text.find('\n');
  if (end == text.npos) return false;
  line = text.substr(0, end > 0 && text[end - 1] == '\r' ? end - 1 : end);
  text.remove_prefix(end + 1);
  return true;
}

}  // namespace

bool is_known_method(std::string_view method) {
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

StartLine judge_start(std::string_view line, bool whole, Role role) {
  if (role != Role::requests) {
    const StartLine s = judge_status(line, whole);
    if (s.what != What::neither || role == Role::responses) return s;
  }
  return judge_request(line, whole);
}

bool verified_start(std::string_view bytes, Role role) {
  std::string_view line;
  if (bytes.empty() || !is_token(bytes[0]) || !take_line(bytes, line)) return false;
  const StartLine s = judge_start(line, true, role);
  if (s.what != What::request && s.what != What::response) return false;
  // A read may begin in the middle of a method's name, and "EAD" is a token, too.
  if (s.what == What::request) {
    const auto method = line.substr(0, line.find(' '));
    if (!is_known_method(method)) return false;
  }
  bool any = false;
  while (take_line(bytes, line)) {
    if (line.empty()) return true;
    if (line[0] == ' ' || line[0] == '\t') return any;
    const auto name = line.substr(0, line.find(':'));
    if (name.size() == line.size() || name.empty() || !std::all_of(name.begin(), name.end(), is_token) ||
        has_control(line))
      return false;
    any = true;
  }
  return any;
}

}  // namespace tailcap::ground

#include "analyze/tail/rows/routes.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "formats/printable.h"

namespace tailcap::tail {
namespace {

// Hexadecimal numbers shorter than this could be words (cafe, dead, decade).
constexpr std::size_t kMinHex = 8;
// Tokens shorter than this could be names (v2beta1, sha256sum, oauth2callback).
constexpr std::size_t kMinToken = 16;
constexpr std::size_t kMaxMethods = 16;
// A target longer than this is cut: what follows names no route.
constexpr std::size_t kMaxPath = 2048;

bool digit(char c) { return c >= '0' && c <= '9'; }
bool hex(char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_number(std::string_view s) {
  if (!s.empty() && (s[0] == '-' || s[0] == '+')) s.remove_prefix(1);
  // 17, 3.14, 2026-03-01, 12:30, 1_000: digits with single separators between them.
  bool last_digit = false;
  for (const char c : s) {
    if (!digit(c) && !(last_digit && (c == '.' || c == '-' || c == ':' || c == '_' || c == ','))) return false;
    last_digit = digit(c);
  }
  return last_digit;
}

bool is_uuid(std::string_view s) {
  if (s.size() == 38 && s.front() == '{' && s.back() == '}') s = s.substr(1, 36);
  if (s.size() != 36) return false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? s[i] != '-' : !hex(s[i])) return false;
  }
  return true;
}

bool is_long_hex(std::string_view s) {
  if (s.starts_with("0x") || s.starts_with("0X")) return s.size() > 2 && std::all_of(s.begin() + 2, s.end(), hex);
  if (s.size() < kMinHex || !std::all_of(s.begin(), s.end(), hex)) return false;
  // Without a digit it is a word (deadbeef apart) unless it is as long as a hash.
  return s.size() >= 2 * kMinHex || std::any_of(s.begin(), s.end(), digit);
}

// base64url, base58, ULID, JWT …: long, letters and digits mixed rather than in words.
bool is_token(std::string_view s) {
  if (s.size() < kMinToken) return false;
  std::size_t digits = 0, changes = 0, upper = 0, lower = 0;
  char last = 0;
  for (const char c : s) {
    const bool d = digit(c), l = letter(c);
    if (!d && !l && c != '-' && c != '_' && c != '.' && c != '=' && c != '~' && c != '+') return false;
    const char kind = d ? 'd' : !l ? 's' : c >= 'a' ? 'l' : 'u';
    digits += d;
    upper += kind == 'u';
    lower += kind == 'l';
    // Words change kind where they are joined (a-b, aB, Ab); random text does at every second character or so.
    if (last != 0 && kind != last && kind != 's' && last != 's' && !(last == 'u' && kind == 'l')) ++changes;
    last = kind;
  }
  return (digits >= 2 && changes * 4 >= s.size()) ||
         (s.size() >= 2 * kMinToken && digits + upper >= 4 && lower > 0 && changes * 4 >= s.size());
}

// The recorder or a redaction replaced a part by asterisks, as many as there were characters.
bool is_masked(std::string_view s) {
  constexpr std::string_view kStars = "***";  // fewer are a pattern
  return s.find(kStars) != s.npos;
}

// Calls visit(segment) for what lies between slashes; visit returns false to stop.
template <class Visit>
void each_segment(std::string_view path, Visit&& visit) {
  path.remove_prefix(1);
  for (;;) {
    const std::size_t slash = path.find('/');
    if (!visit(path.substr(0, slash), slash == path.npos)) return;
    if (slash == path.npos) return;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

bool varies(std::string_view s) { return is_number(s) || is_uuid(s) || is_long_hex(s) || is_token(s) || is_masked(s); }

std::string_view path_of(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (scheme != target.npos && !target.starts_with('/') && scheme < target.find_first_of("?#")) {
    const std::size_t slash = target.find_first_of("/?#", scheme + 3);
    if (slash == target.npos || target[slash] != '/') return "/";
    target.remove_prefix(slash);
  }
  if (target.starts_with('/')) target = target.substr(0, target.find_first_of("?#"));
  return target;
}

std::string learned_route(std::string_view path) {
  if (!path.starts_with('/')) return std::string(path.substr(0, kMaxPath));
  std::string route;
  each_segment(path.substr(0, kMaxPath), [&](std::string_view s, bool) {
    route += '/';
    // A masked parameter is no part of the name: cart;session=****
    if (const std::size_t parameters = s.find(';'); parameters != s.npos && is_masked(s.substr(parameters)))
      s = s.substr(0, parameters);
    // An id with a short extension keeps the extension: 4711.json, but not 3.14
    const std::size_t dot = s.rfind('.');
    const bool extension = dot != s.npos && dot > 0 && s.size() - dot <= 6 && varies(s.substr(0, dot));
    if (extension && (!varies(s) || (is_masked(s) && !is_masked(s.substr(dot)))))
      (route += "{}") += s.substr(dot);
    else
      route += varies(s) ? std::string_view("{}") : s;
    return true;
  });
  return route;
}

RouteTemplate::RouteTemplate(std::string text) : text_(std::move(text)) {
  if (!text_.starts_with('/'))
    throw std::runtime_error("the route template '" + formats::printable(text_) +
                             "' does not begin with '/'. Write it like '/users/{id}'.");
  each_segment(text_, [&](std::string_view s, bool last) {
    const bool any = s.size() >= 2 && s.front() == '{' && s.back() == '}';
    if (last && (s == "*" || (any && s.ends_with("...}"))))
      open_end_ = true;
    else
      segments_.emplace_back(any || s == "*" ? std::string_view{} : s);
    // An empty segment of the template (a slash at its end) matches an empty one only: marked by a NUL.
    if (!any && s.empty() && !segments_.empty()) segments_.back() = std::string(1, '\0');
    return true;
  });
}

bool RouteTemplate::matches(std::string_view path) const {
  if (!path.starts_with('/')) return false;
  std::size_t i = 0;
  bool same = true;
  each_segment(path, [&](std::string_view s, bool) {
    if (i == segments_.size()) {
      same = open_end_;
      ++i;
      return false;
    }
    const std::string& want = segments_[i++];
    same = want.empty() ? !s.empty() : want[0] == '\0' ? s.empty() : s == want;
    return same;
  });
  return same && i >= segments_.size() && (!open_end_ || i > segments_.size());
}

namespace {

using model::TextId;

// Where segment `depth` of a route begins; npos: it has fewer.
std::size_t segment_at(std::string_view route, std::size_t depth) {
  std::size_t at = route.starts_with('/') ? 0 : route.npos;
  for (; depth > 0 && at != route.npos; --depth) at = route.find('/', at + 1);
  return at == route.npos ? at : at + 1;
}

// Replaces names by {} where one parent has too many of them, from the root down. routes: id -> route, changed in
// place.
void fold_siblings(std::vector<std::string>& routes) {
  for (std::size_t depth = 0;; ++depth) {
    std::unordered_map<std::string_view, std::unordered_set<std::string_view>> children;
    bool deeper = false;
    for (const std::string_view route : routes) {
      const std::size_t begin = segment_at(route, depth);
      if (begin == route.npos) continue;
      deeper = true;
      auto& names = children[route.substr(0, begin)];
      if (names.size() <= kMaxSiblings) names.insert(route.substr(begin, route.find('/', begin) - begin));
    }
    if (!deeper) return;
    std::unordered_set<std::string> crowded;
    for (const auto& [parent, names] : children)
      if (names.size() > kMaxSiblings) crowded.emplace(parent);
    if (crowded.empty()) continue;
    for (std::string& route : routes) {
      const std::size_t begin = segment_at(route, depth);
      if (begin == route.npos || !crowded.contains(route.substr(0, begin))) continue;
      const std::size_t end = std::min(route.size(), route.find('/', begin));
      if (end > begin) route.replace(begin, end - begin, "{}");
    }
  }
}

}  // namespace

void assign_routes(model::RequestTable& table, const std::vector<RouteTemplate>& templates, std::size_t limit,
                   model::Findings& findings) {
  // Each different path once: its own template, or the number of its learned route.
  struct Choice {
    const RouteTemplate* own = nullptr;
    TextId learned = 0;
    bool seen = false, whole = false;  // whole: the path is its own route
  };
  std::vector<Choice> choices(table.texts.size() + 1);
  model::TextPool learned;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const model::Protocol protocol = table.rows.protocol(i);
    if (!model::is_call(protocol) && !has_operation(protocol)) continue;
    if (const TextId path = table.rows.names(i).path; !choices[path].whole)
      choices[path].whole = has_operation(protocol) || model::rpc_name(table.texts[path]).has_value();
  }
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const model::RowNames row = table.rows.names(i);
    Choice& choice = choices[row.path];
    if (row.path == 0 || choice.seen) continue;
    choice.seen = true;
    const std::string_view path = path_of(table.texts[row.path]);
    const auto own =
        std::find_if(templates.begin(), templates.end(), [&](const RouteTemplate& t) { return t.matches(path); });
    if (own != templates.end())
      choice.own = &*own;
    else if (!choice.whole)
      choice.learned = learned.intern(learned_route(path));
  }
  std::vector<std::string> routes(learned.size());
  for (std::size_t i = 0; i < routes.size(); ++i) routes[i] = learned[static_cast<TextId>(i + 1)];
  fold_siblings(routes);
  std::vector<TextId> route_ids(routes.size());
  for (std::size_t i = 0; i < routes.size(); ++i) route_ids[i] = table.texts.intern(routes[i]);

  // Pairs of method and route with their requests; a person's templates rank before what was learned.
  struct Pair {
    TextId method, route;
    bool own;
    auto operator<=>(const Pair&) const = default;
  };
  std::map<Pair, std::uint64_t> counts;
  const auto pair_of = [&](const model::RowNames& row, TextId route) {
    return Pair{row.method, route, choices[row.path].own != nullptr};
  };
  std::size_t own_pairs = 0;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const model::RowNames row = table.rows.names(i);
    const Choice& choice = choices[row.path];
    if (row.path == 0) continue;
    const TextId route = choice.own     ? table.texts.intern(choice.own->text())
                         : choice.whole ? row.path
                                        : route_ids[choice.learned - 1];
    table.rows.set_route(i, route);
    if (++counts[pair_of(row, route)] == 1) own_pairs += choice.own != nullptr;
  }
  // Methods are bytes from the wire: even a template has no more than kMaxMethods.
  own_pairs = std::min(own_pairs, kMaxMethods * templates.size());
  if (counts.size() <= own_pairs + limit) return;
  std::vector<std::pair<Pair, std::uint64_t>> order(counts.begin(), counts.end());
  const auto text = [&](TextId id) { return table.texts[id]; };
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    if (a.first.own != b.first.own) return a.first.own;
    if (a.second != b.second) return a.second > b.second;
    if (a.first.route != b.first.route) return text(a.first.route) < text(b.first.route);
    return text(a.first.method) < text(b.first.method);
  });
  for (std::size_t i = 0; i < order.size(); ++i) counts[order[i].first] = i;  // from here on: its rank
  const TextId other = table.texts.intern(kOtherRoute);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const model::RowNames row = table.rows.names(i);
    if (row.path == 0 || counts[pair_of(row, table.rows.route(i))] < own_pairs + limit) continue;
    table.rows.set_route(i, other);
    findings.add(model::Finding::route_overflow);
  }
}

}  // namespace tailcap::tail

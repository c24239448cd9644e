#include "analyze/series/openmetrics_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tailcap::series {
namespace {

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; }
bool in_name(char c) { return starts_name(c) || (c >= '0' && c <= '9') || c == '.'; }

class Line {
 public:
  explicit Line(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  char next() const { return at_end() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (next() != c || at_end()) return false;
    ++at_;
    return true;
  }
  bool spaces() {
    const std::size_t before = at_;
    while (next() == ' ' || next() == '\t') ++at_;
    return at_ > before;
  }
  bool name(std::string& out) {
    if (next() == '"') return quoted(out);  // names of UTF-8
    const std::size_t begin = at_;
    if (!starts_name(next())) return false;
    while (!at_end() && in_name(text_[at_])) ++at_;
    out = text_.substr(begin, at_ - begin);
    return true;
  }
  bool quoted(std::string& out) {
    out.clear();
    if (!take('"')) return false;
    while (!at_end() && text_[at_] != '"') {
      char c = text_[at_++];
      if (c == '\\') {
        if (at_end()) return false;
        c = text_[at_++];
        if (c == 'n') c = '\n';
      }
      out += c;
    }
    return take('"');
  }
  bool number(double& out) {
    const std::size_t begin = at_;
    while (!at_end() && text_[at_] != ' ' && text_[at_] != '\t') ++at_;
    std::string_view word = text_.substr(begin, at_ - begin);
    if (word.starts_with('+')) word.remove_prefix(1);
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
    return !word.empty() && (error == std::errc{} || error == std::errc::result_out_of_range) &&
           end == word.data() + word.size();
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

bool read_dimensions(Line& line, MetricSample& out) {
  line.spaces();
  while (!line.take('}')) {
    std::string name, value;
    if (!line.name(name)) return false;
    line.spaces();
    if (!line.take('=')) {
      // {"a metric of UTF-8", …}
      if (!out.name.empty()) return false;
      out.name = std::move(name);
    } else {
      line.spaces();
      if (!line.quoted(value) || out.dimensions.size() == kMostDimensions) return false;
      out.dimensions.emplace_back(std::move(name), std::move(value));
    }
    line.spaces();
    if (!line.take(',') && line.next() != '}') return false;
    line.spaces();
  }
  return true;
}

}  // namespace

SampleLine read_sample(std::string_view text, bool seconds, MetricSample& out) {
  while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  if (text.empty() || text.front() == '#') return SampleLine::comment;
  if (text.size() > kLongestSample) return SampleLine::unread;
  out.name.clear();
  out.dimensions.clear();
  out.time.reset();
  Line line(text);
  line.spaces();
  if (line.next() != '{' && !line.name(out.name)) return SampleLine::unread;
  line.spaces();
  if (line.take('{') && !read_dimensions(line, out)) return SampleLine::unread;
  line.spaces();
  double value = 0, time = 0;
  if (out.name.empty() || !line.number(value)) return SampleLine::unread;
  if (line.spaces() && line.next() != '#' && !line.at_end()) {
    if (!line.number(time)) return SampleLine::unread;
    const double ns = time * (seconds ? 1e9 : 1e6);
    if (std::isfinite(ns) && ns > 0 && ns < 9e18) out.time = static_cast<std::int64_t>(ns);
  }
  std::ranges::sort(out.dimensions);
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::ranges::adjacent_find(out.dimensions, same) != out.dimensions.end()) return SampleLine::unread;
  return SampleLine::sample;
}

}  // namespace tailcap::series

#include "analyze/export/tab_separated.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tailcap::exports {
namespace {

template <class Number>
void append_number(std::string& out, Number value) {
  char text[64];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// The character after the backslash; 0: it needs none.
constexpr auto kEscapes = [] {
  std::array<char, 256> out{};
  out['\\'] = '\\';
  out['\t'] = 't';
  out['\n'] = 'n';
  out['\r'] = 'r';
  out['\0'] = '0';
  return out;
}();

// quoted: the caller puts the text between single quotes, as elements of an array are written.
void append_escaped(std::string& out, std::string_view text, bool quoted) {
  std::size_t first = 0;  // of those that are not written yet
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char escape = quoted && text[i] == '\'' ? '\'' : kEscapes[static_cast<unsigned char>(text[i])];
    if (escape == 0) continue;
    out.append(text, first, i - first).append({'\\', escape});
    first = i + 1;
  }
  out.append(text, first);
}

}  // namespace

std::string tab_escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text, false);
  return out;
}

std::string sql_quoted(std::string_view text) {
  std::string out = "'";
  append_escaped(out, text, true);
  return out + "'";
}

std::string tab_unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    out += c == 't'   ? '\t'
           : c == 'n' ? '\n'
           : c == 'r' ? '\r'
           : c == '0' ? '\0'
           : c == 'b' ? '\b'
           : c == 'f' ? '\f'
                      : c;
  }
  return out;
}

std::vector<std::vector<std::string>> tab_rows(std::string_view answer) {
  std::vector<std::vector<std::string>> out;
  while (!answer.empty()) {
    const std::string_view line = answer.substr(0, answer.find('\n'));
    answer.remove_prefix(std::min(answer.size(), line.size() + 1));
    auto& row = out.emplace_back();
    for (std::size_t from = 0;;) {
      const std::size_t to = std::min(line.find('\t', from), line.size());
      row.emplace_back(line.substr(from, to - from));
      if (to == line.size()) break;
      from = to + 1;
    }
  }
  return out;
}

void TabSeparated::separate() {
  if (begun_) out_ += '\t';
  begun_ = true;
}

void TabSeparated::names(std::span<const std::string_view> columns) {
  for (const std::string_view column : columns) text(column);
  end_row();
}

void TabSeparated::text(std::string_view value) {
  separate();
  append_escaped(out_, value, false);
}

void TabSeparated::integer(std::int64_t value) {
  separate();
  append_number(out_, value);
}

void TabSeparated::natural(std::uint64_t value) {
  separate();
  append_number(out_, value);
}

void TabSeparated::real(double value) {
  separate();
  append_number(out_, value);
}

void TabSeparated::null() {
  separate();
  out_ += "\\N";
}

template <class Values, class Append>
void TabSeparated::array(const Values& values, Append append) {
  separate();
  out_ += '[';
  bool first = true;
  for (const auto& value : values) {
    if (!first) out_ += ',';
    first = false;
    append(value);
  }
  out_ += ']';
}

void TabSeparated::texts(std::span<const std::string_view> values) {
  array(values, [&](std::string_view value) {
    out_ += '\'';
    append_escaped(out_, value, true);
    out_ += '\'';
  });
}

void TabSeparated::integers(std::span<const std::int64_t> values) {
  array(values, [&](std::int64_t value) { append_number(out_, value); });
}

void TabSeparated::reals(std::span<const double> values) {
  array(values, [&](double value) { append_number(out_, value); });
}

void TabSeparated::end_row() {
  out_ += '\n';
  begun_ = false;
}

}  // namespace tailcap::exports

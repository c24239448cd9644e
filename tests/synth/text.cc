#include "tests/synth/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <utility>

#include "formats/fields/tables.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap::synth {

using formats::Address;
using formats::Event;
using formats::Time;

namespace {

std::string seconds(formats::Duration d) {
  const std::int64_t ns = d.count(), whole = ns / 1'000'000'000, rest = ns % 1'000'000'000;
  char text[40];
  std::snprintf(text, sizeof text, "%s%lld.%09lld", ns < 0 ? "-" : "+",
                static_cast<long long>(whole < 0 ? -whole : whole), static_cast<long long>(rest < 0 ? -rest : rest));
  std::string s = text;
  // Six digits unless more are needed.
  while (s.back() == '0' && s.size() - s.find('.') > 7) s.pop_back();
  return s;
}

formats::Duration parse_seconds(std::string_view s) {
  bool negative = false;
  if (!s.empty() && (s[0] == '+' || s[0] == '-')) {
    negative = s[0] == '-';
    s.remove_prefix(1);
  }
  std::int64_t whole = 0, rest = 0;
  auto [p, bad] = std::from_chars(s.data(), s.data() + s.size(), whole);
  if (bad != std::errc() || whole > 1'000'000'000) throw std::runtime_error("not a time: " + std::string(s));
  std::string_view digits(p, static_cast<std::size_t>(s.data() + s.size() - p));
  if (!digits.empty()) {
    if (digits[0] != '.' || digits.size() > 10) throw std::runtime_error("not a time: " + std::string(s));
    std::string nine(digits.substr(1));
    nine.resize(9, '0');
    const auto done = std::from_chars(nine.data(), nine.data() + 9, rest);
    if (done.ec != std::errc() || done.ptr != nine.data() + 9)
      throw std::runtime_error("not a time: " + std::string(s));
  }
  const std::int64_t ns = whole * 1'000'000'000 + rest;
  return formats::Duration{negative ? -ns : ns};
}

std::string quoted(std::string_view bytes) {
  std::string s = "\"";
  for (const char c : bytes) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '\r')
      s += "\\r";
    else if (c == '\n')
      s += "\\n";
    else if (c == '\t')
      s += "\\t";
    else if (c == '"' || c == '\\') {
      s += '\\';
      s += c;
    } else if (u >= 0x20 && u < 0x7f)
      s += c;
    else {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", u);
      s += hex;
    }
  }
  return s + '"';
}

std::string address_text(const Address& a) {
  char text[INET6_ADDRSTRLEN] = "";
  const bool v4 = std::all_of(a.bytes.begin() + 4, a.bytes.end(), [](std::uint8_t b) { return b == 0; });
  inet_ntop(v4 ? AF_INET : AF_INET6, a.bytes.data(), text, sizeof text);
  return (v4 ? std::string(text) : "[" + std::string(text) + "]") + ":" + std::to_string(a.port);
}

Address parse_address(std::string_view s) {
  Address a;
  const auto colon = s.rfind(':');
  std::string host(s.substr(0, std::min(colon, s.size())));
  const bool v6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (v6) host = host.substr(1, host.size() - 2);
  const auto port = s.substr(std::min(colon, s.size() - 1) + 1);
  const auto done = std::from_chars(port.data(), port.data() + port.size(), a.port);
  if (colon == s.npos || inet_pton(v6 ? AF_INET6 : AF_INET, host.c_str(), a.bytes.data()) != 1 ||
      done.ec != std::errc())
    throw std::runtime_error("not an address with a port: " + std::string(s));
  return a;
}

template <class T>
T parse_number(std::string_view s) {
  T n{};
  const bool hex = s.substr(0, 2) == "0x";
  const char* begin = s.data() + (hex ? 2 : 0);
  const auto [p, bad] = std::from_chars(begin, s.data() + s.size(), n, hex ? 16 : 10);
  if (bad != std::errc() || p != s.data() + s.size())
    throw std::runtime_error("not a number that fits: " + std::string(s));
  return n;
}

// What is written often has a short name.
std::string_view short_name(std::string_view field) {
  constexpr std::pair<std::string_view, std::string_view> names[] = {{"position", "pos"},   {"length", "len"},
                                                                     {"head", "data"},      {"net_namespace", "netns"},
                                                                     {"argument0", "arg0"}, {"argument1", "arg1"}};
  for (const auto& [name, is_short] : names)
    if (name == field) return is_short;
  return field;
}

// Each field with its text, in order.
struct Printer {
  std::vector<std::pair<std::string_view, std::string>> fields;
  template <class F, class T>
  void operator()(const F& described, const T& field) {
    if constexpr (F::as == formats::As::part) return;
    const std::string_view name = short_name(described.name);
    std::string text;
    if constexpr (std::is_same_v<T, std::string_view>)
      text = quoted(field);
    else if constexpr (std::is_same_v<T, Address>)
      text = address_text(field);
    else if constexpr (std::is_same_v<T, Time>)
      text = seconds(field - kStart);
    else if constexpr (std::is_same_v<T, formats::Duration>)
      text = std::to_string(field.count());
    else if constexpr (std::is_enum_v<T>)
      text = name_of(field);
    else
      text = std::to_string(field);
    fields.emplace_back(name, std::move(text));
  }
};

struct Parser {
  std::map<std::string, std::string, std::less<>>& fields;
  std::deque<std::string>& bytes;
  template <class F, class T>
  void operator()(const F& described, T& field) {
    if (F::as != formats::As::part) take(short_name(described.name), field);
  }
  template <class T>
  void take(std::string_view name, T& field) {
    const auto it = fields.find(name);
    if (it == fields.end()) return;
    const std::string& text = it->second;
    if constexpr (std::is_same_v<T, std::string_view>) {
      field = bytes.emplace_back(text);
    } else if constexpr (std::is_same_v<T, bool>) {
      field = parse_number<int>(text) != 0;
    } else if constexpr (std::is_same_v<T, Address>) {
      field = parse_address(text);
    } else if constexpr (std::is_same_v<T, Time>) {
      field = kStart + parse_seconds(text);
    } else if constexpr (std::is_same_v<T, formats::Duration>) {
      field = formats::Duration{parse_number<std::int64_t>(text)};
    } else if constexpr (std::is_enum_v<T>) {
      const auto& all = formats::kNames<T>;
      const auto at = std::find(all.begin(), all.end(), text);
      if (at == all.end() || text.empty()) throw std::runtime_error(std::string(name) + " has no value " + text);
      field = static_cast<T>(at - all.begin());
    } else {
      field = parse_number<T>(text);
    }
    fields.erase(it);
  }
};

char escaped(std::string_view line, std::size_t& at) {
  const char c = line[at++];
  switch (c) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'x': {
      unsigned value = 0;
      const auto done = std::from_chars(line.data() + at, line.data() + std::min(at + 2, line.size()), value, 16);
      if (done.ptr != line.data() + at + 2) throw std::runtime_error("\\x needs two hex digits");
      at += 2;
      return static_cast<char>(value);
    }
    default:
      return c;
  }
}

// "name=value name="quoted value" …"; a word without '=' is kept under its position, "0" and "1".
std::map<std::string, std::string, std::less<>> words(std::string_view line) {
  std::map<std::string, std::string, std::less<>> all;
  std::size_t at = 0, n = 0;
  while (true) {
    while (at < line.size() && line[at] == ' ') ++at;
    if (at == line.size()) return all;
    std::string name, value;
    while (at < line.size() && line[at] != ' ' && line[at] != '=') name += line[at++];
    if (at == line.size() || line[at] == ' ') {
      all[std::to_string(n++)] = name;
      continue;
    }
    if (++at < line.size() && line[at] == '"') {
      ++at;
      while (at < line.size() && line[at] != '"') {
        if (line[at] != '\\')
          value += line[at++];
        else if (++at < line.size())
          value += escaped(line, at);
      }
      if (at == line.size()) throw std::runtime_error("a string without its end");
      ++at;
    } else {
      while (at < line.size() && line[at] != ' ') value += line[at++];
    }
    if (!all.emplace(name, value).second) throw std::runtime_error(name + " is there twice");
  }
}

formats::Body empty_body(std::string_view kind) {
  formats::Body found;
  bool is_found = false;
  formats::each_body([&]<class B>() {
    for (const formats::KindEntry& entry : formats::Table<B>::kinds) {
      if (entry.name != kind) continue;
      B& body = found.emplace<B>();
      is_found = true;
      if constexpr (formats::kTwoKinds<B>)
        body.direction = &entry == formats::Table<B>::kinds ? formats::Direction::out : formats::Direction::in;
    }
  });
  if (!is_found) throw std::runtime_error("no kind of event is called " + std::string(kind));
  return found;
}

Event parse_event(std::string_view line, std::deque<std::string>& bytes) {
  auto fields = words(line);
  Event e;
  e.time = kStart + parse_seconds(fields["0"]);
  e.body = empty_body(fields["1"]);
  fields.erase("0");
  fields.erase("1");
  const bool length = fields.count("len") > 0, payload = fields.count("payload") > 0, data = fields.count("data") > 0;
  Parser parser{fields, bytes};
  parser.take("pid", e.thread.pid);
  parser.take("tid", e.thread.tid);
  parser.take("goroutine", e.goroutine);
  if (e.thread.tid == 0) e.thread.tid = e.thread.pid;
  std::visit([&](auto& body) { formats::each_field(body, parser); }, e.body);
  const auto complete = [&](auto* io) {
    if (io == nullptr) return;
    if (!length) io->length = static_cast<std::uint32_t>(io->head.size() + io->tail.size());
    if (!payload && data) io->payload = formats::Payload::captured;
  };
  complete(std::get_if<formats::Io>(&e.body));
  complete(std::get_if<formats::TlsIo>(&e.body));
  if (!fields.empty()) throw std::runtime_error("no field is called " + fields.begin()->first);
  return e;
}

std::vector<std::string> pieces(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    out.emplace_back(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(out.back().size() + 1, list.size()));
  }
  return out;
}

void parse_preamble(std::string_view line, formats::Preamble& p) {
  auto fields = words(line);
  for (auto& [name, value] : fields) {
    const auto equals = value.find('=');
    if (name == "0") continue;
    if (name == "tier")
      p.tier = value == "a" ? formats::HookTier::a : value == "c" ? formats::HookTier::c : formats::HookTier::unknown;
    else if (name == "tier_reason")
      p.tier_reason = value;
    else if (name == "redaction")
      p.redaction = value == "none"         ? formats::Redaction::none
                    : value == "allow_list" ? formats::Redaction::allow_list
                                            : formats::Redaction::masked_headers;
    else if (name == "payload_limit")
      p.payload_limit = parse_number<std::uint32_t>(value);
    else if (name == "started_realtime")
      p.started_realtime = parse_number<std::int64_t>(value);
    else if (name == "host")
      p.host = value;
    else if (name == "boot_id")
      p.boot_id = value;
    else if (name == "capture_id")
      p.capture_id = value;
    else if (name == "target")
      p.targets.push_back(value);
    else if (name == "programs")
      p.programs = pieces(value);
    else if (name == "note" && equals != value.npos)
      p.notes.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    else
      throw std::runtime_error("the preamble has no field " + name);
  }
}

}  // namespace

TextCapture parse_text(std::string_view text, const std::string& name) {
  TextCapture capture;
  capture.preamble = plain_preamble();
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto first = line.find_first_not_of(' ');
    if (first == line.npos || line[first] == '#') continue;
    try {
      if (line.substr(first, 8) == "preamble")
        parse_preamble(line, capture.preamble);
      else
        capture.events.push_back(parse_event(line, capture.bytes));
    } catch (const std::runtime_error& e) {
      throw std::runtime_error(name + ":" + std::to_string(number) + ": " + e.what());
    }
  }
  return capture;
}

std::string print_text(const Event& event) {
  const std::string_view kind = formats::name_of(formats::kind_of(event));
  std::string line = seconds(event.time - kStart);
  line.append(" ").append(kind);
  const auto put = [&](std::string_view name, const std::string& value) {
    line.append(" ").append(name).append("=").append(value);
  };
  if (event.thread.pid != 0) put("pid", std::to_string(event.thread.pid));
  if (event.thread.tid != event.thread.pid) put("tid", std::to_string(event.thread.tid));
  if (event.goroutine != 0) put("goroutine", std::to_string(event.goroutine));
  formats::Body body = event.body, plain = empty_body(kind);
  Printer these, defaults;
  std::visit([&](auto& b) { formats::each_field(b, these); }, body);
  std::visit([&](auto& b) { formats::each_field(b, defaults); }, plain);
  for (std::size_t i = 0; i < these.fields.size(); ++i)
    if (these.fields[i] != defaults.fields[i]) put(these.fields[i].first, these.fields[i].second);
  return line;
}

std::string print_text(std::span<const Event> events) {
  std::string all;
  for (const Event& e : events) all.append(print_text(e)).append("\n");
  return all;
}

}  // namespace tailcap::synth

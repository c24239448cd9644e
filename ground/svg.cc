#include "ground/svg.h"

#include <cstdio>

namespace tailcap::ground {

std::string markup_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string coordinate(double x) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f", x);
  std::string out(text);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

void Svg::head(std::string_view name, Attributes attributes) {
  out_ += '<';
  out_ += name;
  for (const Attribute& a : attributes) {
    if (*a.name == '\0') continue;
    ((out_ += ' ') += a.name) += "=\"";
    (out_ += markup_text(a.value)) += '"';
  }
}

Svg& Svg::open(std::string_view name, Attributes attributes) {
  head(name, attributes);
  out_ += '>';
  return *this;
}

Svg& Svg::close(std::string_view name) {
  ((out_ += "</") += name) += '>';
  return *this;
}

Svg& Svg::leaf(std::string_view name, Attributes attributes) {
  head(name, attributes);
  out_ += "/>";
  return *this;
}

Svg& Svg::hinted(std::string_view name, Attributes attributes, std::string_view hint) {
  return open(name, attributes).text({}, hint, "title").close(name);
}

Svg& Svg::text(Attributes attributes, std::string_view what, std::string_view name) {
  open(name, attributes);
  out_ += markup_text(what);
  return close(name);
}

Svg& Svg::add(std::string_view drawn) {
  out_ += drawn;
  return *this;
}

Svg& Svg::line() { return add("\n"); }

Path& Path::operator()(char command, std::initializer_list<double> coordinates) {
  out_ += command;
  bool first = true;
  for (const double x : coordinates) {
    if (!first) out_ += ' ';
    first = false;
    out_ += coordinate(x);
  }
  return *this;
}

}  // namespace tailcap::ground

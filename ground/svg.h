// Writes SVG, element by element: attributes and texts are escaped here, and numbers look the same everywhere.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace tailcap::ground {

// Text for HTML and SVG, also within quotes.
std::string markup_text(std::string_view text);

// At most two decimals, without zeros at the end: "12", "0.5", "-3.25".
std::string coordinate(double x);

// An attribute of an element. Without a name it is left out.
struct Attribute {
  Attribute() = default;
  Attribute(const char* n, std::string v) : name(n), value(std::move(v)) {}
  Attribute(const char* n, std::string_view v) : name(n), value(v) {}
  Attribute(const char* n, const char* v) : name(n), value(v) {}
  Attribute(const char* n, double v) : name(n), value(coordinate(v)) {}
  template <std::integral T>
  Attribute(const char* n, T v) : name(n), value(std::to_string(v)) {}

  const char* name = "";
  std::string value;
};
using Attributes = std::initializer_list<Attribute>;

class Svg {
 public:
  Svg& open(std::string_view name, Attributes attributes = {});
  Svg& close(std::string_view name);
  Svg& leaf(std::string_view name, Attributes attributes);  // an element with nothing in it
  // An element that shows `hint` under the pointer.
  Svg& hinted(std::string_view name, Attributes attributes, std::string_view hint);
  Svg& text(Attributes attributes, std::string_view what, std::string_view name = "text");
  Svg& add(std::string_view drawn);  // SVG that is already written
  Svg& line();                       // a line break, for readers of the file
  bool empty() const { return out_.empty(); }
  std::string take() { return std::move(out_); }

 private:
  void head(std::string_view name, Attributes attributes);

  std::string out_;
};

// The data of a path: commands with their coordinates, such as ('M', {x, y})('h', {width})('z').
class Path {
 public:
  Path& operator()(char command, std::initializer_list<double> coordinates = {});
  bool empty() const { return out_.empty(); }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace tailcap::ground

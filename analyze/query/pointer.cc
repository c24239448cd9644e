#include "analyze/query/pointer.h"

#include "formats/printable.h"
#include "formats/utf8.h"

namespace tailcap::query {
namespace {

// One dot for each misleading character: longer escapes would move what the caret points at.
std::string harmless(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const formats::Character c = formats::first_character(text);
    const bool shown = c.code != formats::kNoCharacter && !formats::misleading(c.code);
    out += shown ? text.substr(0, c.length) : ".";
    text.remove_prefix(c.length);
  }
  return out;
}

}  // namespace

std::size_t column_of(std::string_view expression, std::size_t place) {
  // The caret counts characters, not bytes.
  std::size_t column = 0;
  for (std::size_t i = 0; i < place && i < expression.size(); ++column)
    i += formats::first_character(expression.substr(i)).length;
  return column;
}

std::string pointing_at(std::string_view where, std::string_view expression, std::size_t place, std::string_view why) {
  return std::string(where) + ": " + harmless(why) + "\n  " + harmless(expression) + "\n  " +
         std::string(column_of(expression, place), ' ') + "^";
}

}  // namespace tailcap::query

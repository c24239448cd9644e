// What redaction does with every field of every kind of event, with the fields of the preamble, and with header fields.
//
// An allow-list: a field that has no row is dropped. tests/unit/redact checks that formats/fields has no field without
// one.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "formats/mask/rules.h"

namespace tailcap::redact {

enum class Level : std::uint8_t {
  standard,  // for colleagues: "default"
  strict,    // for strangers
};
std::string_view name_of(Level level);

enum class Treatment : std::uint8_t {
  drop,           // zero, or empty
  keep,           // as it is
  words,          // text: words of a language are kept, what may be a token or a number becomes pseudonyms
  pseudonym,      // text: all words become pseudonyms; addresses: their hosts
  path,           // text: likewise, but for names that every system has
  symbols,        // a stack or the name of a function: likewise
  program,        // a command line: of its first word what `path` does; the rest is dropped
  program_words,  // likewise with `words`
  payload,        // bytes of a message: the wire rules below
};
std::string_view name_of(Treatment treatment);

struct Row {
  std::string_view kind;  // of two kinds of one type, the first
  std::string_view field;
  Treatment standard, strict;
};
std::span<const Row> rows();

using formats::mask::Value;

// Rows as they apply: those of the level, changed by a policy file.
class Policy {
 public:
  explicit Policy(Level level = Level::standard) : level_(level) {}
  // Throws std::runtime_error with the line for what it does not know.
  static Policy from_file(const std::string& path);

  Level level() const { return level_; }
  bool custom() const { return !fields_.empty() || !headers_.empty(); }
  Treatment of(std::string_view kind, std::string_view field) const;
  Value header(std::string_view name) const;  // in lower case
  bool strict() const { return level_ == Level::strict; }
  // "default", "strict", or with " and a policy file" behind it.
  std::string name() const;
  // 16 hexadecimal digits of all rows as they apply.
  std::string hash() const;

  void set_level(Level level) { level_ = level; }
  void set(const std::string& kind, const std::string& field, Treatment treatment);
  void mask_header(const std::string& name) { headers_[name] = Value::masked; }

 private:
  Level level_;
  std::map<std::string, Treatment, std::less<>> fields_;  // "kind.field"
  std::map<std::string, Value, std::less<>> headers_;
};

}  // namespace tailcap::redact

// What redaction does with every field of every kind of event, with the fields of the preamble, and with header fields.
//
// An allow-list: a field that has no row is dropped. tests/unit/redact checks that formats/fields has no field without
// one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "formats/mask/rules.h"

namespace tailcap::redact {

enum class RedactionLevel : std::uint8_t {
  standard,  // for colleagues: "default"
  strict,    // for strangers
};
std::string_view name_of(RedactionLevel level);

enum class Treatment : std::uint8_t {
  drop,           // zero, or empty
  keep,           // as it is
  words,          // text: words of a language are kept, what may be a token or a number becomes pseudonyms
  pseudonym,      // text: all words become pseudonyms; addresses: their hosts
  path,           // text: likewise, but for names that every system has
  symbols,        // a stack or the name of a function: likewise
  program,        // a command line: of its first word what `path` does; the rest is dropped
  program_words,  // likewise with `words`
  build_lines,    // what a Go program says of its build: `words` of the lines that hold no text of their own
  payload,        // bytes of a message: the wire rules below
};
std::string_view name_of(Treatment treatment);

struct RedactionRow {
  std::string_view kind;  // of two kinds of one type, the first
  std::string_view field;
  Treatment standard, strict;
};
std::span<const RedactionRow> rows();

using formats::mask::Value;

// Rows as they apply: those of the level, changed by a policy file.
class RedactionPolicy {
 public:
  explicit RedactionPolicy(RedactionLevel level = RedactionLevel::standard) : level_(level) {}
  // Throws std::runtime_error with the line for what it does not know.
  static RedactionPolicy from_file(const std::string& path);

  RedactionLevel level() const { return level_; }
  bool custom() const { return !fields_.empty() || !headers_.empty() || !queries_.empty(); }
  Treatment of(std::string_view kind, std::string_view field) const;
  Value header(std::string_view name) const;  // in lower case
  // Whether the name of a field is public, or what a public one begins with; in lower case.
  bool knows_header(std::string_view name) const;
  bool begins_header(std::string_view begin) const;
  bool strict() const { return level_ == RedactionLevel::strict; }
  // The values of this key, in queries and path parameters, are kept.
  bool keeps_query(std::string_view key) const { return queries_.contains(key); }
  // "default", "strict", or with " and a policy file" behind it.
  std::string name() const;
  // 16 hexadecimal digits of all rows as they apply.
  std::string hash() const;

  void set_level(RedactionLevel level) { level_ = level; }
  // These throw for what is not for a policy to decide, and for what may hold credentials but is not in
  // allow_credentials().
  void set(const std::string& kind, const std::string& field, Treatment treatment);
  void keep_header(const std::string& name);
  void keep_query(const std::string& key);
  void allow_credentials(const std::string& name) { credentials_.insert(name); }
  void mask_header(const std::string& name) { headers_[name] = Value::masked; }

 private:
  void check_credentials(const std::string& name) const;

  RedactionLevel level_;
  std::map<std::string, Treatment, std::less<>> fields_;  // "kind.field"
  std::map<std::string, Value, std::less<>> headers_;
  std::set<std::string, std::less<>> queries_, credentials_;
};

}  // namespace tailcap::redact

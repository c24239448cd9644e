// The statements of one connection to a database: their names without values, and those that were prepared.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "formats/sql/mask.h"

namespace tailcap::protocols::calls {

inline constexpr std::size_t kLongestShown = 400;  // of a statement or a key

struct NamedStatement {
  std::string operation, text;  // SELECT, and what follows it
};

class SqlStatements {
 public:
  // One that is asked with its text, which loses its literals.
  const NamedStatement& ask(std::string& text, formats::sql::Dialect dialect);
  const std::string& shown() const { return shown_; }  // the last that was asked, whole
  // It is prepared by this name, which its answer may give.
  void define(const std::string& name);
  // What was prepared by this name; unset: it is not known.
  std::optional<NamedStatement> prepared(std::string_view name) const;

 private:
  std::map<std::string, NamedStatement, std::less<>> prepared_;
  NamedStatement last_;
  std::string shown_;
};

// An operation in capitals, as statements have it.
std::string capitals(std::string text);

}  // namespace tailcap::protocols::calls

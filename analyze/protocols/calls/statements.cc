#include "analyze/protocols/calls/statements.h"

#include <algorithm>

#include "formats/sql/statement.h"

namespace tailcap::protocols::calls {
namespace {

constexpr std::string_view kLast = "\xff\xff\xff\xff";  // the name of the last one in MariaDB
constexpr std::size_t kMostPrepared = 10'000;           // of a connection

}  // namespace

std::string capitals(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

const NamedStatement& SqlStatements::ask(std::string& text, formats::sql::Dialect dialect) {
  formats::sql::Mask(dialect).mask(text);
  shown_ = formats::sql::shown_statement(text, kLongestShown);
  last_ = {formats::sql::operation_of(shown_), shown_};
  if (capitals(shown_.substr(0, last_.operation.size())) == last_.operation)
    last_.text.erase(0, std::min(shown_.size(), last_.operation.size() + 1));
  return last_;
}

void SqlStatements::define(const std::string& name) {
  if (prepared_.size() < kMostPrepared || prepared_.contains(name)) prepared_.insert_or_assign(name, last_);
}

std::optional<NamedStatement> SqlStatements::prepared(std::string_view name) const {
  if (name == kLast) return last_;
  const auto known = prepared_.find(name);
  return known == prepared_.end() ? std::nullopt : std::optional(known->second);
}

}  // namespace tailcap::protocols::calls

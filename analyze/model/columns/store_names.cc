#include "analyze/model/columns/store_names.h"

#include "formats/sql/statement.h"

namespace tailcap::model {

// The path of a row is what stands behind the operation, but for a statement that begins with another word: WITH.
std::string statement_of(Protocol protocol, std::string_view operation, std::string_view path) {
  if (!has_statements(protocol) || path.empty()) return {};
  constexpr std::string_view kBefore[] = {"WITH ", "with ", "("};
  for (const std::string_view before : kBefore)
    if (path.starts_with(before)) return std::string(path);
  return operation == "PREPARE" ? std::string(path) : std::string(operation) + " " + std::string(path);
}

std::string resource_of(Protocol protocol, std::string_view operation, std::string_view path) {
  return has_statements(protocol) ? formats::sql::table_of(statement_of(protocol, operation, path)) : std::string(path);
}

}  // namespace tailcap::model

// Looks up the parent of a request by the request's path.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "analyze/model/request.h"

namespace tailcap {

// The cause of the request to this target; empty if nothing is known.
inline model::Cause cause_of(const model::RequestTable& table, std::string_view target) {
  for (const auto row : table.rows)
    if (table.texts[row.path] == target && row.role == model::Role::client) {
      const model::Cause* cause = table.causes.find(row.id);
      return cause ? *cause : model::Cause{};
    }
  ADD_FAILURE() << "no request to " << target;
  return {};
}
// The path of the request's parent; empty: undecided.
inline std::string parent_of(const model::RequestTable& table, std::string_view target) {
  const model::Cause cause = cause_of(table, target);
  for (const auto row : table.rows)
    if (row.id == cause.parent) return std::string(table.texts[row.path]);
  return "";
}

}  // namespace tailcap

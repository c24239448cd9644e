#include "analyze/cli/options/old_names.h"

#include <set>
#include <string>

#include "analyze/cli/output/complain.h"

namespace tailcap::cli {

void warn_of_old_names(const query::Filter& filter) {
  static std::set<std::string> said;
  for (const std::string& name : filter.old_names())
    if (said.insert(name).second) complain("", "in the filter: " + name + "; the old name goes with the next version");
}

void warn_of_old_names(const model::policy::Policy& policy) {
  for (const auto& condition : policy.conditions)
    for (const std::string& expression : condition.where) warn_of_old_names(query::Filter(expression));
  if (policy.sampling && !policy.sampling->keep.empty()) warn_of_old_names(query::Filter(policy.sampling->keep));
}

}  // namespace tailcap::cli

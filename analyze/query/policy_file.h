// Policies as YAML: docs/policy.md describes the form, docs/policy-file.schema.json is its schema.
#pragma once

#include <string_view>

#include "analyze/model/policy/policy.h"

namespace tailcap::query {

// Throws YamlError (yaml.h).
model::policy::Policy policy_of(std::string_view yaml);

}  // namespace tailcap::query

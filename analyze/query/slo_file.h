// Objectives as YAML: docs/assert.md describes the form, docs/slo.schema.json is its schema.
#pragma once

#include <string_view>
#include <vector>

#include "analyze/model/gate/slo.h"

namespace tailcap::query {

// Throws YamlError (yaml.h).
std::vector<model::gate::Slo> slos_of(std::string_view yaml);

}  // namespace tailcap::query

// Warnings about names of fields that go with the next version.
#pragma once

#include "analyze/model/policy/policy.h"
#include "analyze/query/filter.h"

namespace tailcap::cli {

// Each name once in a run of the program.
void warn_of_old_names(const query::Filter& filter);
void warn_of_old_names(const model::policy::Policy& policy);

}  // namespace tailcap::cli

// The functions of SQLite that SQL of a person may use: those that compute a value of their arguments. A build of
// SQLite has others, which load code, take and return addresses, or tell of the machine.
#pragma once

#include <string_view>

namespace tailcap::sql {

// As SQLite names it, in any case.
bool allowed_function(std::string_view name);

}  // namespace tailcap::sql

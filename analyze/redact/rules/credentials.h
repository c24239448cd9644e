#pragma once

#include <string_view>

namespace tailcap::redact {

// The name of a header field, of a key of a query or of a field of an event says that credentials are kept in it. Many
// have other names: this is for warnings, not for masking.
bool may_hold_credentials(std::string_view name);

}  // namespace tailcap::redact

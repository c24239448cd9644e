// What becomes of a capture with --pack.
#pragma once

#include <string>

namespace tailcap::capture {

// Executes `tailcap pack`, which is installed beside this program, on the capture; it does not return. yes: it does not
// ask. Throws std::runtime_error where that is impossible.
[[noreturn]] void pack(const std::string& capture, const std::string& archive, bool yes, bool force);

}  // namespace tailcap::capture

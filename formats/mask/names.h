// Masks a message of a name server: its header and its question are kept, and of its records types, times, names and
// addresses. All other contents, as of TXT records and of EDNS, become asterisks.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace tailcap::formats::mask {

// What becomes of a label, and of an address of 4 or 16 bytes: text of the same length. Unset: they are kept.
struct NameRules {
  std::function<std::string(const std::string&)> label, address;
};

// In place; lengths do not change. Labels with characters that no name of a host has become asterisks, and so does what
// is cut or not understood behind a sound question. False: there is none, and nothing may be kept.
bool mask_names(std::string& message, const NameRules& rules);

}  // namespace tailcap::formats::mask

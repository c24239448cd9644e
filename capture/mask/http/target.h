// Masks what may be secret in the target of a request, and in the name of a host.
#pragma once

#include <string>

#include "capture/mask/http/header_list.h"

namespace tailcap::capture::mask {

// Overwrites parts of `target` with asterisks, in place:
// - user information in front of an '@';
// - query values and path parameters, except numbers of up to eight digits and those of kept keys;
// - in path segments and keys, JSON Web Tokens and runs of 40 and more characters of hexadecimal or base64.
// cut: more may follow. What cannot be judged yet is overwritten.
void mask_target(std::string& target, bool cut, const HeaderList& list);

// The same for the value of Host and :authority.
void mask_authority(std::string& host, bool cut);

}  // namespace tailcap::capture::mask

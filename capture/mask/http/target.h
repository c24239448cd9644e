// Masks what may be secret in the target of a request, and in the name of a host.
#pragma once

#include <string>

#include "capture/mask/http/header_list.h"

namespace tailcap::capture::mask {

// Overwrites parts of `target` with asterisks, in place:
// - user information in front of an '@';
// - query values and path parameters, except those of kept keys, and numbers of up to eight digits whose name does not
//   say that they let somebody in (pin, otp, code, …);
// - parts of a query, a fragment or of path parameters without '=', and names that are none (ground/http/query_key.h);
// - in path segments and names, JSON Web Tokens, runs of 40 and more characters of base64, and what token.h takes for a
//   credential.
// cut: more may follow. What cannot be judged yet is overwritten.
void mask_target(std::string& target, bool cut, const HeaderList& list);

// The same for the value of Host and :authority.
void mask_authority(std::string& host, bool cut);

}  // namespace tailcap::capture::mask

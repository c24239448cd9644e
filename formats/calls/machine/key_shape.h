// The shape of a key of a cache or of a subject: user:17:cart is user:*:cart.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::formats::calls {

// Overwrites with '*', in place and one for each byte, what may be a value. What stays are separators, the words of
// schemas, and a first segment that reads like words. cut: more may follow.
void mask_key(std::string& key, bool cut);
// The same for a name that a program's configuration holds: parts that read like words stay, too.
void mask_name(std::string& name, bool cut);
// As it is shown: each run of '*' is one '*'.
std::string shown_key(std::string_view masked);

}  // namespace tailcap::formats::calls

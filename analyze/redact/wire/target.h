// Replaces what may be secret in the target of a request.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/redact/wire/header_list.h"

namespace tailcap::redact::wire {

// In place, without a change of length, nor of the length in HPACK's Huffman code:
// - user information in front of an '@', query values and path parameters become asterisks, but for values of keys
//   that the policy names; so do names that are none, and what has no name (ground/http/query_key.h);
// - words of paths and keys become pseudonyms, by the rules of the level; segments with escapes become asterisks.
// cut: more may follow. written: characters that were replaced earlier; what began among them becomes asterisks,
// like everything that cannot be judged yet.
void mask_target(std::string& target, bool cut, std::size_t written, const HeaderList& list);

}  // namespace tailcap::redact::wire

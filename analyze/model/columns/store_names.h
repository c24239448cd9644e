// What a row says of a call of a store, in the words of that store.
#pragma once

#include <string>
#include <string_view>

#include "analyze/model/wire/message.h"

namespace tailcap::model {

// SQL with its literals replaced, of the operation and the path of a row. Empty: none, or not known.
std::string statement_of(Protocol protocol, std::string_view operation, std::string_view path);
// The first table of a statement; of other stores, the shape of the first key. Empty: none.
std::string resource_of(Protocol protocol, std::string_view operation, std::string_view path);

}  // namespace tailcap::model

// The wait reasons of goroutines, in the words of Go's runtime.
#pragma once

#include <string_view>

#include "analyze/model/label.h"

namespace tailcap::partition {

// "chan receive" -> lock.go.chan; go.park for what says nothing. Waiting for a descriptor is net.unknown_socket.
model::Label label_of_reason(std::string_view reason);

}  // namespace tailcap::partition

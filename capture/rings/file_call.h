// Calls on files, from the ring's records.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "formats/event_names.h"

namespace tailcap::capture {

// A RECORD_FILE_CALL to the event's body and goroutine. False: it is none. `path` is what the event's view shows.
bool convert_file_call(std::span<const std::byte> bytes, std::string& path, formats::Event& event);

}  // namespace tailcap::capture

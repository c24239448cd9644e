// Adds events to a capture that is finished.
#pragma once

#include <span>
#include <string>

#include "formats/event.h"

namespace tailcap::formats {

// The file is written anew beside PATH and takes its name, whole or not at all. Throws for a capture that is damaged or
// not complete. The events' times are those of the last event, whatever they say. A capture
// that was redacted strictly is not marked as that any more: what is added is as it was given.
void append_events(const std::string& path, std::span<const Event> events);

}  // namespace tailcap::formats

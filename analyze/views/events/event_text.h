// One recorded event as a line for people and as a JSON object; docs/JSON.md describes the names.
#pragma once

#include <string>
#include <string_view>

#include "analyze/model/wall_clock.h"
#include "formats/event_names.h"

namespace tailcap::views {

// Bytes as in a C string; at most `limit` of them, then "…".
std::string escaped(std::string_view bytes, std::size_t limit);

// "send  socket 5 …": everything behind time and thread.
std::string event_text(const formats::Event& event);

void append_event(std::string& out, const formats::Event& event, const model::WallClock& clock, bool in_stw);

}  // namespace tailcap::views

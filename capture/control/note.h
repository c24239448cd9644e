// A remark about a recording: given at its start (--note) or while it runs (`tailcap control FILE note`).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tailcap::capture {

inline constexpr std::size_t kNoteKey = 128, kNoteValue = 2048;  // bytes

// "deploy=v2" → deploy, v2. Nothing unless there is a '=' after at least one character.
std::optional<std::pair<std::string, std::string>> parse_note(std::string_view text);

// Why a note from a user is rejected; empty: it is accepted.
std::string objection_to(const std::pair<std::string, std::string>& note);

}  // namespace tailcap::capture

#include "capture/control/note.h"

#include <algorithm>

namespace tailcap::capture {

std::optional<std::pair<std::string, std::string>> parse_note(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0) return std::nullopt;
  return std::pair{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

std::string objection_to(const std::pair<std::string, std::string>& note) {
  const auto& [key, value] = note;
  if (key.starts_with("tailcap.")) return "keys that begin with tailcap. are the recorder's own";
  if (key.size() > kNoteKey)
    return "a note's key has at most " + std::to_string(kNoteKey) + " bytes, not " + std::to_string(key.size());
  if (value.size() > kNoteValue)
    return "a note's value has at most " + std::to_string(kNoteValue) + " bytes, not " + std::to_string(value.size());
  const auto unprintable = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(key.begin(), key.end(), unprintable) || std::any_of(value.begin(), value.end(), unprintable))
    return "a note is one line of text, without control characters";
  return {};
}

}  // namespace tailcap::capture

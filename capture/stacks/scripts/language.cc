#include "capture/stacks/scripts/language.h"

#include <algorithm>

#include "capture/stacks/scripts/frame_name.h"
#include "capture/stacks/scripts/hotspot.h"
#include "capture/stacks/scripts/php.h"
#include "capture/stacks/scripts/python.h"
#include "capture/stacks/scripts/ruby.h"
#include "capture/stacks/scripts/v8.h"

namespace tailcap::capture::stacks {

namespace {

constexpr const ScriptLanguage* kLanguages[] = {&kPythonLanguage, &kPhpLanguage, &kV8Language, &kRubyLanguage,
                                                &kHotspotLanguage};

constexpr std::size_t kMostName = 140, kMostFile = 80;  // bytes: both fit into the name of a frame
constexpr std::string_view kCutText = "...";

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::string first_of(const std::string& text, std::size_t most, bool cut) {
  if (text.size() <= most && !cut) return text;
  std::size_t end = std::min(text.size(), most - kCutText.size());
  while (end > 0 && end < text.size() && !begins_character(text[end])) end--;
  return text.substr(0, end) + std::string(kCutText);
}

// The file without its folder, except where many have that name.
std::string file_of(const ScriptText& file, std::span<const std::string_view> with_folder) {
  const std::string& path = file.text;
  auto from = path.rfind('/');
  const std::string_view last = std::string_view(path).substr(from == path.npos ? 0 : from + 1);
  if (from != path.npos && from > 0 && std::ranges::find(with_folder, last) != with_folder.end())
    from = path.rfind('/', from - 1);
  if (from != path.npos) return first_of(path.substr(from + 1), kMostFile, false);
  return (file.cut ? std::string(kCutText) : std::string()) + first_of(path, kMostFile, false);
}

}  // namespace

std::span<const ScriptLanguage* const> languages() { return kLanguages; }

const ScriptLanguage* language_of(std::uint32_t number) {
  const auto found = std::ranges::find_if(kLanguages, [&](const ScriptLanguage* l) { return l->number == number; });
  return found == std::end(kLanguages) ? nullptr : *found;
}

std::string script_frame(const ScriptText& function, const ScriptText& file, std::uint32_t line,
                         std::span<const std::string_view> with_folder) {
  return frame_name(first_of(function.text, kMostName, function.cut) + " (" + file_of(file, with_folder) + ":" +
                    std::to_string(line) + ")");
}

std::string script_line(const ScriptText& file, std::uint32_t line, std::span<const std::string_view> with_folder) {
  return frame_name(file_of(file, with_folder) + ":" + std::to_string(line));
}

}  // namespace tailcap::capture::stacks

// Writes a result to a file that appears whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::commands {

// Replaces `path` ("-": standard output). Never the capture that was read: throws std::runtime_error then, and
// std::system_error where it cannot be written.
void write_file(const std::string& path, std::string_view content, const std::string& capture);

}  // namespace tailcap::commands

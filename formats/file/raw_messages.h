// What the blocks of a capture hold, decompressed, without what it means: for searches in all that is in a file.
#pragma once

#include <functional>
#include <span>
#include <string>

namespace tailcap::formats {

// Visits every sound block, in the order of the file. The bytes are valid during the call.
void each_raw_message(const std::string& path, const std::function<void(std::span<const std::byte>)>& visit);

}  // namespace tailcap::formats

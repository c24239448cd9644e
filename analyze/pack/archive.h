// A zip archive with a capture in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tailcap::pack {

inline constexpr const char* kCaptureName = "capture.tcap";

struct Member {
  std::string name;
  std::string path;  // of the file that it is read from; empty: `text` is the content
  std::string text;
};

// Throws std::runtime_error; then there is no file at PATH that was not there before.
void write_archive(const std::string& path, const std::vector<Member>& members);

// Whether a file begins like a zip archive.
bool is_archive(const std::string& path);

// Writes the capture in the archive to `out`. Throws std::runtime_error where there is none, or where it is larger than
// `most` bytes or than a capture in an archive of that size can be; then nothing was written.
void extract_capture(const std::string& path, const std::string& out, std::uint64_t most);

}  // namespace tailcap::pack

// Which files, and their bytes. Only regular files are read, and only their beginning where they are very large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tailcap::logs {

inline constexpr std::size_t kMostFiles = 1000;
inline constexpr std::size_t kMostBytes = 256u << 20;  // of a file
inline constexpr std::uint64_t kMostBytesOfAll = 1u << 30;

struct NamedFile {
  std::string path;
  std::string service;    // whose log it is, as the user says; empty: not said
  std::string container;  // that its path names; empty: none
};

// The files of `GLOB` and `SERVICE=GLOB`, each once, by pattern and then by name. Throws std::runtime_error: a pattern
// that matches nothing, or more than kMostFiles.
std::vector<NamedFile> files_of(const std::vector<std::string>& patterns);

struct FileText {
  std::string text;
  std::uint64_t left_out = 0;  // bytes behind it
};
// At most `most` bytes. Throws std::system_error, or std::runtime_error: it is no regular file.
FileText text_of(const std::string& path, std::size_t most);

}  // namespace tailcap::logs

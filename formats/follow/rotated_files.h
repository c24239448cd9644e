// The files of a recording in several (store/rotation.h), by the name that the recorder was given.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tailcap::formats {

struct RotatedFile {
  std::uint64_t number = 0;  // from 1
  std::string path;          // with ".partial" where it has not its final name
  bool partial = false;
};

// Those that are there, in the order of their numbers. None where the folder cannot be read.
std::vector<RotatedFile> rotated_files(const std::string& path);

// A program has the file open to write it.
bool is_being_written(const std::string& path);

}  // namespace tailcap::formats

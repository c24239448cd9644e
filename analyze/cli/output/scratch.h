// A folder for files that are needed for a while.
#pragma once

#include <optional>
#include <string>

#include "formats/bounds/unfinished.h"

namespace tailcap::cli {

// In $TMPDIR, else /tmp, when the first file is asked for; readable by its owner only; removed with all that is in it.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string file(const std::string& name);  // its path. Throws std::runtime_error

 private:
  std::string folder_;
  std::optional<formats::Unfinished> unfinished_;
};

// Puts the captures of packs among the words of a command line into `scratch`, and their paths in place of the packs'.
// Only of commands that read captures.
void unpack_words(int argc, char** argv, Scratch& scratch);

// What the command line has for the path of such a capture; other paths as they are.
std::string given_path(const std::string& path);

}  // namespace tailcap::cli

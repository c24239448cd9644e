// Files that must not stay where the program is given up (process_bounds.h).
#pragma once

#include <string>

namespace tailcap::formats {

// Removes `path`, a file or a folder with all that is in it, if the program is given up meanwhile. What its owner does
// at other ends is the owner's.
class Unfinished {
 public:
  explicit Unfinished(std::string path);
  ~Unfinished();
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

 private:
  std::string path_;
};

// Removes all of them, as far as that is possible without waiting.
void remove_unfinished();

}  // namespace tailcap::formats

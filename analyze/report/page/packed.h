// Bytes as a page carries them: deflated (zlib's format, which a browser's DecompressionStream reads), in base64.
#pragma once

#include <memory>
#include <string>

namespace tailcap::report::page {

// Packs pieces while their writer goes on. Throws std::runtime_error where there is no memory.
class Packer {
 public:
  Packer();
  ~Packer();

  void add(std::string& bytes);  // empties it, and leaves it other memory
  std::string take();            // all of them; once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string packed(std::string bytes);

}  // namespace tailcap::report::page

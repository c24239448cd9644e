#include "analyze/cli/options/file_text.h"

#include <cerrno>
#include <fstream>
#include <system_error>

#include "formats/printable.h"

namespace tailcap::cli {

std::string file_text(const std::string& path, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  std::string out;
  for (char block[4096]; in && out.size() <= most;) {
    in.read(block, sizeof block);
    out.append(block, static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof() && out.size() <= most)
    throw std::system_error(errno, std::generic_category(), "cannot read " + formats::printable(path));
  return out;
}

}  // namespace tailcap::cli

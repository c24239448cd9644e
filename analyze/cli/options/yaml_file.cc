#include "analyze/cli/options/yaml_file.h"

#include <cerrno>
#include <fstream>
#include <system_error>

#include "analyze/cli/output/complain.h"
#include "analyze/query/yaml.h"
#include "formats/printable.h"

namespace tailcap::cli {
namespace {

// At most a little more than `most` bytes of it.
std::string text_of(const std::string& path, std::size_t most) {
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

}  // namespace

bool read_yaml_file(const char* command, const std::string& path, const std::function<void(const std::string&)>& read) {
  try {
    read(text_of(path, query::kMostYamlBytes));
  } catch (const query::YamlError& e) {
    complain(command, formats::printable(path) + ":" + e.what());
    return false;
  }
  return true;
}

}  // namespace tailcap::cli

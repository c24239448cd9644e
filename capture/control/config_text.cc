#include "capture/control/config_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "capture/host/descriptor.h"
#include "formats/printable.h"

namespace tailcap::capture {

std::string read_config(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat kind {};
  if (!file || fstat(file.get(), &kind) != 0)
    throw std::invalid_argument("cannot read the configuration '" + formats::printable(path) +
                                "': " + std::strerror(errno));
  if (!S_ISREG(kind.st_mode))
    throw std::invalid_argument("the configuration '" + formats::printable(path) + "' is no file");
  std::string text(kMaxConfig + 1, '\0');
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < text.size(); size += static_cast<std::size_t>(got)) {
    got = read(file.get(), text.data() + size, text.size() - size);
    if (got < 0)
      throw std::invalid_argument("cannot read the configuration '" + formats::printable(path) +
                                  "': " + std::strerror(errno));
  }
  if (size > kMaxConfig)
    throw std::invalid_argument("the configuration '" + formats::printable(path) + "' is longer than 64 KiB");
  text.resize(size);
  return text;
}

}  // namespace tailcap::capture

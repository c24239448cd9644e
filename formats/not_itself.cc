#include "formats/not_itself.h"

#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "formats/printable.h"

namespace tailcap::formats {

void refuse_itself(const std::string& in, const std::string& out) {
  std::error_code error;
  if (std::filesystem::equivalent(in, out, error))
    throw std::runtime_error(printable(out) + " is the capture itself; name another file to write");
}

}  // namespace tailcap::formats

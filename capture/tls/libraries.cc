#include "capture/tls/libraries.h"

#include <array>
#include <filesystem>
#include <set>
#include <system_error>

#include "capture/tls/functions.h"

namespace tailcap::capture::tls {

std::vector<std::string> system_libraries() {
#if defined(__aarch64__)
#define TAILCAP_MULTIARCH "aarch64-linux-gnu"
#else
#define TAILCAP_MULTIARCH "x86_64-linux-gnu"
#endif
  static constexpr std::array<const char*, 8> kFolders = {"/lib/" TAILCAP_MULTIARCH,
                                                          "/usr/lib/" TAILCAP_MULTIARCH,
                                                          "/lib64",
                                                          "/usr/lib64",
                                                          "/usr/local/lib64",
                                                          "/usr/local/lib",
                                                          "/usr/lib",
                                                          "/usr/local/lib/" TAILCAP_MULTIARCH};
  std::set<std::string> found;  // by what they are: most have several names
  for (const char* folder : kFolders) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      if (!is_tls_library(entry.path().filename().string())) continue;
      std::error_code gone;
      const auto real = std::filesystem::canonical(entry.path(), gone);
      if (!gone && is_tls_library(real.filename().string()) && std::filesystem::is_regular_file(real, gone))
        found.insert(real.string());
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace tailcap::capture::tls

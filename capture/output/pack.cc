#include "capture/output/pack.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace tailcap::capture {

void pack(const std::string& capture, const std::string& archive, bool yes, bool force) {
  std::vector<std::string> words = {"tailcap", "pack", capture, "-o", archive};
  if (yes) words.push_back("--yes");
  if (force) words.push_back("--force");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::fflush(nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  // Installed side by side; in the build tree the analyser is in the neighbouring folder.
  if (!error)
    for (const auto& path : {self.parent_path() / "tailcap", self.parent_path().parent_path() / "analyze" / "tailcap"})
      execv(path.c_str(), arguments.data());
  throw std::runtime_error("cannot run tailcap to pack " + capture + ": " + std::strerror(errno) +
                           ". The capture is complete: run `tailcap pack` where it is installed");
}

}  // namespace tailcap::capture

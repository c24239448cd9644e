// What a Go program says of its build, a line each, as `go version -m` prints it.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace tailcap::ground {

inline constexpr auto kPlainBuildSettings = std::to_array<std::string_view>({
    "-asan",        "-buildmode",   "-compiler",      "-cover",   "-covermode", "-msan",   "-race",     "-tags",
    "-trimpath",    "CGO_ENABLED",  "DefaultGODEBUG", "GO386",    "GOAMD64",    "GOARCH",  "GOARM",     "GOARM64",
    "GOEXPERIMENT", "GOFIPS140",    "GOMIPS",         "GOMIPS64", "GOOS",       "GOPPC64", "GORISCV64", "GOWASM",
    "vcs",          "vcs.modified", "vcs.revision",   "vcs.time",
});

// Whether the line is empty, names a module, or has a setting whose value says no more than how the program was built,
// and of what. Other settings may hold anything: -ldflags sets passwords with -X.
inline bool is_plain_build_line(std::string_view line) {
  const std::size_t tab = line.find('\t');
  const std::string_view kind = line.substr(0, tab);
  if (line.empty() || kind == "path" || kind == "mod" || kind == "dep" || kind == "=>") return true;
  if (kind != "build" || tab == line.npos) return false;
  const std::string_view setting = line.substr(tab + 1);
  const std::string_view key = setting.substr(0, setting.find('='));
  return std::find(kPlainBuildSettings.begin(), kPlainBuildSettings.end(), key) != kPlainBuildSettings.end();
}

}  // namespace tailcap::ground

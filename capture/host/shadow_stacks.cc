#include "capture/host/shadow_stacks.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "capture/host/system_file.h"

namespace tailcap::capture {

bool says_shadow_stack(std::string_view status) {
  constexpr std::string_view kName = "x86_Thread_features:", kFeature = "shstk";
  while (!status.empty()) {
    const auto end = std::min(status.find('\n'), status.size());
    std::string_view line = status.substr(0, end);
    status.remove_prefix(std::min(end + 1, status.size()));
    if (!line.starts_with(kName)) continue;  // not x86_Thread_features_locked
    line.remove_prefix(kName.size());
    while (!line.empty()) {
      const auto begin = std::min(line.find_first_not_of(" \t"), line.size());
      const auto stop = std::min(line.find_first_of(" \t", begin), line.size());
      if (line.substr(begin, stop - begin) == kFeature) return true;
      line.remove_prefix(stop);
    }
  }
  return false;
}

bool begins_with_call(std::string_view code) {
  const auto byte = [&](std::size_t i) {
    return i < code.size() ? static_cast<std::uint8_t>(code[i]) : std::uint8_t{0};
  };
  std::size_t at = 0;
  constexpr std::string_view kPrefixes = "\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3";
  while (at < code.size() && kPrefixes.find(code[at]) != kPrefixes.npos) at++;
  if ((byte(at) & 0xf0) == 0x40) at++;  // REX
  const unsigned field = byte(at + 1) >> 3 & 7;
  return byte(at) == 0xe8 || (byte(at) == 0xff && (field == 2 || field == 3));
}

ShadowStacks::ShadowStacks(bool kernel_has_them, std::string proc)
    : kernel_has_them_(kernel_has_them), proc_(std::move(proc)) {}

bool ShadowStacks::in_process(std::uint32_t pid) const {
  return kernel_has_them_ && says_shadow_stack(read_system_file(proc_ + "/" + std::to_string(pid) + "/status"));
}

bool ShadowStacks::in_any_process() const {
  if (!kernel_has_them_) return false;
  std::error_code error;
  std::filesystem::directory_iterator entry(proc_, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    std::uint32_t pid = 0;
    const auto [stop, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad == std::errc() && stop == name.data() + name.size() && in_process(pid)) return true;
  }
  return false;
}

}  // namespace tailcap::capture

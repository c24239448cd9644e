#include "capture/stacks/kernel_names.h"

#include <algorithm>
#include <cstdlib>

namespace tailcap::capture::stacks {

namespace {
// Sizes are not known: a function is assumed to end where the next symbol begins, and at most this far away.
constexpr std::uint64_t kLongest = 1u << 20;
}  // namespace

KernelNames::KernelNames(std::istream& text) {
  std::string line;
  while (std::getline(text, line)) {  // "ffffffff81000000 T _text", of modules "…\t[name]"
    char* end = nullptr;
    const std::uint64_t address = std::strtoull(line.c_str(), &end, 16);
    if (address == 0 || *end != ' ' || end[1] == '\0' || end[2] != ' ') continue;
    std::string_view name(end + 3);
    name = name.substr(0, name.find_first_of("\t "));
    functions_.push_back({address, static_cast<std::uint32_t>(names_.size())});
    // Data ends a function like another one does, but has no name here.
    if (std::string_view("tTwW").find(end[1]) != std::string_view::npos) names_.append(name);
    names_.push_back('\0');
  }
  std::stable_sort(functions_.begin(), functions_.end(),
                   [](const auto& a, const auto& b) { return a.address < b.address; });
  functions_.erase(std::unique(functions_.begin(), functions_.end(),
                               [](const auto& a, const auto& b) { return a.address == b.address; }),
                   functions_.end());
}

std::string_view KernelNames::at(std::uint64_t address) const {
  const auto next = std::upper_bound(functions_.begin(), functions_.end(), address,
                                     [](std::uint64_t a, const Function& f) { return a < f.address; });
  if (next == functions_.begin() || address - (next - 1)->address >= kLongest) return {};
  return names_.c_str() + (next - 1)->name;
}

}  // namespace tailcap::capture::stacks

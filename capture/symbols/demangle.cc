#include "capture/symbols/demangle.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>

namespace tailcap::capture::symbols {

namespace {

// A mangled name can refer to its own parts again and again, so that few bytes mean gigabytes. With this many
// references it grows to some megabytes at worst; names of real programs have fewer, or stay as they are.
constexpr std::size_t kMaxMangled = 1024;
constexpr std::size_t kMaxReferences = 28;

std::size_t references(std::string_view name) {
  std::size_t count = 0;
  for (std::size_t i = 0; i + 1 < name.size(); ++i) {
    const char next = name[i + 1];
    const bool counts = next == '_' || (next >= '0' && next <= '9') || (next >= 'A' && next <= 'Z');
    if ((name[i] == 'S' || name[i] == 'T') && counts) ++count;
  }
  return count;
}

// "core::fmt::write::h0123456789abcdef"
void drop_hash(std::string& name) {
  constexpr std::size_t kHash = 19;
  if (name.size() <= kHash || name.compare(name.size() - kHash, 3, "::h") != 0) return;
  const std::string_view digits = std::string_view(name).substr(name.size() - 16);
  if (digits.find_first_not_of("0123456789abcdef") == digits.npos) name.resize(name.size() - kHash);
}

}  // namespace

std::string demangled(std::string_view name) {
  if (!name.starts_with("_Z") || name.size() > kMaxMangled || references(name) > kMaxReferences)
    return std::string(name);
  const std::string mangled(name);
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), &std::free);
  if (status != 0 || !text) return mangled;
  std::string out(text.get());
  drop_hash(out);
  return out;
}

}  // namespace tailcap::capture::symbols

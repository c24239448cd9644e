#include "capture/symbols/demangle.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>

#include "capture/symbols/rust/escaped_name.h"
#include "capture/symbols/rust/plain_name.h"

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

}  // namespace

bool is_mangled(std::string_view name) { return name.starts_with("_Z") || name.starts_with("_R"); }

std::string demangled(std::string_view name) {
  if (name.size() > kMaxMangled) return std::string(name);
  if (auto rust = demangled_rust(name)) return std::move(*rust);
  if (!name.starts_with("_Z") || references(name) > kMaxReferences) return std::string(name);
  const std::string mangled(name.substr(0, name.find(".llvm.")));
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), &std::free);
  if (status != 0 || !text) return std::string(name);
  return without_rust_escapes(text.get()).value_or(text.get());
}

}  // namespace tailcap::capture::symbols

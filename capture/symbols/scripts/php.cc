#include "capture/symbols/scripts/php.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "capture/symbols/elf/elf_symbols.h"

namespace tailcap::capture::symbols {

namespace {

// Parts of ZEND_MODULE_BUILD_ID, with which extensions are compared: "API20220829,NTS", then ",debug" in such a build.
constexpr std::string_view kBuild = "API20", kWithout = ",NTS", kDebug = ",debug";
constexpr std::size_t kDigits = 8, kMostBuild = 32;
constexpr std::uint64_t kAtOnce = 1u << 20, kMostConstants = 64u << 20;  // PHP has 3 MiB

std::string build_in(const std::string& text) {
  for (auto at = text.find(kBuild); at != text.npos; at = text.find(kBuild, at + 1)) {
    if (at == 0 || text[at - 1] != '\0') continue;
    const auto end = text.find('\0', at);
    if (end != text.npos && end - at <= kMostBuild) return text.substr(at, end - at);
  }
  return {};
}

std::string build_of(const ElfFile& file) {
  const Section* section = file.section(".rodata");
  const std::uint64_t size = section ? std::min(section->size, kMostConstants) : 0;
  for (std::uint64_t at = 0; at < size; at += kAtOnce) {
    const std::uint64_t bytes = std::min(kAtOnce + kMostBuild, size - at);
    const std::string chunk = file.read(section->offset + at, bytes, bytes);
    if (chunk.empty()) break;
    if (std::string found = build_in(chunk); !found.empty()) return found;
  }
  return {};
}

}  // namespace

PhpProgram::PhpProgram(const ElfFile& file) {
  globals_ = find_variable(file, "executor_globals");
  threads_ = globals_ == 0 && find_variable(file, "executor_globals_offset") != 0;
  if (!found()) return;
  const std::string build = build_of(file);
  if (build.size() < kBuild.size() - 2 + kDigits) return;
  const char* digits = build.data() + kBuild.size() - 2;
  std::from_chars(digits, digits + kDigits, api_);
  threads_ = threads_ || build.find(kWithout) == build.npos;
  debug_ = build.find(kDebug) != build.npos;
}

void PhpProgram::encode(scan::Encoder& out) const {
  out.number(globals_);
  out.number(api_);
  out.number(threads_);
  out.number(debug_);
}

PhpProgram PhpProgram::decode(scan::Decoder& in) {
  PhpProgram program;
  program.globals_ = in.number<std::uint64_t>();
  program.api_ = in.number<std::uint32_t>();
  program.threads_ = in.truth();
  program.debug_ = in.truth();
  return program;
}

}  // namespace tailcap::capture::symbols

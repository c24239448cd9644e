#include "capture/symbols/go/go_strings.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "capture/symbols/elf/elf_pointers.h"

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kHeader = 16;  // of a string: where it is, how long it is
constexpr std::uint64_t kMaxStringText = 64;
constexpr std::uint64_t kMaxTexts = 100;
constexpr std::uint64_t kMaxStringData = 64u << 20;  // of all sections
constexpr int kMaxTries = 64;  // places that look right but are not; each may cost a pass over all relocations

template <class T>
T take_at(std::string_view bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

bool printable_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

std::string text_at(const ElfFile& file, std::uint64_t address, std::uint64_t length) {
  if (length == 0 || length > kMaxStringText) return {};
  std::string text = file.read_address(address, length, kMaxStringText);
  return printable_word(text) ? text : std::string();
}

std::vector<std::string> array_at(const ElfFile& file, std::uint64_t address, std::uint64_t most,
                                  std::span<const std::string_view> beginning) {
  std::vector<std::string> out;
  const auto words = words_at(file, address, 2 * std::min(most, kMaxTexts));
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    const std::string text = text_at(file, words[i], words[i + 1]);
    const bool wanted = i / 2 >= beginning.size() || text == beginning[i / 2];
    if (!wanted || (words[i + 1] > 0 && text.empty()) || (words[i + 1] == 0 && i > 0)) break;
    out.push_back(text);
  }
  return out.size() < beginning.size() ? std::vector<std::string>{} : out;
}

}  // namespace

std::vector<std::string> go_string_array(const ElfFile& file, std::span<const std::string_view> beginning) {
  int tries = 0;
  std::uint64_t left = kMaxStringData;
  for (const Section& section : file.sections()) {
    if (section.type != SHT_PROGBITS || (section.flags & (SHF_WRITE | SHF_EXECINSTR)) != SHF_WRITE) continue;
    const std::string data = file.contents(section, left);
    left -= data.size();
    const std::uint64_t skip = (8 - section.address % 8) % 8;
    for (std::size_t at = skip; at + beginning.size() * kHeader <= data.size(); at += 8) {
      bool lengths = true;  // these are in place even where the loader brings the pointers
      for (std::size_t i = 0; i < beginning.size() && lengths; i++)
        lengths = take_at<std::uint64_t>(data, at + i * kHeader + 8) == beginning[i].size();
      if (!lengths) continue;
      if (++tries > kMaxTries) return {};
      auto found = array_at(file, section.address + at, (data.size() - at) / kHeader, beginning);
      if (!found.empty()) return found;
    }
  }
  return {};
}

// if buildVersion == "" { … }: cmp qword ptr [rip + length of buildVersion], 0
std::string go_version_from_code(const ElfFile& file, std::string_view code, std::uint64_t address) {
  constexpr std::string_view kCompare("\x48\x83\x3d", 3);
  constexpr std::size_t kLength = 8;
  int tries = 0;
  for (std::size_t at = 0; at + kLength <= code.size() && tries < kMaxTries; at++) {
    if (code.substr(at, kCompare.size()) != kCompare || code[at + 7] != 0) continue;
    tries++;
    const auto distance = static_cast<std::int64_t>(take_at<std::int32_t>(code, at + 3));
    const std::uint64_t length = address + at + kLength + static_cast<std::uint64_t>(distance);
    const auto words = words_at(file, length - 8, 2);
    if (words.empty()) continue;
    std::string text = text_at(file, words[0], words[1]);
    if (text.starts_with("go1.") || text.starts_with("devel ")) return text;
  }
  return {};
}

}  // namespace tailcap::capture::symbols

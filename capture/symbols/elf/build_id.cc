#include "capture/symbols/elf/build_id.h"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tailcap::capture::symbols {

namespace {

constexpr std::size_t kMaxHeaders = 1024;       // program headers that are looked at; the kernel loads no more
constexpr std::size_t kMaxNoteSegments = 16;    // of notes; linkers make three
constexpr std::uint64_t kMaxNotes = 64u << 10;  // bytes of each of them; linkers write hundreds

std::string read_at(int file, std::uint64_t offset, std::size_t size) {
  if (offset > INT64_MAX) return {};
  std::string bytes(size, '\0');
  ssize_t got;
  while ((got = pread(file, bytes.data(), size, static_cast<off_t>(offset))) < 0 && errno == EINTR) {
  }
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

template <class T>
bool take_note(std::string_view bytes, std::uint64_t offset, T& value) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof value) return false;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return true;
}

// Name and description are padded to four bytes, in segments aligned to eight to eight.
std::string find_in(std::string_view notes, std::uint64_t alignment) {
  const auto padded = [&](std::uint64_t at) { return (at + alignment - 1) / alignment * alignment; };
  Elf64_Nhdr note;
  for (std::uint64_t at = 0; take_note(notes, at, note);) {
    const std::uint64_t name = at + sizeof note, description = padded(name + note.n_namesz);
    if (description > notes.size() || note.n_descsz > notes.size() - description) return {};
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && notes.substr(name, 4) == std::string_view("GNU", 4) &&
        note.n_descsz <= kMaxBuildId)
      return std::string(notes.substr(description, note.n_descsz));
    at = padded(description + note.n_descsz);
  }
  return {};
}

template <class Header, class Segment>
std::string find_by_segments(int file, std::string_view start) {
  Header header;
  if (!take_note(start, 0, header) || header.e_phentsize != sizeof(Segment)) return {};
  const std::size_t count = std::min<std::size_t>(header.e_phnum, kMaxHeaders);
  const std::string table = read_at(file, header.e_phoff, count * sizeof(Segment));
  std::size_t segments = 0;
  Segment segment;
  for (std::size_t i = 0; i < count && take_note(table, i * sizeof segment, segment); i++) {
    if (segment.p_type != PT_NOTE || ++segments > kMaxNoteSegments) continue;
    const std::string notes = read_at(file, segment.p_offset, std::min<std::uint64_t>(segment.p_filesz, kMaxNotes));
    if (std::string id = find_in(notes, segment.p_align == 8 ? 8 : 4); !id.empty()) return id;
  }
  return {};
}

}  // namespace

std::string build_id(int file) {
  const std::string start = read_at(file, 0, sizeof(Elf64_Ehdr));
  if (start.size() < EI_NIDENT || !start.starts_with(ELFMAG) || start[EI_DATA] != ELFDATA2LSB) return {};
  return start[EI_CLASS] == ELFCLASS64 ? find_by_segments<Elf64_Ehdr, Elf64_Phdr>(file, start)
                                       : find_by_segments<Elf32_Ehdr, Elf32_Phdr>(file, start);
}

std::string debug_path(const std::string& id) {
  constexpr std::size_t kFolder = 2;  // digits
  if (id.size() <= kFolder) return {};
  return "/.build-id/" + id.substr(0, kFolder) + "/" + id.substr(kFolder) + ".debug";
}

}  // namespace tailcap::capture::symbols

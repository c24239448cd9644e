#include "capture/symbols/build_id.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

namespace tailcap::capture {

namespace {

constexpr std::size_t kMaxBuildId = 64;  // 20 bytes for SHA-1; Go's own id is another note

std::string find_note(Elf* elf) {
  std::size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0) return "";
  for (std::size_t i = 0; i < count; i++) {
    GElf_Phdr header;
    if (!gelf_getphdr(elf, static_cast<int>(i), &header) || header.p_type != PT_NOTE) continue;
    Elf_Data* data = elf_getdata_rawchunk(elf, static_cast<int64_t>(header.p_offset), header.p_filesz,
                                          header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    if (!data) continue;
    GElf_Nhdr note;
    std::size_t offset = 0, name = 0, description = 0;
    while ((offset = gelf_getnote(data, offset, &note, &name, &description)) > 0) {
      const char* bytes = static_cast<const char*>(data->d_buf);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(bytes + name, "GNU", 4) == 0 &&
          note.n_descsz <= kMaxBuildId)
        return {bytes + description, note.n_descsz};
    }
  }
  return "";
}

}  // namespace

std::string build_id(const std::string& path) {
  if (elf_version(EV_CURRENT) == EV_NONE) return "";
  // Not blocking: what is mapped is a file, but what is there by now may be anything.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return "";
  struct stat status {};
  std::string id;
  if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    if (Elf* elf = elf_begin(descriptor, ELF_C_READ, nullptr)) {
      id = find_note(elf);
      elf_end(elf);
    }
  }
  close(descriptor);
  return id;
}

}  // namespace tailcap::capture

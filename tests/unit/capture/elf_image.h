// ELF files made in memory, for tests of the code that reads them.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace tailcap::testing {

template <class T>
std::string raw(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

class ElfImage {
 public:
  static constexpr std::uint64_t kBase = 0x400000;  // an address is the file offset plus this

  explicit ElfImage(std::uint16_t type = ET_EXEC) : type_(type) { add("", SHT_NULL, 0, ""); }

  // Returns the section's index; its address is address(index).
  std::uint32_t add(const std::string& name, std::uint32_t type, std::uint64_t flags, const std::string& bytes,
                    std::uint32_t link = 0) {
    while (body_.size() % 64 != 0) body_ += '\0';
    sections_.push_back({name, type, flags, body_.size(), bytes.size(), link});
    body_ += bytes;
    return static_cast<std::uint32_t>(sections_.size() - 1);
  }
  std::uint64_t address(std::uint32_t section) const { return kBase + kHeaders + sections_[section].offset; }
  std::uint64_t next_address() const { return kBase + kHeaders + (body_.size() + 63) / 64 * 64; }
  void set(std::uint64_t address, const std::string& bytes) {
    body_.replace(address - kBase - kHeaders, bytes.size(), bytes);
  }
  ElfImage& segment(std::uint32_t type, std::uint64_t address = 0, std::uint64_t size = 0) {
    extra_.push_back({type, address, size});
    return *this;
  }

  std::string bytes() const {
    std::string names, body = body_;
    std::vector<Elf64_Shdr> headers;
    for (const Entry& entry : sections_) {
      Elf64_Shdr header{};
      header.sh_name = static_cast<Elf64_Word>(names.size());
      names += entry.name + '\0';
      header.sh_type = entry.type;
      header.sh_flags = entry.flags;
      header.sh_addr = entry.flags & SHF_ALLOC ? kBase + kHeaders + entry.offset : 0;
      header.sh_offset = kHeaders + entry.offset;
      header.sh_size = entry.size;
      header.sh_link = entry.link;
      headers.push_back(header);
    }
    Elf64_Shdr strings{};
    strings.sh_name = static_cast<Elf64_Word>(names.size());
    names += std::string(".shstrtab") + '\0';
    strings.sh_type = SHT_STRTAB;
    strings.sh_offset = kHeaders + body.size();
    strings.sh_size = names.size();
    headers.push_back(strings);
    body += names;
    Elf64_Ehdr file{};
    std::memcpy(file.e_ident, ELFMAG, SELFMAG);
    file.e_ident[EI_CLASS] = ELFCLASS64;
    file.e_ident[EI_DATA] = ELFDATA2LSB;
    file.e_ident[EI_VERSION] = EV_CURRENT;
    file.e_type = type_;
    file.e_machine = EM_X86_64;
    file.e_version = EV_CURRENT;
    file.e_phoff = sizeof(Elf64_Ehdr);
    file.e_shoff = kHeaders + body.size();
    file.e_ehsize = sizeof(Elf64_Ehdr);
    file.e_phentsize = sizeof(Elf64_Phdr);
    file.e_phnum = static_cast<Elf64_Half>(1 + extra_.size());
    file.e_shentsize = sizeof(Elf64_Shdr);
    file.e_shnum = static_cast<Elf64_Half>(headers.size());
    file.e_shstrndx = static_cast<Elf64_Half>(headers.size() - 1);
    std::string out = raw(file);
    Elf64_Phdr load{};
    load.p_type = PT_LOAD;
    load.p_flags = PF_R | PF_X;
    load.p_vaddr = kBase;
    load.p_filesz = load.p_memsz = kHeaders + body.size();
    out += raw(load);
    for (const Extra& extra : extra_) {
      Elf64_Phdr header{};
      header.p_type = extra.type;
      header.p_vaddr = extra.address;
      header.p_offset = extra.address ? extra.address - kBase : 0;
      header.p_filesz = extra.size;
      out += raw(header);
    }
    out.resize(kHeaders, '\0');
    out += body;
    for (const Elf64_Shdr& header : headers) out += raw(header);
    return out;
  }

 private:
  static constexpr std::uint64_t kHeaders = 512;  // the file's header and up to eight segments
  struct Entry {
    std::string name;
    std::uint32_t type;
    std::uint64_t flags, offset, size;
    std::uint32_t link;
  };
  struct Extra {
    std::uint32_t type;
    std::uint64_t address, size;
  };
  std::uint16_t type_;
  std::string body_;
  std::vector<Entry> sections_;
  std::vector<Extra> extra_;
};

}  // namespace tailcap::testing

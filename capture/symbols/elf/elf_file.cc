#include "capture/symbols/elf/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kMaxSections = 65536;          // linked files have dozens; 65,536 headers are 4 MiB
constexpr std::uint64_t kMaxSegments = 4096;           // the kernel itself refuses more than 64 KiB of program headers
constexpr std::uint64_t kMaxSectionNames = 16u << 20;  // all names together
constexpr std::uint64_t kMaxSectionName = 256;         // one of them; longer ones are cut
constexpr std::uint64_t kMaxDynamic = 1u << 20;
#if defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
constexpr const char* kMachineName = "arm64";
#else
constexpr std::uint16_t kMachine = EM_X86_64;
constexpr const char* kMachineName = "x86-64";
#endif

// Fixed-size structures of the format, copied out: the file need not align them.
template <class T>
T take(std::string_view bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace

ElfFile::ElfFile(std::string path, int descriptor, std::string bytes, std::uint64_t size)
    : path_(std::move(path)), descriptor_(descriptor), bytes_(std::move(bytes)), size_(size) {}

ElfFile::ElfFile(ElfFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      bytes_(std::move(other.bytes_)),
      size_(std::exchange(other.size_, 0)),
      kind_(other.kind_),
      interpreter_(other.interpreter_),
      dynamic_(other.dynamic_),
      sections_(std::move(other.sections_)),
      segments_(std::move(other.segments_)) {}

ElfFile::~ElfFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

ElfFile ElfFile::open(const std::string& path) {
  // Not blocking: what is mapped is a file, but what is there by now may be anything.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot open " + path + " to look for functions to probe");
  }
  return from_descriptor(descriptor, path);
}

ElfFile ElfFile::from_descriptor(int descriptor, std::string name) {
  ElfFile file(std::move(name), descriptor, {}, 0);
  struct stat status {};
  if (fstat(descriptor, &status) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot stat " + file.path_);
  if (!S_ISREG(status.st_mode)) file.refuse("is not a regular file");
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  file.parse();
  return file;
}

ElfFile ElfFile::from_bytes(std::string bytes, std::string name) {
  const std::uint64_t size = bytes.size();
  ElfFile file(std::move(name), -1, std::move(bytes), size);
  file.parse();
  return file;
}

void ElfFile::refuse(const std::string& why) const {
  throw std::runtime_error(path_ + " " + why + "; its functions cannot be probed");
}

std::string ElfFile::read(std::uint64_t offset, std::uint64_t size, std::uint64_t limit) const {
  if (size == 0 || size > limit || offset > size_ || size > size_ - offset) return {};
  if (descriptor_ < 0) return bytes_.substr(offset, size);
  std::string bytes(size, '\0');
  for (std::uint64_t have = 0; have < size;) {
    const ssize_t got = pread(descriptor_, bytes.data() + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {};  // shortened meanwhile, or unreadable: as if it were not there
    have += static_cast<std::uint64_t>(got);
  }
  return bytes;
}

std::string ElfFile::read_address(std::uint64_t address, std::uint64_t size, std::uint64_t limit) const {
  const auto offset = file_offset(address, size);
  return offset ? read(*offset, size, limit) : std::string();
}

std::string ElfFile::contents(const Section& section, std::uint64_t limit) const {
  if (section.type == SHT_NOBITS || (section.flags & SHF_COMPRESSED)) return {};
  return read(section.offset, section.size, limit);
}

const Section* ElfFile::section(std::string_view name) const {
  for (const Section& section : sections_) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

std::optional<std::uint64_t> ElfFile::file_offset(std::uint64_t address, std::uint64_t size) const {
  for (const Segment& segment : segments_) {
    if (address < segment.address || address - segment.address > segment.file_size) continue;
    const std::uint64_t inside = address - segment.address;
    if (size <= segment.file_size - inside) return segment.offset + inside;
  }
  return std::nullopt;
}

bool ElfFile::executable(std::uint64_t address, std::uint64_t size) const {
  for (const Segment& segment : segments_) {
    if (!segment.executable || address < segment.address || address - segment.address > segment.file_size) continue;
    if (size <= segment.file_size - (address - segment.address)) return true;
  }
  return false;
}

void ElfFile::parse() {
  const std::string bytes = read(0, sizeof(Elf64_Ehdr), sizeof(Elf64_Ehdr));
  if (bytes.empty() || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0) refuse("is not an ELF file");
  const auto header = take<Elf64_Ehdr>(bytes, 0);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != kMachine)
    refuse(std::string("is not a 64-bit ") + kMachineName + " program or library");
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) refuse("is neither an executable nor a shared library");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0) refuse("has no program headers");
  std::uint64_t sections = header.e_shnum, names = header.e_shstrndx, segments = header.e_phnum;
  // A count that does not fit its 16 bits is in the first section header.
  if (header.e_shentsize == sizeof(Elf64_Shdr) && header.e_shoff != 0) {
    const std::string first = read(header.e_shoff, sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
    if (!first.empty()) {
      const auto zero = take<Elf64_Shdr>(first, 0);
      if (sections == 0) sections = zero.sh_size;
      if (names == SHN_XINDEX) names = zero.sh_link;
      if (segments == PN_XNUM) segments = zero.sh_info;
    }
  }
  read_segments(header.e_phoff, segments);
  // A file without section headers still runs; it just has no symbols for us.
  if (header.e_shentsize == sizeof(Elf64_Shdr)) read_sections(header.e_shoff, sections, names);
  find_kind(header.e_type);
}

void ElfFile::read_segments(std::uint64_t offset, std::uint64_t count) {
  if (count > kMaxSegments) refuse("has " + std::to_string(count) + " program headers, more than a kernel would load");
  const std::string table = read(offset, count * sizeof(Elf64_Phdr), kMaxSegments * sizeof(Elf64_Phdr));
  if (table.empty()) refuse("ends before its program headers");
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto header = take<Elf64_Phdr>(table, i * sizeof(Elf64_Phdr));
    if (header.p_type == PT_INTERP) interpreter_ = true;
    if (header.p_type != PT_LOAD && header.p_type != PT_DYNAMIC) continue;
    // A segment's file part must be inside the file, and its addresses must not wrap.
    if (header.p_offset > size_ || header.p_filesz > size_ - header.p_offset) continue;
    if (header.p_vaddr + header.p_filesz < header.p_vaddr) continue;
    const Segment segment{header.p_vaddr, header.p_offset, header.p_filesz, (header.p_flags & PF_X) != 0,
                          (header.p_flags & PF_W) != 0};
    if (header.p_type == PT_DYNAMIC) {
      dynamic_ = segment;
    } else {
      segments_.push_back(segment);
    }
  }
  if (segments_.empty()) refuse("has nothing to load");
}

void ElfFile::read_sections(std::uint64_t offset, std::uint64_t count, std::uint64_t names) {
  if (offset == 0 || count == 0 || count > kMaxSections) return;
  const std::string table = read(offset, count * sizeof(Elf64_Shdr), kMaxSections * sizeof(Elf64_Shdr));
  if (table.empty()) return;
  std::string strings;
  if (names < count) {
    const auto header = take<Elf64_Shdr>(table, names * sizeof(Elf64_Shdr));
    strings = read(header.sh_offset, header.sh_size, kMaxSectionNames);
  }
  sections_.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto header = take<Elf64_Shdr>(table, i * sizeof(Elf64_Shdr));
    Section& section = sections_.emplace_back();
    if (header.sh_name < strings.size()) {
      const std::string_view rest = std::string_view(strings).substr(header.sh_name, kMaxSectionName);
      section.name = rest.substr(0, rest.find('\0'));
    }
    section.type = header.sh_type;
    section.flags = header.sh_flags;
    section.address = header.sh_addr;
    section.offset = header.sh_offset;
    section.size = header.sh_size;
    section.link = header.sh_link;
  }
}

void ElfFile::find_kind(std::uint16_t type) {
  if (type == ET_EXEC) {
    kind_ = ElfKind::executable;
    return;
  }
  bool named = false, marked = false;
  if (dynamic_) {
    const std::string table = read(dynamic_->offset, dynamic_->file_size, kMaxDynamic);
    for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= table.size(); at += sizeof(Elf64_Dyn)) {
      const auto entry = take<Elf64_Dyn>(table, at);
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag == DT_SONAME) named = true;
      if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE)) marked = true;
    }
  }
  // Linkers before 2016 set no flag; an interpreter alone says little (libc has one), but with no library name it does.
  kind_ = marked || (interpreter_ && !named) ? ElfKind::pie : ElfKind::shared_library;
}

}  // namespace tailcap::capture::symbols

// An ELF file of the target, read without trusting a byte of it: sections, segments and ranges of its contents.
//
// Only what can run here is accepted: 64-bit little-endian of this processor, executable or shared object. The file is
// read with pread, never mapped: a target that shortens its own file must not be able to stop the recorder with SIGBUS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::capture::symbols {

struct Section {
  std::string name;
  std::uint32_t type = 0;  // SHT_…
  std::uint64_t flags = 0;
  std::uint64_t address = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint32_t link = 0;  // index of the section that this one refers to: a symbol table's strings
};

// A range that the loader maps (PT_LOAD).
struct Segment {
  std::uint64_t address = 0;
  std::uint64_t offset = 0;
  std::uint64_t file_size = 0;
  bool executable = false;
  bool writable = false;
};

enum class ElfKind : std::uint8_t { executable, pie, shared_library };

class ElfFile {
 public:
  // Throws std::system_error if the file cannot be read, std::runtime_error if it is not accepted. descriptor: open for
  // reading; this object takes ownership. name: for messages only.
  static ElfFile from_descriptor(int descriptor, std::string name);
  // The same for a file that does not belong to a target.
  static ElfFile open(const std::string& path);
  // The same from memory; name is for messages only.
  static ElfFile from_bytes(std::string bytes, std::string name);

  ElfFile(ElfFile&& other) noexcept;
  ElfFile& operator=(ElfFile&&) = delete;
  ~ElfFile();

  const std::string& path() const { return path_; }
  int descriptor() const { return descriptor_; }  // still this object's; -1: the file is in memory
  ElfKind kind() const { return kind_; }
  // It has no program interpreter, so nothing is linked at its start.
  bool statically_linked() const { return kind_ != ElfKind::shared_library && !interpreter_; }
  const std::vector<Section>& sections() const { return sections_; }
  const std::vector<Segment>& segments() const { return segments_; }
  const Section* section(std::string_view name) const;  // the first of that name, or null

  // The file offset of the bytes [address, address + size) of the loaded image; nothing if they are not wholly in the
  // file part of one segment.
  std::optional<std::uint64_t> file_offset(std::uint64_t address, std::uint64_t size) const;
  bool executable(std::uint64_t address, std::uint64_t size) const;  // the same, and in an executable segment

  // Exactly the requested bytes, or "" if the file does not have them all or they exceed limit.
  std::string read(std::uint64_t offset, std::uint64_t size, std::uint64_t limit) const;
  std::string read_address(std::uint64_t address, std::uint64_t size, std::uint64_t limit) const;
  std::string contents(const Section& section, std::uint64_t limit) const;

 private:
  ElfFile(std::string path, int descriptor, std::string bytes, std::uint64_t size);
  void parse();
  void read_segments(std::uint64_t offset, std::uint64_t count);
  void read_sections(std::uint64_t offset, std::uint64_t count, std::uint64_t names);
  void find_kind(std::uint16_t type);
  [[noreturn]] void refuse(const std::string& why) const;

  std::string path_;
  int descriptor_ = -1;  // -1: bytes_ is the file
  std::string bytes_;
  std::uint64_t size_ = 0;
  ElfKind kind_ = ElfKind::executable;
  bool interpreter_ = false;
  std::optional<Segment> dynamic_;
  std::vector<Section> sections_;
  std::vector<Segment> segments_;
};

}  // namespace tailcap::capture::symbols

// HotSpot, Java's virtual machine, inside a file: its version, and its own table of where its fields lie.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "bpf/event.h"
#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::symbols {

class HotspotProgram {
 public:
  HotspotProgram() = default;
  explicit HotspotProgram(const ElfFile& file);

  bool found() const { return table_ != 0; }
  std::uint32_t version() const { return version_; }  // 17; 0: not known
  // Addresses in the file; 0: not known.
  std::uint64_t table() const { return table_; }
  std::uint64_t heaps() const { return heaps_; }  // CodeCache::_heaps
  // Which entry of the table describes the field; none: no entry does.
  std::optional<std::uint16_t> entry(bpf::hotspot_field field) const { return entries_[field]; }
  // HOTSPOT_FILE_IN_CLASS, HOTSPOT_CODE_BY_OFFSET: what the names of its fields say.
  std::uint16_t ways() const { return ways_; }
  // Sizes of HeapBlock, ConstMethod and ConstantPool; 0: not known.
  std::uint64_t block_bytes() const { return block_bytes_; }
  std::uint64_t fixed_bytes() const { return fixed_bytes_; }
  std::uint64_t pool_bytes() const { return pool_bytes_; }

  void encode(scan::Encoder& out) const;
  static HotspotProgram decode(scan::Decoder& in);

 private:
  void read_fields(const ElfFile& file);
  void read_types(const ElfFile& file, std::uint64_t table);

  std::uint32_t version_ = 0;
  std::uint16_t ways_ = 0;
  std::uint64_t table_ = 0, heaps_ = 0;
  std::uint64_t block_bytes_ = 0, fixed_bytes_ = 0, pool_bytes_ = 0;
  std::array<std::optional<std::uint16_t>, bpf::HOTSPOT_FIELDS> entries_;
};

}  // namespace tailcap::capture::symbols

#include "capture/symbols/scripts/hotspot.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/elf/elf_pointers.h"
#include "capture/symbols/elf/elf_symbols.h"

namespace tailcap::capture::symbols {

namespace {

struct HotspotField {
  bpf::hotspot_field number;
  std::string_view type, field;
};
#define TAILCAP_FIELD(number, type, field) {bpf::number, type, field},
constexpr HotspotField kHotspotFields[] = {TAILCAP_HOTSPOT_FIELDS(TAILCAP_FIELD)};
#undef TAILCAP_FIELD

// Other versions have other fields for the same: those that are looked for where a table lacks the first one.
struct OtherField {
  bpf::hotspot_field number;
  std::string_view type, field;
  std::uint16_t way;
};
constexpr OtherField kOtherFields[] = {
    {bpf::HOTSPOT_LIST_LENGTH, "GenericGrowableArray", "_len", 0},
    {bpf::HOTSPOT_FIXED_FLAGS, "ConstMethod", "_flags._flags", 0},
    {bpf::HOTSPOT_CODE_METHOD, "nmethod", "_method", 0},
    {bpf::HOTSPOT_POOL_FILE, "InstanceKlass", "_source_file_name_index", HOTSPOT_FILE_IN_CLASS},
    {bpf::HOTSPOT_BLOB_CODE, "CodeBlob", "_code_offset", HOTSPOT_CODE_BY_OFFSET},
    {bpf::HOTSPOT_BLOB_END, "CodeBlob", "_data_offset", HOTSPOT_CODE_BY_OFFSET},
};

// Words of an entry: the names of the type and of the field, ..., the address of a static field.
constexpr std::uint64_t kFieldWords = HOTSPOT_ENTRY_BYTES / 8, kFieldAddress = 5;
// Words of an entry about a type: its name, ..., its size.
constexpr std::uint64_t kTypeWords = 5, kTypeSize = 4;
constexpr std::uint64_t kMostHotspotEntries = 4096, kMostHotspotText = 64;  // JDK 17 has 789 fields

std::string hotspot_text(const ElfFile& file, std::uint64_t address) {
  const std::string text = address ? file.read_address(address, kMostHotspotText, kMostHotspotText) : std::string();
  return text.substr(0, text.find('\0'));
}

std::vector<std::uint64_t> hotspot_table(const ElfFile& file, std::uint64_t address, std::uint64_t entry_words) {
  const Section* section = file.section(".data");
  if (!section || address < section->address || address - section->address >= section->size) return {};
  const std::uint64_t left = (section->size - (address - section->address)) / 8;
  return words_at(file, address, std::min(left, kMostHotspotEntries * entry_words));
}

std::uint32_t hotspot_number(const ElfFile& file, std::uint64_t address) {
  std::uint32_t number = 0;
  const std::string bytes = file.read_address(address, sizeof number, sizeof number);
  if (bytes.size() == sizeof number) std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

}  // namespace

HotspotProgram::HotspotProgram(const ElfFile& file) {
  constexpr std::string_view kHotspotVariables[] = {"gHotSpotVMStructs", "gHotSpotVMTypes"};
  const auto addresses = find_variables(file, kHotspotVariables);
  if (addresses[0] == 0 || addresses[1] == 0) return;
  table_ = pointer_at(file, addresses[0]);
  if (!found()) return;
  read_fields(file);
  read_types(file, pointer_at(file, addresses[1]));
}

void HotspotProgram::read_fields(const ElfFile& file) {
  const auto words = hotspot_table(file, table_, kFieldWords);
  std::array<std::optional<std::uint16_t>, std::size(kOtherFields)> others;
  for (std::uint64_t at = 0; at + kFieldWords <= words.size() && words[at] != 0; at += kFieldWords) {
    const std::string type = hotspot_text(file, words[at]), field = hotspot_text(file, words[at + 1]);
    const auto entry = static_cast<std::uint16_t>(at / kFieldWords);
    for (const HotspotField& wanted : kHotspotFields)
      if (wanted.type == type && wanted.field == field) entries_[wanted.number] = entry;
    for (std::size_t i = 0; i < others.size(); ++i)
      if (kOtherFields[i].type == type && kOtherFields[i].field == field) others[i] = entry;
    if (type == "CodeCache" && field == "_heaps") heaps_ = words[at + kFieldAddress];
    if (type == "Abstract_VM_Version" && field == "_vm_major_version")
      version_ = hotspot_number(file, words[at + kFieldAddress]);
  }
  for (std::size_t i = 0; i < others.size(); ++i) {
    auto& entry = entries_[kOtherFields[i].number];
    if (entry || !others[i]) continue;
    entry = others[i];
    ways_ |= kOtherFields[i].way;
  }
}

void HotspotProgram::read_types(const ElfFile& file, std::uint64_t table) {
  const auto words = hotspot_table(file, table, kTypeWords);
  for (std::uint64_t at = 0; at + kTypeWords <= words.size() && words[at] != 0; at += kTypeWords) {
    const std::string type = hotspot_text(file, words[at]);
    if (type == "HeapBlock") block_bytes_ = words[at + kTypeSize];
    if (type == "ConstMethod") fixed_bytes_ = words[at + kTypeSize];
    if (type == "ConstantPool") pool_bytes_ = words[at + kTypeSize];
  }
}

void HotspotProgram::encode(scan::Encoder& out) const {
  out.number(version_);
  out.number(ways_);
  for (const std::uint64_t number : {table_, heaps_, block_bytes_, fixed_bytes_, pool_bytes_}) out.number(number);
  for (const auto& entry : entries_) {
    out.number(entry.has_value());
    out.number(entry.value_or(0));
  }
}

HotspotProgram HotspotProgram::decode(scan::Decoder& in) {
  HotspotProgram program;
  program.version_ = in.number<std::uint32_t>();
  program.ways_ = in.number<std::uint16_t>();
  for (std::uint64_t* number :
       {&program.table_, &program.heaps_, &program.block_bytes_, &program.fixed_bytes_, &program.pool_bytes_})
    *number = in.number<std::uint64_t>();
  for (auto& entry : program.entries_) {
    const bool said = in.truth();
    const auto number = in.number<std::uint16_t>();
    if (said) entry = number;
  }
  return program;
}

}  // namespace tailcap::capture::symbols

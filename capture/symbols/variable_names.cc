#include "capture/symbols/variable_names.h"

#include <elf.h>

#include "capture/symbols/code_names.h"
#include "ground/text.h"

namespace tailcap::capture::symbols {

VariableNames::VariableNames(const ElfFile& file)
    : code_(code_segments(file)), names_(names_of_symbols(file, STT_OBJECT)) {}

std::string VariableNames::behind(std::uint64_t offset, std::uint64_t distance) const {
  const auto begin = address_of(code_, offset);
  if (!begin) return {};
  const std::uint64_t address = *begin + distance;
  const auto* variable = names_.around(address);
  if (!variable) return {};
  std::string name(names_.name(*variable));
  if (address != variable->address) name += "+0x" + ground::hex_text(address - variable->address);
  return name;
}

void VariableNames::encode(scan::Encoder& out) const {
  symbols::encode(out, code_);
  names_.encode(out);
}

VariableNames VariableNames::decode(scan::Decoder& in) {
  VariableNames names;
  names.code_ = decode_code_segments(in);
  names.names_ = FunctionNames::decode(in);
  return names;
}

}  // namespace tailcap::capture::symbols

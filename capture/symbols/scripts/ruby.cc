#include "capture/symbols/scripts/ruby.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/elf/elf_pointers.h"
#include "capture/symbols/elf/elf_symbols.h"
#include "capture/symbols/elf/unwind_table.h"
#include "capture/symbols/instruction.h"

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kFewestRubyLabels = 100;    // Ruby 2.7 and 3.1 have 202
constexpr std::uint64_t kMostRubyWords = 1u << 17;  // words; Ruby has 5,000
constexpr std::uint64_t kMostLookedAt = 256;        // bytes of a function in which a variable is looked for

// The interpreter's function: it has a table of its own labels, one for each instruction of Ruby.
FunctionRange ruby_interpreter(const ElfFile& file) {
  const Section* section = file.section(".data.rel.ro");
  if (!section) return {};
  const auto words = words_at(file, section->address, std::min(section->size / 8, kMostRubyWords));
  const auto ranges = unwind_ranges(file);
  FunctionRange best;
  const FunctionRange* current = nullptr;
  std::uint64_t length = 0, longest = kFewestRubyLabels - 1;
  for (const std::uint64_t word : words) {
    const FunctionRange* range = word ? range_around(ranges, word) : nullptr;
    length = range && range == current ? length + 1 : 1;
    current = range;
    if (!range || length <= longest) continue;
    longest = length;
    best = *range;
  }
  return best;
}

// The variable that a function's first instruction with one of the given codes has beside a register.
std::uint64_t variable_in(const ElfFile& file, Disassembler& disassembler, std::uint64_t address,
                          std::string_view codes, bool follow) {
  const std::string code =
      file.executable(address, kMostLookedAt) ? file.read_address(address, kMostLookedAt, kMostLookedAt) : "";
  for (std::size_t at = 0; at < code.size();) {
    const auto instruction = disassembler.decode(std::string_view(code).substr(at), address + at);
    if (!instruction) return 0;
    const std::string_view bytes = std::string_view(code).substr(at, instruction->length);
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const std::size_t opcode = bytes.size() == 7 && (byte(0) & 0xf0) == 0x40 ? 1 : 0;
    at += instruction->length;
    if (bytes.size() == opcode + 6 && codes.find(bytes[opcode]) != codes.npos && (byte(opcode + 1) & 0xc7) == 5) {
      std::int32_t distance = 0;
      std::memcpy(&distance, bytes.data() + opcode + 2, sizeof distance);
      return address + at + static_cast<std::uint64_t>(std::int64_t{distance});
    }
    if (instruction->flow == Flow::jump)
      return follow ? variable_in(file, disassembler, instruction->target, codes, false) : 0;
    if (instruction->flow == Flow::ret || instruction->flow == Flow::stop) return 0;
  }
  return 0;
}

std::uint64_t variable_of(const ElfFile& file, std::string_view function, std::string_view codes) {
  const std::string_view names[] = {function};
  const auto found = find_functions(file, names);
  if (found.empty()) return 0;
  Disassembler disassembler;
  return variable_in(file, disassembler, found.front().address, codes, true);
}

// ruby_global_symbols: its first word is the number of IDs, with which this function compares.
std::uint64_t ruby_names(const ElfFile& file) { return variable_of(file, "rb_id2str", "\x39\x3b"); }

// ruby_current_vm_ptr, where it has no symbol (3.3): this function begins with reading it.
std::uint64_t ruby_machine(const ElfFile& file) { return variable_of(file, "ruby_vm_at_exit", "\x8b"); }

}  // namespace

RubyProgram::RubyProgram(const ElfFile& file) {
  constexpr std::string_view kRubyVariables[] = {"ruby_api_version", "ruby_version", "ruby_current_vm_ptr"};
  const auto addresses = find_variables(file, kRubyVariables);
  if (addresses[0] == 0 || addresses[1] == 0) return;
  std::uint32_t version[2];
  const std::string bytes = file.read_address(addresses[0], sizeof version, sizeof version);
  if (bytes.size() != sizeof version) return;
  std::memcpy(version, bytes.data(), sizeof version);
  major_ = version[0];
  minor_ = version[1];
  machine_ = addresses[2] ? addresses[2] : ruby_machine(file);
  if (!found() || machine_ == 0) return;
  names_ = ruby_names(file);
  const FunctionRange range = ruby_interpreter(file);
  const auto offset = file.file_offset(range.address, range.size);
  if (range.size == 0 || !offset) return;
  interpreter_ = range.address;
  interpreter_bytes_ = range.size;
  interpreter_offset_ = *offset;
}

void RubyProgram::encode(scan::Encoder& out) const {
  out.number(major_);
  out.number(minor_);
  for (const std::uint64_t number : {machine_, names_, interpreter_, interpreter_bytes_, interpreter_offset_})
    out.number(number);
}

RubyProgram RubyProgram::decode(scan::Decoder& in) {
  RubyProgram program;
  program.major_ = in.number<std::uint32_t>();
  program.minor_ = in.number<std::uint32_t>();
  for (std::uint64_t* number : {&program.machine_, &program.names_, &program.interpreter_, &program.interpreter_bytes_,
                                &program.interpreter_offset_})
    *number = in.number<std::uint64_t>();
  return program;
}

}  // namespace tailcap::capture::symbols

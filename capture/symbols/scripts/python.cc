#include "capture/symbols/scripts/python.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

#include "capture/symbols/elf/elf_symbols.h"

namespace tailcap::capture::symbols {

namespace {

// Which version before 3.11 it is, which has no variable for that: by functions that programs can call since then.
struct Since {
  std::string_view function;
  std::uint32_t version;
};
constexpr Since kSince[] = {
    {"PyCode_NewWithPosOnlyArgs", 0x030800f0}, {"PyFrame_GetCode", 0x030900f0}, {"PyModule_AddObjectRef", 0x030a00f0}};

std::uint32_t version_by_functions(const ElfFile& file) {
  std::string_view names[std::size(kSince)];
  std::transform(std::begin(kSince), std::end(kSince), std::begin(names), [](const Since& s) { return s.function; });
  const auto found = find_functions(file, names);
  const auto has = [&](std::string_view name) {
    return std::any_of(found.begin(), found.end(), [&](const FunctionSymbol& f) { return f.name == name; });
  };
  std::uint32_t version = 0;
  for (const Since& since : kSince) {
    if (!has(since.function)) break;
    version = since.version;
  }
  return version;
}

std::uint32_t version_of(const ElfFile& file) {
  std::uint64_t version = 0;  // an unsigned long
  const std::uint64_t address = find_variable(file, "Py_Version");
  if (address == 0) return version_by_functions(file);
  const std::string bytes = file.read_address(address, sizeof version, sizeof version);
  if (bytes.size() != sizeof version) return 0;
  std::memcpy(&version, bytes.data(), sizeof version);
  return version <= UINT32_MAX ? static_cast<std::uint32_t>(version) : 0;
}

// The words of _Py_DebugOffsets, which other versions than 3.13 arrange differently.
struct Word {
  std::size_t at;
  std::uint64_t PythonOffsets::*field;
};
constexpr std::size_t kWords = 73, kWordOfVersion = 1, kWordOfFreeThreads = 2;
constexpr std::uint32_t kVersionOfWords = 0x030d;
constexpr std::string_view kCookie = "xdebugpy";
constexpr Word kFields[] = {{5, &PythonOffsets::runtime_interpreters}, {8, &PythonOffsets::interpreter_next},
                            {9, &PythonOffsets::interpreter_threads},  {18, &PythonOffsets::interpreter_holder},
                            {21, &PythonOffsets::thread_next},         {23, &PythonOffsets::thread_frame},
                            {24, &PythonOffsets::thread_id},           {29, &PythonOffsets::frame_previous},
                            {30, &PythonOffsets::frame_code},          {31, &PythonOffsets::frame_instruction},
                            {33, &PythonOffsets::frame_owner},         {35, &PythonOffsets::code_file},
                            {37, &PythonOffsets::code_name},           {38, &PythonOffsets::code_lines},
                            {39, &PythonOffsets::code_first_line},     {43, &PythonOffsets::code_begin},
                            {45, &PythonOffsets::object_type},         {68, &PythonOffsets::text_state},
                            {69, &PythonOffsets::text_length},         {70, &PythonOffsets::text_ascii}};

std::optional<PythonOffsets> offsets_of(const ElfFile& file, std::uint64_t runtime, std::uint32_t version) {
  if (version >> 16 != kVersionOfWords) return std::nullopt;
  std::uint64_t words[kWords];
  const std::string bytes = file.read_address(runtime, sizeof words, sizeof words);
  if (bytes.size() != sizeof words || !bytes.starts_with(kCookie)) return std::nullopt;
  std::memcpy(words, bytes.data(), sizeof words);
  if (words[kWordOfVersion] != version || words[kWordOfFreeThreads] != 0) return std::nullopt;
  PythonOffsets offsets;
  for (const Word& word : kFields) offsets.*word.field = words[word.at];
  return offsets;
}

}  // namespace

PythonProgram::PythonProgram(const ElfFile& file) : runtime_(find_variable(file, "_PyRuntime")) {
  if (!found()) return;
  version_ = version_of(file);
  code_type_ = find_variable(file, "PyCode_Type");
  text_type_ = find_variable(file, "PyUnicode_Type");
  offsets_ = offsets_of(file, runtime_, version_);
}

void PythonProgram::encode(scan::Encoder& out) const {
  out.number(version_);
  out.number(runtime_);
  out.number(code_type_);
  out.number(text_type_);
  out.number(offsets_.has_value());
  if (offsets_) {
    for (const Word& word : kFields) out.number((*offsets_).*word.field);
  }
}

PythonProgram PythonProgram::decode(scan::Decoder& in) {
  PythonProgram program;
  program.version_ = in.number<std::uint32_t>();
  program.runtime_ = in.number<std::uint64_t>();
  program.code_type_ = in.number<std::uint64_t>();
  program.text_type_ = in.number<std::uint64_t>();
  if (in.truth()) {
    PythonOffsets& offsets = program.offsets_.emplace();
    for (const Word& word : kFields) offsets.*word.field = in.number<std::uint64_t>();
  }
  return program;
}

}  // namespace tailcap::capture::symbols

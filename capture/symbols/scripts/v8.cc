#include "capture/symbols/scripts/v8.h"

#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/elf/elf_symbols.h"

namespace tailcap::capture::symbols {

namespace {

// The version's two, then in the order of V8Program::Value, with the names that later versions have for them.
constexpr std::string_view kVariables[] = {
    "_ZN2v88internal7Version6major_E",
    "_ZN2v88internal7Version6minor_E",
    "v8dbg_class_Map__instance_type__uint16_t",
    "v8dbg_class_JSFunction__shared__SharedFunctionInfo",
    "v8dbg_class_SharedFunctionInfo__name_or_scope_info__Object",
    "v8dbg_class_SharedFunctionInfo__script_or_debug_info__HeapObject",
    "v8dbg_class_Script__name__Object",
    "v8dbg_class_Script__source__Object",
    "v8dbg_type_JSFunction__JS_FUNCTION_TYPE",
    "v8dbg_type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE",
    "v8dbg_type_ScopeInfo__SCOPE_INFO_TYPE",
    "v8dbg_type_Script__SCRIPT_TYPE",
    "v8dbg_FirstNonstringType",
    "v8dbg_off_fp_function",
    "v8dbg_off_fp_context_or_frame_type",
    "v8dbg_scopeinfo_idx_first_vars",
    "v8dbg_class_String__length__int32_t",
    "v8dbg_class_SeqOneByteString__chars__char",
};
constexpr std::size_t kVersion = 2;
static_assert(std::size(kVariables) == kVersion + V8Program::values);

struct LaterName {
  V8Program::Value value;
  std::string_view name;
};
constexpr LaterName kLaterNames[] = {
    {V8Program::shared_scope, "v8dbg_class_SharedFunctionInfo__name_or_scope_info__Tagged_Object_"},
    {V8Program::shared_scope, "v8dbg_class_SharedFunctionInfo__name_or_scope_info__Tagged_NameOrScopeInfoT_"},
    {V8Program::shared_script, "v8dbg_class_SharedFunctionInfo__script__Tagged_HeapObject_"},
};

std::optional<std::int32_t> number_at(const ElfFile& file, std::uint64_t address) {
  std::int32_t number = 0;
  const std::string bytes = address ? file.read_address(address, sizeof number, sizeof number) : std::string();
  if (bytes.size() != sizeof number) return std::nullopt;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

}  // namespace

V8Program::V8Program(const ElfFile& file) {
  std::vector<std::string_view> names(std::begin(kVariables), std::end(kVariables));
  for (const LaterName& later : kLaterNames) names.push_back(later.name);
  const std::vector<std::uint64_t> addresses = find_variables(file, names);
  major_ = number_at(file, addresses[0]).value_or(0);
  minor_ = number_at(file, addresses[1]).value_or(0);
  if (!found()) return;
  for (std::size_t i = 0; i < values; i++) values_[i] = number_at(file, addresses[kVersion + i]);
  for (std::size_t i = 0; i < std::size(kLaterNames); i++) {
    auto& value = values_[kLaterNames[i].value];
    if (!value) value = number_at(file, addresses[std::size(kVariables) + i]);
  }
}

void V8Program::encode(scan::Encoder& out) const {
  out.number(major_);
  out.number(minor_);
  for (const auto& value : values_) {
    out.number(value.has_value());
    out.number(value.value_or(0));
  }
}

V8Program V8Program::decode(scan::Decoder& in) {
  V8Program program;
  program.major_ = in.number<std::int32_t>();
  program.minor_ = in.number<std::int32_t>();
  for (auto& value : program.values_) {
    const bool said = in.truth();
    const auto number = in.number<std::int32_t>();
    if (said) value = number;
  }
  return program;
}

}  // namespace tailcap::capture::symbols

#include "capture/go/tables.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>

#include "capture/symbols/go/go_binary.h"
#include "capture/symbols/go/go_methods.h"

namespace tailcap::capture::go {

namespace {

constexpr std::size_t kMaxMethods = 65536;  // a service has dozens, in each of a few types

// The numbers of the handlers that may call a method, by the method's name: "Get" of
// "example.org/pb._Cart_Get_Handler". Either name may have a '_' of its own.
using HandlersByMethod = std::map<std::string, std::vector<std::uint16_t>, std::less<>>;

HandlersByMethod handlers_by_method(const Program& program) {
  HandlersByMethod out;
  constexpr std::string_view kEnd = "_Handler";
  for (std::size_t number = 0; number < program.handlers.size(); number++) {
    const HandlerPlace& handler = program.handlers[number];
    if (handler.is != HandlerIs::method || !handler.name.ends_with(kEnd)) continue;
    const std::string_view name = std::string_view(handler.name).substr(0, handler.name.size() - kEnd.size());
    for (auto at = name.find('_'); at != name.npos; at = name.find('_', at + 1))
      out[std::string(name.substr(at + 1))].push_back(static_cast<std::uint16_t>(number));
  }
  return out;
}

}  // namespace

Tables read_tables(const symbols::ElfFile& file, const Program& program) {
  Tables out;
  const symbols::GoFunctions functions(file);
  if (functions.size() == 0) return out;
  out.functions = symbols::FunctionNames(functions);
  const HandlersByMethod handlers = handlers_by_method(program);
  if (handlers.empty()) return out;
  for (const std::uint64_t type : symbols::go_types_with_methods(file)) {
    std::map<std::uint16_t, std::pair<std::size_t, std::uint64_t>>
        fitting;  // by handler: how many, and the last of them
    for (const std::uint64_t offset : symbols::go_methods(file, type)) {
      const auto* function = out.functions.around(functions.text() + offset);
      if (!function || function->address != functions.text() + offset) continue;
      const std::string_view name = out.functions.name(*function);
      const auto dot = name.rfind('.');
      const auto found = dot == name.npos ? handlers.end() : handlers.find(name.substr(dot + 1));
      if (found == handlers.end()) continue;
      for (const std::uint16_t number : found->second) {
        auto& [count, address] = fitting[number];
        count++;
        address = function->address;
      }
    }
    for (const auto& [number, method] : fitting) {
      if (method.first == 1 && out.methods.size() < kMaxMethods) out.methods.push_back({number, type, method.second});
    }
  }
  return out;
}

void Tables::encode(scan::Encoder& out) const {
  functions.encode(out);
  out.number(static_cast<std::uint64_t>(methods.size()));
  for (const Method& method : methods) {
    out.number(method.handler);
    out.number(method.type);
    out.number(method.function);
  }
}

Tables Tables::decode(scan::Decoder& in) {
  Tables out;
  out.functions = symbols::FunctionNames::decode(in);
  for (std::size_t left = in.count(kMaxMethods, 18); left > 0; left--) {
    Method& method = out.methods.emplace_back();
    method.handler = in.number<std::uint16_t>();
    method.type = in.number<std::uint64_t>();
    method.function = in.number<std::uint64_t>();
  }
  return out;
}

}  // namespace tailcap::capture::go

// Functions by their addresses, with names: small enough to keep, and to hand from one process to another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/encoding.h"
#include "capture/symbols/go/go_binary.h"

namespace tailcap::capture::symbols {

class FunctionNames {
 public:
  struct Function {
    std::uint64_t address = 0;
    std::uint32_t size = 0;
    std::uint32_t name = 0;  // where in the names, up to a zero
  };
  static constexpr std::size_t kMaxFunctions = 1u << 20;  // node has 0.15 million
  static constexpr std::size_t kMaxNames = 32u << 20;     // bytes; node has 16 MiB once they are readable

  FunctionNames() = default;
  explicit FunctionNames(const GoFunctions& functions);

  // By address, each address once. What is beyond the limits is left out.
  void add(std::uint64_t address, std::uint32_t size, std::string_view name);
  // The function that an address lies in; null: none is known. nested: of how many that begin before it the first that
  // reaches so far counts.
  const Function* around(std::uint64_t address, int nested = 1) const;
  std::string_view name(const Function& function) const { return names_.c_str() + function.name; }

  bool has(std::string_view name) const;  // looks at all of them
  bool empty() const { return functions_.empty(); }
  std::uint64_t memory() const { return functions_.capacity() * sizeof(Function) + names_.capacity(); }

  void encode(scan::Encoder& out) const;
  static FunctionNames decode(scan::Decoder& in);

 private:
  std::vector<Function> functions_;
  std::string names_;
};

}  // namespace tailcap::capture::symbols

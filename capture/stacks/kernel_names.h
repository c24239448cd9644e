// Which of the kernel's functions an address lies in.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::capture::stacks {

class KernelNames {
 public:
  // text: /proc/kallsyms. Where that hides the addresses, no function has a name.
  explicit KernelNames(std::istream& text);

  std::string_view at(std::uint64_t address) const;  // empty: not known
  std::size_t size() const { return functions_.size(); }

 private:
  struct Function {
    std::uint64_t address = 0;
    std::uint32_t name = 0;  // where in names_, up to a zero
  };
  std::vector<Function> functions_;  // by address, one each
  std::string names_;
};

}  // namespace tailcap::capture::stacks

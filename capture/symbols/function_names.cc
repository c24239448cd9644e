#include "capture/symbols/function_names.h"

#include <algorithm>
#include <cstring>

namespace tailcap::capture::symbols {

FunctionNames::FunctionNames(const GoFunctions& functions) {
  std::vector<std::pair<std::uint64_t, std::size_t>> order;  // the linker's order, where the table is not damaged
  for (std::size_t i = 0; i < std::min(functions.size(), kMaxFunctions); i++) {
    if (const auto function = functions.at(i)) order.emplace_back(function->address, i);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [address, index] : order) {
    const auto function = functions.at(index);
    if (functions_.empty() || functions_.back().address != address)
      add(address, static_cast<std::uint32_t>(std::min<std::uint64_t>(function->size, UINT32_MAX)), function->name);
  }
}

void FunctionNames::add(std::uint64_t address, std::uint32_t size, std::string_view name) {
  if (functions_.size() >= kMaxFunctions || names_.size() + name.size() >= kMaxNames) return;
  functions_.push_back({address, size, static_cast<std::uint32_t>(names_.size())});
  names_.append(name).push_back('\0');
}

const FunctionNames::Function* FunctionNames::around(std::uint64_t address, int nested) const {
  auto next = std::upper_bound(functions_.begin(), functions_.end(), address,
                               [](std::uint64_t a, const Function& f) { return a < f.address; });
  for (int back = 0; back < nested && next != functions_.begin(); ++back) {
    --next;
    if (address - next->address < next->size) return &*next;
  }
  return nullptr;
}

bool FunctionNames::has(std::string_view name) const {
  const std::string text = std::string(name) + '\0';
  for (auto at = names_.find(text); at != names_.npos; at = names_.find(text, at + 1)) {
    if (at == 0 || names_[at - 1] == '\0') return true;
  }
  return false;
}

void FunctionNames::encode(scan::Encoder& out) const {
  out.text({reinterpret_cast<const char*>(functions_.data()), functions_.size() * sizeof(Function)});
  out.text(names_);
}

FunctionNames FunctionNames::decode(scan::Decoder& in) {
  static_assert(sizeof(Function) == 16);  // no padding: what is sent is what was written
  FunctionNames out;
  const std::string_view functions = in.text(kMaxFunctions * sizeof(Function)), names = in.text(kMaxNames);
  const std::size_t count = functions.size() / sizeof(Function);
  out.functions_.resize(count);
  if (count) std::memcpy(out.functions_.data(), functions.data(), count * sizeof(Function));
  out.names_ = names;
  const auto valid = [&](const Function& f) { return f.name < names.size(); };
  const auto before = [](const Function& a, const Function& b) { return a.address < b.address; };
  if (functions.size() % sizeof(Function) != 0 || (!names.empty() && names.back() != '\0') ||
      !std::all_of(out.functions_.begin(), out.functions_.end(), valid) ||
      !std::is_sorted(out.functions_.begin(), out.functions_.end(), before)) {
    in.fail();
    return {};
  }
  return out;
}

}  // namespace tailcap::capture::symbols

#include "capture/allocations/malloc_functions.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string_view>

#include "bpf/event.h"
#include "capture/symbols/elf/elf_symbols.h"
#include "capture/symbols/function_probes.h"

namespace tailcap::capture {

namespace {

struct Known {
  std::string_view name;
  bpf::malloc_act act;
  int arguments;
};

constexpr std::array kCFunctions = {
    Known{"malloc", bpf::MALLOC_SIZE, 1},           Known{"realloc", bpf::MALLOC_MOVES, 2},
    Known{"aligned_alloc", bpf::MALLOC_ALIGNED, 2}, Known{"calloc", bpf::MALLOC_PRODUCT, 2},
    Known{"memalign", bpf::MALLOC_ALIGNED, 2},      Known{"posix_memalign", bpf::MALLOC_ALIGNED_TO, 3},
    Known{"valloc", bpf::MALLOC_SIZE, 1},           Known{"pvalloc", bpf::MALLOC_SIZE, 1},
};
// musl's others call the first three.
constexpr std::size_t kOfMusl = 3;
// operator new, of libraries that do not call malloc there, as libstdc++ does.
constexpr std::array kNew = {
    Known{"_Znwm", bpf::MALLOC_SIZE, 1},
    Known{"_Znam", bpf::MALLOC_SIZE, 1},
    Known{"_ZnwmRKSt9nothrow_t", bpf::MALLOC_SIZE, 1},
    Known{"_ZnamRKSt9nothrow_t", bpf::MALLOC_SIZE, 1},
    Known{"_ZnwmSt11align_val_t", bpf::MALLOC_SIZE, 1},
    Known{"_ZnamSt11align_val_t", bpf::MALLOC_SIZE, 1},
    Known{"_ZnwmSt11align_val_tRKSt9nothrow_t", bpf::MALLOC_SIZE, 1},
    Known{"_ZnamSt11align_val_tRKSt9nothrow_t", bpf::MALLOC_SIZE, 1},
};

constexpr std::array<std::string_view, 3> kOwnNew = {"libjemalloc", "libtcmalloc", "libmimalloc"};
constexpr std::array<std::string_view, 4> kLibrariesOfC = {"libc.so", "libc-2.", "ld-musl-", "libc.musl-"};

template <std::size_t N>
bool begins_with_one(const std::string& name, const std::array<std::string_view, N>& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](auto beginning) { return name.starts_with(beginning); });
}

enum class Allocator : std::uint8_t {
  glibc,  // where malloc would do, other functions call it
  musl,
  other
};

bool defines(const std::vector<symbols::FunctionSymbol>& found, std::string_view name) {
  return std::any_of(found.begin(), found.end(), [&](const auto& f) { return f.name == name; });
}

// Other allocators define glibc's own name of malloc, too, to take its place in a program.
Allocator allocator_of(const std::vector<symbols::FunctionSymbol>& found, const std::string& file_name) {
  const auto has = [&](std::string_view name) { return defines(found, name); };
  if (has("__libc_malloc_impl")) return Allocator::musl;
  const bool others = has("mallctl") || has("tc_malloc") || has("mi_malloc");
  if (has("__libc_malloc") && !others) return Allocator::glibc;
  return begins_with_one(file_name, kLibrariesOfC) ? Allocator::musl : Allocator::other;
}

PlannedFunction plan_one(const symbols::ProbePlacer& placer, const symbols::FunctionSymbol& symbol, const Known& known,
                         std::uint64_t flags) {
  PlannedFunction out{symbol.name, {}, {}};
  const auto entry =
      placer.place({symbol.address, symbol.size}, {symbols::CallConvention::system_v, known.arguments, 0}).entry;
  if (!entry.place)
    out.reason = entry.reason;
  else if (entry.skip_when_taken || entry.may_repeat)
    out.reason = "the only place is passed twice by some calls";
  else if (entry.place->shared)
    out.reason = "the only place belongs to other functions, too";
  else if (entry.place->price != symbols::Price::emulated)
    out.reason = "it offers no cheap place";
  if (!out.reason.empty()) return out;
  out.places.push_back(planned(placer, *entry.place, symbol.address, FunctionProgram::malloc_call,
                               static_cast<std::uint64_t>(known.act) | flags));
  return out;
}

// A count without these would be taken for a count of all.
void need_most(std::vector<PlannedFunction>& functions) {
  static constexpr std::array<std::string_view, 3> kMost = {"malloc", "calloc", "realloc"};
  std::string lacking;
  for (const auto& function : functions)
    if (function.places.empty() && std::find(kMost.begin(), kMost.end(), function.name) != kMost.end())
      lacking += (lacking.empty() ? "" : "; ") + function.name + ": " + function.reason;
  if (lacking.empty()) return;
  for (auto& function : functions) function = {function.name, {}, "allocations are not counted: " + lacking};
}

}  // namespace

bool is_malloc_library(const std::string& file_name) {
  return begins_with_one(file_name, kLibrariesOfC) || begins_with_one(file_name, kOwnNew);
}

std::vector<PlannedFunction> plan_mallocs(const symbols::ElfFile& file, const std::string& file_name) {
  std::vector<Known> known(kCFunctions.begin(), kCFunctions.end());
  if (begins_with_one(file_name, kOwnNew)) known.insert(known.end(), kNew.begin(), kNew.end());
  std::vector<std::string_view> names = {"__libc_malloc", "__libc_malloc_impl", "mallctl", "tc_malloc", "mi_malloc"};
  for (const Known& one : known) names.push_back(one.name);
  const auto found = symbols::find_functions(file, names);
  std::vector<PlannedFunction> out;
  if (!defines(found, "malloc")) return out;
  const Allocator allocator = allocator_of(found, file_name);
  if (allocator == Allocator::musl) known.resize(kOfMusl);
  const symbols::ProbePlacer placer(file);
  std::set<std::uint64_t> planned;  // several names of one function
  for (const Known& one : known)
    for (const auto& symbol : found)
      if (symbol.name == one.name && planned.insert(symbol.address).second)
        out.push_back(plan_one(placer, symbol, one, allocator == Allocator::glibc ? MALLOC_RELAYS : 0));
  need_most(out);
  return out;
}

}  // namespace tailcap::capture

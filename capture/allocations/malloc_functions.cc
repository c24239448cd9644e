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
constexpr std::array<std::string_view, 2> kMusl = {"ld-musl-", "libc.musl-"};

template <std::size_t N>
bool begins_with_one(const std::string& name, const std::array<std::string_view, N>& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](auto beginning) { return name.starts_with(beginning); });
}

// Those of the file that stand for an allocation each.
std::vector<Known> functions_of(const std::string& file_name) {
  std::vector<Known> known(kCFunctions.begin(), kCFunctions.end());
  if (begins_with_one(file_name, kMusl)) known.resize(kOfMusl);
  if (begins_with_one(file_name, kOwnNew)) known.insert(known.end(), kNew.begin(), kNew.end());
  return known;
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
  const std::uint64_t cookie = static_cast<std::uint64_t>(known.act) | flags | OTHERS_COOKIE(OTHERS_FILES_MAX - 1);
  out.places.push_back(planned(placer, *entry.place, symbol.address, FunctionProgram::malloc_call, cookie));
  return out;
}

}  // namespace

bool is_malloc_library(const std::string& file_name) {
  return file_name.starts_with("libc.so") || file_name.starts_with("libc-2.") || begins_with_one(file_name, kMusl) ||
         begins_with_one(file_name, kOwnNew);
}

std::vector<PlannedFunction> plan_mallocs(const symbols::ElfFile& file, const std::string& file_name) {
  static constexpr std::string_view kOfGlibc = "__libc_malloc";  // it relays to malloc
  const std::vector<Known> known = functions_of(file_name);
  std::vector<std::string_view> names = {kOfGlibc};
  for (const Known& one : known) names.push_back(one.name);
  const auto found = symbols::find_functions(file, names);
  const auto has = [&](std::string_view name) {
    return std::any_of(found.begin(), found.end(), [&](const auto& f) { return f.name == name; });
  };
  std::vector<PlannedFunction> out;
  if (!has("malloc")) return out;
  const symbols::ProbePlacer placer(file);
  std::set<std::uint64_t> planned;  // several names of one function
  for (const Known& one : known)
    for (const auto& symbol : found)
      if (symbol.name == one.name && planned.insert(symbol.address).second)
        out.push_back(plan_one(placer, symbol, one, has(kOfGlibc) ? MALLOC_RELAYS : 0));
  return out;
}

}  // namespace tailcap::capture

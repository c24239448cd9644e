#include "capture/go/allocations.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <string>
#include <string_view>

#include "capture/go/known_functions.h"
#include "capture/symbols/go/go_binary.h"

namespace tailcap::capture::go {

using symbols::CallConvention;
using symbols::GoFunction;

void plan_allocations(const symbols::ElfFile& elf, std::uint16_t file, Program& program) {
  static constexpr std::string_view kAllocates[] = {"runtime.mallocgc"};
  const auto lack = [&](const std::string& why) {
    program.unsupported += (program.unsupported.empty() ? "" : "; ") + ("allocations: " + why);
  };
  if (program.layout.number == 0) return lack("its goroutines are not known");
  const symbols::GoFunctions functions(elf);
  const auto found = functions.find(kAllocates);
  const GoFunction* begins = nullptr;
  for (const GoFunction& candidate : found) {
    if (!begins || candidate.size > begins->size) begins = &candidate;
  }
  if (!begins) return lack("this version of Go has no runtime.mallocgc");
  const symbols::ProbePlacer placer(elf);
  const auto entry = placer.place({begins->address, begins->size}, {CallConvention::go_registers, 1, 0}).entry;
  if (!entry.place || (entry.skip_when_taken && entry.condition != kBelowOrEqual))
    return lack("runtime.mallocgc offers no place");
  if (entry.place->price != symbols::Price::emulated) return lack("runtime.mallocgc offers no cheap place");
  const auto depth = entry.place->stack_depth;
  if (!depth || *depth < 0 || *depth > 4096) return lack("where runtime.mallocgc returns to is not known");
  const std::uint64_t cookie = GO_COOKIE(bpf::GO_ALLOCATES, file, static_cast<std::uint64_t>(*depth)) |
                               (entry.skip_when_taken ? GO_SKIP_BELOW_OR_EQUAL : 0);
  PlannedFunction function{begins->name, {}, {}};
  function.places.push_back(planned(placer, *entry.place, begins->address, FunctionProgram::allocation, cookie));
  program.functions.push_back(std::move(function));
}

const std::vector<Allocations::Change>& Allocations::read() {
  changes_.clear();
  if (map_ < 0) return changes_;
  values_.resize(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  std::uint32_t pid = 0;
  for (int error = bpf_map_get_next_key(map_, nullptr, &pid); error == 0;
       error = bpf_map_get_next_key(map_, &pid, &pid)) {
    if (bpf_map_lookup_elem(map_, &pid, values_.data()) != 0) continue;
    const auto [known, fresh] = known_.try_emplace(pid);
    if (fresh) changes_.push_back({pid, 0, 0, 0});
    for (std::size_t i = 0; i < ALLOCATION_CLASSES; i++) {
      std::uint64_t count = 0, bytes = 0;
      for (const auto& value : values_) {
        count += value.count[i];
        bytes += value.bytes[i];
      }
      const std::uint64_t least = i == 0 ? 0 : std::uint64_t{1} << (i - 1);
      if (count > known->second.count[i])
        changes_.push_back({pid, least, count - known->second.count[i], bytes - known->second.bytes[i]});
      known->second.count[i] = count;
      known->second.bytes[i] = bytes;
    }
  }
  return changes_;
}

void Allocations::keep(const std::unordered_set<std::uint32_t>& processes) {
  for (auto known = known_.begin(); known != known_.end();) {
    if (processes.contains(known->first)) {
      ++known;
      continue;
    }
    bpf_map_delete_elem(map_, &known->first);
    known = known_.erase(known);
  }
}

}  // namespace tailcap::capture::go

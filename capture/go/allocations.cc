#include "capture/go/allocations.h"

#include <string>
#include <string_view>

#include "bpf/event.h"
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

}  // namespace tailcap::capture::go

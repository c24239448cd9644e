#include "capture/symbols/plan.h"

#include <cstdio>

namespace tailcap::capture {

std::string text_of(const symbols::Place& place, std::uint64_t function) {
  char offset[32];
  const auto distance = static_cast<std::int64_t>(place.address - function);
  std::snprintf(offset, sizeof offset, "%c0x%llx", distance < 0 ? '-' : '+',
                static_cast<unsigned long long>(distance < 0 ? -distance : distance));
  // The mnemonic: where a jump leads is of no interest.
  return place.instruction.substr(0, place.instruction.find(' ')) + " " + offset +
         (place.price == symbols::Price::emulated ? ": emulated" : ": single-stepped");
}

PlannedPlace planned(const symbols::ProbePlacer& placer, const symbols::Place& place, std::uint64_t function,
                     FunctionProgram program, std::uint64_t cookie) {
  return {{program, placer.file_offset(place), cookie, placer.code_at(place)},
          text_of(place, function),
          place.price == symbols::Price::emulated ? kEmulatedPrice : kSingleStepPrice};
}

}  // namespace tailcap::capture

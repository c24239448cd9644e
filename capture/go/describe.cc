#include "capture/go/describe.h"

#include <map>

namespace tailcap::capture::go {

ProgramDescription describe_program(const Program& program) {
  ProgramDescription out;
  out.unsupported = program.unsupported;
  out.text = program.version.empty() ? "a Go program of unknown version" : program.version;
  if (program.layout.number) out.text += ", goroutines by " + program.layout.from;
  std::map<std::uint32_t, std::size_t> prices;
  std::size_t handlers = 0;
  for (const auto& function : program.functions) {
    for (const auto& place : function.places) prices[place.price]++;
  }
  for (const auto& handler : program.handlers) handlers += !handler.name.empty();
  if (handlers) out.text += ", " + std::to_string(handlers) + " handlers";
  std::string costs;
  for (const auto& [price, places] : prices) {
    const std::string micros = std::to_string(price / 1000) + "." + std::to_string(price % 1000 / 100);
    costs += (costs.empty() ? "; " : ", ") + std::to_string(places) + (places == 1 ? " place" : " places") + " at " +
             micros + " µs a hit";
  }
  out.text += costs;
  return out;
}

}  // namespace tailcap::capture::go

// A hostile file of the target: ELF with its symbols, versions, imports and exception tables, Go's tables, and the
// places chosen in whatever is found there. First byte 0: code for the chooser follows; else a file.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "capture/go/program.h"
#include "capture/symbols/function_probes.h"
#include "capture/symbols/go/go_binary.h"

namespace {

using namespace tailcap::capture::symbols;

constexpr std::uint64_t kAddress = 0x1000;
constexpr Signature kSignatures[] = {{CallConvention::system_v, 4, 1}, {CallConvention::go_registers, 4, 3}};

void check(bool holds) {
  if (!holds) std::abort();
}

void check_places(const FunctionProbes& probes) {
  check(!probes.entry.reason.empty() && !probes.results.reason.empty());
  for (std::size_t i = 1; i < probes.results.places.size(); ++i)
    check(probes.results.places[i - 1].address < probes.results.places[i].address);
}

void choose(std::string code) {
  const std::uint64_t size = code.size();
  const FunctionGraph graph(FunctionCode{{{kAddress, std::move(code)}}, {kAddress + 3}});
  for (const Signature& signature : kSignatures) {
    const FunctionProbes probes{choose_entry(graph, signature), choose_results(graph, signature)};
    check_places(probes);
    if (probes.entry.place) check(probes.entry.place->address - kAddress < size);
    for (const Place& place : probes.results.places) check(place.address - kAddress < size);
  }
}

void read_file(std::string bytes) {
  const ElfFile file = ElfFile::from_bytes(std::move(bytes), "fuzz");
  const ProbePlacer placer(file);
  static constexpr std::string_view kNames[] = {"SSL_read", "SSL_write", "main", "crypto/tls.(*Conn).Read",
                                                "main.main"};
  constexpr std::size_t kPlaced = 8;  // enough for each input
  std::size_t placed = 0;
  const auto place = [&](std::uint64_t address, std::uint64_t size, const Signature& signature) {
    if (++placed > kPlaced) return;
    const FunctionProbes probes = placer.place({address, size}, signature);
    check_places(probes);
    if (probes.entry.place) placer.file_offset(*probes.entry.place);
    for (const Place& result : probes.results.places) placer.file_offset(result);
    for (const std::uint64_t exit : probes.results.exits) placer.import_at(exit);
  };
  for (const FunctionSymbol& f : find_functions(file, kNames)) place(f.address, f.size, kSignatures[0]);
  for (const FunctionRange& range : unwind_ranges(file)) place(range.address, 0, kSignatures[0]);
  openssl_inside(file);
  if (const auto build = go_build(file)) check(!build->version.empty());
  const GoFunctions functions(file);
  check(functions.problem().empty() == (functions.size() > 0));
  for (std::size_t i = 0; i < std::min<std::size_t>(functions.size(), 64); ++i) {
    if (const auto f = functions.at(i)) place(f->address, f->size, kSignatures[1]);
  }
  functions.find(kNames);
  if (functions.size() > 0) {
    const auto first = functions.at(0);
    if (first) functions.around(first->address);
    const auto program = tailcap::capture::go::plan_program(file, 1, true);
    check(program.layout.number != 0 || !program.unsupported.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 0) {
    choose(std::move(rest));
    return 0;
  }
  try {
    read_file(std::move(rest));
  } catch (const std::runtime_error&) {
  }
  return 0;
}

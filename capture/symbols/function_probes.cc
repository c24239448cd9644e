#include "capture/symbols/function_probes.h"

#include <algorithm>
#include <cassert>

#include "capture/host/shadow_stack_support.h"

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kMaxFunction = 1u << 20;  // bytes; the largest in OpenSSL has 20 KiB
constexpr std::uint64_t kUnknownSize = 256;       // enough for a prologue
constexpr std::size_t kMaxParts = 8;              // outlying parts and functions at the ends of tail calls

}  // namespace

ProbePlacer::ProbePlacer(const ElfFile& file)
    : file_(file),
      never_return_(functions_that_never_return(file)),
      unwind_(unwind_ranges(file)),
      imports_(import_stubs(file)),
      calls_(kernel_has_shadow_stacks() ? Calls::last : Calls::equal) {}

FunctionCode ProbePlacer::code_of(const FunctionRange& function) const {
  FunctionCode code;
  code.never_return = never_return_;
  code.parts.push_back({function.address, file_.read_address(function.address, function.size, kMaxFunction)});
  return code;
}

bool ProbePlacer::add_part(FunctionCode& code, std::uint64_t exit) const {
  const FunctionRange* range = range_around(unwind_, exit);
  // The linkage table is one range with stubs of many functions in it.
  if (!range || code.parts.size() >= kMaxParts || !import_at(exit).empty()) return false;
  for (const CodePart& part : code.parts) {
    const bool apart =
        range->address + range->size <= part.address || part.address + part.bytes.size() <= range->address;
    if (!apart) return false;
  }
  std::string bytes = file_.read_address(range->address, range->size, kMaxFunction);
  if (bytes.empty()) return false;
  code.parts.push_back({range->address, std::move(bytes)});
  return true;
}

FunctionProbes ProbePlacer::place(const FunctionRange& function, const Signature& signature) const {
  FunctionProbes probes;
  FunctionRange whole = function;
  if (whole.size == 0) {
    const FunctionRange* range = range_around(unwind_, function.address);
    if (range && range->address == function.address) whole.size = range->size;
  }
  if (whole.size == 0) {
    FunctionRange start{function.address, kUnknownSize};
    while (start.size > 1 && !file_.executable(start.address, start.size)) start.size /= 2;
    FunctionGraph graph(code_of(start));
    probes.entry = choose_entry(graph, signature, calls_);
    probes.entry.may_repeat |= probes.entry.place.has_value() && !graph.whole();
    probes.results.reason = "the file does not say where the function ends";
    return probes;
  }
  FunctionCode code = code_of(whole);
  FunctionGraph graph(code);
  for (bool grown = true; grown;) {
    grown = false;
    for (const std::uint64_t exit : graph.exits()) grown |= add_part(code, exit);
    if (grown) graph = FunctionGraph(code);
  }
  probes.entry = choose_entry(graph, signature, calls_);
  if (signature.results > 0) {
    probes.results = choose_results(graph, signature, calls_);
  } else {
    probes.results.reason = "no result asked for";
  }
  return probes;
}

std::uint64_t ProbePlacer::file_offset(const Place& chosen) const {
  const auto offset = file_.file_offset(chosen.address, 1);
  assert(offset);  // its instruction was read from there
  return *offset;
}

std::string ProbePlacer::code_at(const Place& chosen) const {
  constexpr std::uint64_t kLongest = 15;  // of an instruction
  for (std::uint64_t size = kLongest; size > 0; size--) {
    if (file_.executable(chosen.address, size)) return file_.read_address(chosen.address, size, kLongest);
  }
  return {};
}

std::string ProbePlacer::import_at(std::uint64_t address) const {
  const auto stub = std::lower_bound(imports_.begin(), imports_.end(), address,
                                     [](const ImportStub& s, std::uint64_t wanted) { return s.address < wanted; });
  return stub != imports_.end() && stub->address == address ? stub->name : std::string();
}

}  // namespace tailcap::capture::symbols

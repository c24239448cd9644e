// Where in a function a uprobe sits, so that it costs little and sees what is needed. Pure: bytes in, places out.
//
// The kernel emulates some instructions (a hit costs about half a microsecond) and single-steps the others, which is an
// intercepted exception on virtual machines (about ten). So the place is never just the first byte or the return: it is
// an emulated instruction at which the arguments are still, or the result is already, in their registers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/symbols/function_graph.h"

namespace tailcap::capture::symbols {

enum class CallConvention : std::uint8_t {
  system_v,     // C: arguments in rdi rsi rdx rcx r8 r9; results in rax rdx
  go_registers  // Go from 1.17 on: both in rax rbx rcx rdi rsi r8 r9 r10 r11
};

// How many registers of each kind the probe reads. At most 6 and 2 (C), 9 and 9 (Go).
struct Signature {
  CallConvention convention = CallConvention::system_v;
  int arguments = 0;
  int results = 0;
};

enum class Price : std::uint8_t { emulated, single_stepped };

struct Place {
  std::uint64_t address = 0;
  Price price = Price::single_stepped;
  std::string instruction;  // for people
  // Stack pointer at the function's first instruction, less the one here; nothing where it could not be followed. With
  // it an entry and a return of one call on one thread can be told by their equal values.
  std::optional<std::int64_t> stack_depth;
  // Other functions run through here too: a hit counts only if it belongs to an entry that was seen.
  bool shared = false;

  bool operator==(const Place&) const = default;
};

struct EntryChoice {
  std::optional<Place> place;
  // The place is a branch back to the entry (Go's stack check): a hit at which `condition` (the hardware's code) holds
  // is not counted, for the same call comes by once more.
  bool skip_when_taken = false;
  std::uint8_t condition = 0;
  bool may_repeat = false;  // one call might come by several times; it cannot be excluded
  std::string reason;       // why here, or why nowhere
};

struct ResultChoice {
  // Every return that was found passes exactly one of these, with the results in their registers. Empty: none.
  std::vector<Place> places;
  bool complete = false;             // no call returns without passing one (exceptions, panics and longjmp may skip it)
  std::vector<std::uint64_t> exits;  // where else it goes: tail calls, parts that were not given
  std::string reason;

  Price price() const;  // of the dearest place
};

// Whether a call instruction is as good a place as any other. last: only at an entry, and only where there is no other
// place, because a probe on a call can end a process that has a user shadow stack.
enum class Calls : std::uint8_t { last, equal };

EntryChoice choose_entry(const FunctionGraph& graph, const Signature& signature, Calls calls = Calls::last);
ResultChoice choose_results(const FunctionGraph& graph, const Signature& signature, Calls calls = Calls::last);

// The argument registers of a convention, by hardware number, first argument first.
std::vector<int> argument_registers(CallConvention convention);
std::vector<int> result_registers(CallConvention convention);

}  // namespace tailcap::capture::symbols

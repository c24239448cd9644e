// Chooses the place of a uprobe in a function, so that it costs little and sees what is needed. Pure: the input is
// bytes, the output places.
//
// The kernel emulates some instructions (a hit costs about half a microsecond) and single-steps the others; on virtual
// machines each step is an intercepted exception (about ten). Therefore a place is not simply the first byte or the
// return: it is an emulated instruction at which the arguments are still, or the result is already, in registers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/symbols/function_graph.h"

namespace tailcap::capture::symbols {

enum class CallConvention : std::uint8_t {
  system_v,     // C: arguments in rdi rsi rdx rcx r8 r9; results in rax rdx
  go_registers  // Go from 1.17 on: both in rax rbx rcx rdi rsi r8 r9 r10 r11, or x0 to x15
};

// How many registers of each kind the probe reads. At most 6 and 2 (C), 9 and 9 (Go; 16 and 9 on arm64).
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
  // it the entry and the return of one call on one thread are matched: their values are equal.
  std::optional<std::int64_t> stack_depth;
  // Other functions also execute this place: a hit counts only if it belongs to an entry that was seen.
  bool shared = false;

  bool operator==(const Place&) const = default;
};

struct EntryChoice {
  std::optional<Place> place;
  // The place is a branch back to the entry (Go's stack check): a hit at which `condition` (the hardware's code) holds
  // is not counted, because the same call hits it again.
  bool skip_when_taken = false;
  std::uint8_t condition = 0;
  bool may_repeat = false;  // one call might hit it several times
  std::string reason;       // why this place, or why none
};

struct ResultChoice {
  // Every return that was found passes exactly one of these, with the results in their registers. Empty: none.
  std::vector<Place> places;
  bool complete = false;             // no call returns without passing one (exceptions, panics and longjmp may skip it)
  std::vector<std::uint64_t> exits;  // other ends: tail calls, parts that were not given
  std::string reason;

  Price price() const;  // of the most expensive place
};

// Whether a call instruction is as good a place as any other. last: only at an entry without another place, because a
// probe on a call can end a process that has a user shadow stack.
enum class Calls : std::uint8_t { last, equal };

EntryChoice choose_entry(const FunctionGraph& graph, const Signature& signature, Calls calls = Calls::last);
ResultChoice choose_results(const FunctionGraph& graph, const Signature& signature, Calls calls = Calls::last);

// The argument registers of a convention, by hardware number, first argument first.
std::vector<int> argument_registers(CallConvention convention);
std::vector<int> result_registers(CallConvention convention);

}  // namespace tailcap::capture::symbols

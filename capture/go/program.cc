#include "capture/go/program.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "bpf/event.h"
#include "capture/go/allocations.h"
#include "capture/go/channels.h"
#include "capture/go/handlers.h"
#include "capture/go/known_functions.h"
#include "capture/symbols/elf/elf_symbols.h"
#include "capture/symbols/function_graph.h"
#include "capture/symbols/go/go_strings.h"
#include "formats/event.h"

namespace tailcap::capture::go {

using namespace bpf;
using symbols::CallConvention;
using symbols::ElfFile;
using symbols::GoFunction;
using symbols::GoFunctions;
using symbols::Place;

namespace {

constexpr std::size_t kMaxHandlerPlaces = 65535;

const char* word(GoPart part) {
  switch (part) {
    case GoPart::goroutines:
      return "goroutines";
    case GoPart::creation:
      return "creation of goroutines";
    case GoPart::runtime:
      return "garbage collection";
    case GoPart::states:
      return "states of goroutines";
    case GoPart::handlers:
      return "handlers";
    case GoPart::calls:
      return "callers of its HTTP client";
    case GoPart::ends:
      return "ends of goroutines";
    case GoPart::panics:
      return "panics";
  }
  return "?";
}

std::string version_of(const ElfFile& elf, const GoFunctions& functions) {
  if (const auto build = symbols::go_build(elf)) return build->version;
  static constexpr std::string_view kStart[] = {"runtime.schedinit"};
  for (const GoFunction& function : functions.find(kStart)) {
    auto version = symbols::go_version_from_code(elf, elf.read_address(function.address, function.size, kMaxCode),
                                                 function.address);
    if (!version.empty()) return version;
  }
  return {};
}

// Why the runtime stops the world, by its own numbers: the same in every release from 1.21 to 1.26. Programs that do
// not use the texts do not contain them.
std::vector<std::string> known_stop_reasons(std::string_view release) {
  static constexpr std::array<std::string_view, 6> kReleases = {"1.21", "1.22", "1.23", "1.24", "1.25", "1.26"};
  if (std::find(kReleases.begin(), kReleases.end(), release) == kReleases.end()) return {};
  return {"unknown",
          "GC mark termination",
          "GC sweep termination",
          "write heap dump",
          "goroutine profile",
          "goroutine profile cleanup",
          "all goroutines stack trace",
          "read mem stats",
          "AllThreadsSyscall",
          "GOMAXPROCS",
          "start trace",
          "stop trace"};
}

class Planner {
 public:
  Planner(const ElfFile& elf, std::uint16_t file, Program& program)
      : elf_(elf), functions_(elf), placer_(elf), file_(file), program_(program) {}

  void run(bool states) {
    program_.version = version_of(elf_, functions_);
    if (const auto build = symbols::go_build(elf_)) program_.build = build->lines;
    static constexpr std::string_view kVariables[] = {"runtime.gomaxprocs", "runtime.sched", "runtime.gcController"};
    const auto variables = symbols::find_variables(elf_, kVariables);
    program_.processors = from_first_byte(variables[0]);
    program_.heap = find_heap(elf_, program_.version, from_first_byte(variables[2]));
    if (functions_.size() == 0) {
      program_.unsupported = functions_.problem();
      return;
    }
    static constexpr std::string_view kStops[] = {"unknown", "GC mark termination", "GC sweep termination"};
    // A program that the loader moves has no address that holds for all of its processes.
    const bool moves = elf_.kind() != symbols::ElfKind::executable;
    program_.layout = find_layout(elf_, functions_, program_.version, moves ? 0 : variables[1]);
    program_.stop_reasons = symbols::go_string_array(elf_, kStops);
    if (program_.stop_reasons.empty()) program_.stop_reasons = known_stop_reasons(release_of(program_.version));
    const bool goroutines = program_.layout.number != 0;
    if (goroutines)
      have(GoPart::goroutines);
    else
      lack(GoPart::goroutines, program_.layout.problem);
    find_known();
    if (goroutines) {
      plan_creation();
      plan_ends();
    }
    plan_runtime();
    plan_handlers();
    plan_panics();
    if (goroutines) plan_calls();
    if (states && goroutines) plan_states();
    if (states && goroutines) plan_channels();
  }

 private:
  // In a program that the loader moves. Go's linker lays it out from 0x400000 on, others from 0 on.
  std::uint64_t from_first_byte(std::uint64_t address) const {
    if (elf_.kind() == symbols::ElfKind::executable) return address;
    const auto first = std::ranges::find(elf_.segments(), 0u, &symbols::Segment::offset);
    return first == elf_.segments().end() || address < first->address ? 0 : address - first->address;
  }
  void have(GoPart part) { program_.parts |= static_cast<std::uint8_t>(part); }
  void lack(GoPart part, const std::string& why) {
    program_.unsupported += (program_.unsupported.empty() ? "" : "; ") + std::string(word(part)) + ": " + why;
  }

  // All at once: a large program has a hundred thousand names.
  void find_known() {
    std::vector<std::string_view> names = {"runtime.newproc.func1", "runtime.runqput"};
    for (const Known& known : kAlways) names.push_back(known.name);
    for (const Known& known : kStates) names.push_back(known.name);
    for (const Known& known : kCalls) names.push_back(known.name);
    for (const std::string_view name : {kGrpcCall, kGrpcQueue, kGrpcWrites.name}) names.push_back(name);
    names.insert(names.end(), kChannelFunctions.begin(), kChannelFunctions.end());
    for (const Known& known : kEnded) names.push_back(known.name);
    for (const Known& known : kPanics) names.push_back(known.name);
    for (const Known& known : {kYields, kPreempted, kEither}) names.push_back(known.name);
    for (const auto& end : kEnds) names.push_back(end.first);
    found_ = functions_.find(names);
  }

  // If a function and the linker's bridge to it have the same name, the function is larger.
  const GoFunction* function(std::string_view name) const {
    const GoFunction* best = nullptr;
    for (const GoFunction& candidate : found_) {
      if (candidate.name == name && (!best || candidate.size > best->size)) best = &candidate;
    }
    return best;
  }

  PlannedFunction& planned_function(const std::string& name) {
    for (auto& planned : program_.functions) {
      if (planned.name == name) return planned;
    }
    return program_.functions.emplace_back(PlannedFunction{name, {}, {}});
  }

  void add(const GoFunction& function, const Place& place, std::uint64_t cookie) {
    planned_function(function.name)
        .places.push_back(planned(placer_, place, function.address, FunctionProgram::runtime, cookie));
  }

  // Nothing if it cannot be placed; the reason is then in the plan. at_call: added to the cookie if the stack pointer
  // at the place is still as the call left it.
  std::optional<Place> add_entry(const GoFunction& function, int arguments, std::uint64_t cookie,
                                 std::uint64_t at_call = 0) {
    const auto probes = placer_.place({function.address, function.size}, {CallConvention::go_registers, arguments, 0});
    const auto& entry = probes.entry;
    if (!entry.place || (entry.skip_when_taken && entry.condition != kBelowOrEqual)) {
      planned_function(function.name).reason =
          entry.place ? "the only place is passed twice by some calls" : entry.reason;
      return std::nullopt;
    }
    if (entry.place->stack_depth == 0) cookie |= at_call;
    add(function, *entry.place, cookie | (entry.skip_when_taken ? GO_SKIP_BELOW_OR_EQUAL : 0));
    return entry.place;
  }

  // "" if it was planned.
  std::string plan_entry(const Known& known) {
    const GoFunction* begins = function(known.name);
    if (!begins) return "this version of Go has no " + std::string(known.name);
    const bool reason =
        (known.phase == GoPhase::stop_begin && !program_.stop_reasons.empty()) || known.name == kEither.name;
    const int arguments = known.phase == GoPhase::stop_begin && !reason ? 0 : known.arguments;
    const std::uint64_t cookie =
        GO_COOKIE(known.act, file_, static_cast<std::uint8_t>(known.phase)) | (reason ? GO_REASON : 0);
    return add_entry(*begins, arguments, cookie) ? "" : std::string(known.name) + " offers no place";
  }

  std::string plan_end(std::string_view name, GoPhase phase) {
    const GoFunction* ends = function(name);
    if (!ends) return "this version of Go has no " + std::string(name);
    symbols::FunctionCode code;
    code.parts.push_back({ends->address, elf_.read_address(ends->address, ends->size, kMaxCode)});
    const auto chosen =
        symbols::choose_results(symbols::FunctionGraph(std::move(code)), {CallConvention::go_registers, 0, 0});
    if (chosen.places.empty() || !chosen.complete)
      return "not every end of " + std::string(name) + " can be seen: " + chosen.reason;
    for (const Place& place : chosen.places)
      add(*ends, place, GO_COOKIE(GO_PHASE, file_, static_cast<std::uint8_t>(phase)));
    return {};
  }

  // go f(): runtime.newproc creates the goroutine on the thread's own stack and passes it to runtime.runqput.
  void plan_creation() {
    const GoFunction *makes = function("runtime.newproc.func1"), *queues = function("runtime.runqput");
    if (!makes || !queues) return lack(GoPart::creation, "this version of Go makes them elsewhere");
    symbols::FunctionCode code;
    code.parts.push_back({makes->address, elf_.read_address(makes->address, makes->size, kMaxCode)});
    const symbols::FunctionGraph graph(std::move(code));
    std::vector<std::uint32_t> calls;
    for (std::uint32_t i = 0; i < graph.nodes().size(); i++) {
      const auto& instruction = graph.nodes()[i].instruction;
      if (instruction.flow == symbols::Flow::call && instruction.target == queues->address) calls.push_back(i);
    }
    if (calls.size() != 1 || !graph.whole() || graph.reaches(calls[0], calls[0]))
      return lack(GoPart::creation, "runtime.newproc does not queue them where it used to");
    const auto& call = graph.nodes()[calls[0]].instruction;
    const Place place{call.address, call.emulated ? symbols::Price::emulated : symbols::Price::single_stepped,
                      graph.text(calls[0]), std::nullopt, false};
    add(*makes, place, GO_COOKIE(GO_MADE, file_, anchor(place)));
    have(GoPart::creation);
  }

  std::uint64_t anchor(const Place& place) {
    program_.anchors.push_back(place.address);
    return program_.anchors.size() - 1;
  }

  void plan_ends() {
    for (const Known& known : kEnded) {
      if (!function(known.name)) continue;
      const std::string why = plan_entry(known);
      return why.empty() ? have(GoPart::ends) : lack(GoPart::ends, why);
    }
    lack(GoPart::ends, "this version of Go ends them elsewhere");
  }

  void plan_panics() {
    std::string problem;
    for (const Known& known : kPanics) {
      const GoFunction* begins = function(known.name);
      if (!begins) continue;
      const std::uint64_t cookie = GO_COOKIE(known.act, file_, program_.anchors.size());
      const auto place = add_entry(*begins, 0, cookie, GO_AT_CALL);
      if (place)
        anchor(*place);
      else
        problem += (problem.empty() ? "" : ", ") + std::string(known.name) + " offers no place";
    }
    if (!function(kPanics[0].name)) problem = "this version of Go has no runtime.gopanic";
    if (!problem.empty()) return lack(GoPart::panics, problem);
    have(GoPart::panics);
  }

  void plan_runtime() {
    std::string problem;
    const auto note = [&](std::string why) {
      if (!why.empty()) problem += (problem.empty() ? "" : ", ") + why;
    };
    for (const Known& known : kAlways) note(plan_entry(known));
    for (const auto& [name, phase] : kEnds) note(plan_end(name, phase));
    if (problem.empty())
      have(GoPart::runtime);
    else
      lack(GoPart::runtime, problem);
  }

  // A program without such a client is not reported as lacking anything.
  void plan_calls() {
    const bool http = function(kCalls[0].name), grpc = function(kGrpcCall);
    std::string problem;
    const auto note = [&](const std::string& why) {
      if (!why.empty()) problem += (problem.empty() ? "" : ", ") + why;
    };
    if (http)
      for (const Known& known : kCalls) note(plan_entry(known));
    if (grpc) note(plan_grpc());
    if (!problem.empty()) return lack(GoPart::calls, problem);
    if (http || grpc) have(GoPart::calls);
  }

  std::string plan_grpc() {
    const GoFunction *calls = function(kGrpcCall), *queues = function(kGrpcQueue);
    if (!queues) return "this version of gRPC queues elsewhere";
    symbols::FunctionCode code;
    code.parts.push_back({calls->address, elf_.read_address(calls->address, calls->size, kMaxCode)});
    const symbols::FunctionGraph graph(std::move(code));
    std::vector<Place> places;
    for (std::uint32_t i = 0; i < graph.nodes().size(); i++) {
      const auto& call = graph.nodes()[i].instruction;
      if (call.flow == symbols::Flow::call && call.target == queues->address)
        places.push_back({call.address, call.emulated ? symbols::Price::emulated : symbols::Price::single_stepped,
                          graph.text(i), std::nullopt, false});
    }
    if (!graph.whole() || places.size() != 1) return "this version of gRPC does not queue a stream where it used to";
    if (std::string why = plan_entry(kGrpcWrites); !why.empty()) return why;
    add(*calls, places[0], GO_COOKIE(GO_QUEUES, file_, 0));
    return {};
  }

  // All of them or none: with some of them missing, one value would be mistaken for another.
  void plan_channels() {
    const auto places = find_channel_places(elf_, found_, placer_, release_of(program_.version));
    const auto give_up = [&](const std::string& why) {
      program_.unsupported += (program_.unsupported.empty() ? "" : "; ") + ("channels: " + why);
    };
    if (!places.problem.empty()) return give_up(places.problem);
    for (const auto& [function, place, act, skip] : places.all) {
      planned_function(function.name)
          .places.push_back(planned(placer_, place, function.address, FunctionProgram::channel,
                                    GO_COOKIE(act, file_, places.number) | (skip ? GO_SKIP_BELOW_OR_EQUAL : 0)));
    }
  }

  void plan_states() {
    static constexpr std::string_view kWaits[] = {"", "GC assist marking"};
    program_.wait_reasons = symbols::go_string_array(elf_, kWaits);
    std::string problem;
    for (const Known& known : kStates) {
      const std::string why = plan_entry(known);
      if (!why.empty()) problem += (problem.empty() ? "" : ", ") + why;
    }
    if (program_.wait_reasons.empty())
      problem += (problem.empty() ? "" : ", ") + std::string("what is waited for is not found");
    if (!problem.empty()) return lack(GoPart::states, problem);
    have(GoPart::states);
    if (const std::string why = plan_end("runtime.gcAssistAlloc1", GoPhase::assist); !why.empty())
      lack(GoPart::runtime, "how long goroutines assist: " + why);
    // The second of the two is inlined into the stack check; only the function that both call sees all.
    const std::string_view release = release_of(program_.version);
    const bool apart = release < "1.22";
    if (release.empty()) return lack(GoPart::states, "preemptions are not seen: its version of Go is not known");
    std::string gives_way = apart ? plan_entry(kPreempted) : plan_entry(kEither);
    if (apart && gives_way.empty()) gives_way = plan_entry(kYields);
    if (!gives_way.empty()) lack(GoPart::states, "preemptions are not seen: " + gives_way);
  }

  void plan_handlers() {
    std::size_t refused = 0;
    for (const Handler& handler : find_handlers(elf_, functions_)) {
      const std::size_t number = program_.handlers.size();
      if (number >= kMaxHandlerPlaces) break;
      constexpr go_act kActs[] = {GO_HANDLER, GO_HANDLER_FUNCTION, GO_HANDLER_METHOD};  // by HandlerIs
      const go_act act = kActs[static_cast<std::size_t>(handler.is)];
      const auto place = add_entry(handler.function, act == GO_HANDLER ? 0 : 1, GO_COOKIE(act, file_, number));
      refused += !place;
      if (!place) continue;
      const std::string name = handler.is == HandlerIs::value ? std::string() : handler.function.name;
      program_.handlers.push_back({name, handler.function.address, place->address, handler.is});
    }
    have(GoPart::handlers);
    if (refused) lack(GoPart::handlers, std::to_string(refused) + " offer no place");
  }

  const ElfFile& elf_;
  const GoFunctions functions_;
  const symbols::ProbePlacer placer_;
  const std::uint16_t file_;
  Program& program_;
  std::vector<GoFunction> found_;
};

}  // namespace

Program plan_program(const ElfFile& elf, std::uint16_t file, bool states, bool allocations) {
  Program program;
  Planner(elf, file, program).run(states);
  if (allocations) plan_allocations(elf, file, program);
  return program;
}

}  // namespace tailcap::capture::go

#include "capture/scan/requests.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "bpf/event.h"
#include "capture/allocations/malloc_functions.h"
#include "capture/scan/message.h"
#include "capture/symbols/elf/build_id.h"
#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"
#include "capture/symbols/go/go_binary.h"
#include "capture/tls/functions.h"

namespace tailcap::capture::scan {

namespace {

// Honest answers have 20 functions of TLS with 100 places; 2,000 handlers and 30 functions of the Go runtime.
constexpr std::size_t kMaxFunctions = 8192, kMaxAnchors = 4096, kMaxHandlers = 65536;
constexpr int kNiceForLines = 19;
constexpr std::uint64_t kMostInflated = 32u << 20;  // of a file that stays open
constexpr std::size_t kMaxTexts = 256, kMaxName = 8192, kMaxReason = 65536, kMaxBuild = 1u << 20;

std::string text(Decoder& in, std::size_t most) { return std::string(in.text(most)); }

void encode(Encoder& out, const std::vector<PlannedFunction>& functions) {
  out.number(static_cast<std::uint64_t>(functions.size()));
  for (const auto& function : functions) {
    out.text(function.name);
    out.text(function.reason);
    out.number(static_cast<std::uint64_t>(function.places.size()));
    for (const auto& place : function.places) {
      out.number(place.probe.program);
      out.number(place.probe.offset);
      out.number(place.probe.cookie);
      out.text(place.probe.code);
      out.text(place.text);
      out.number(place.price);
    }
  }
}

// A cookie for Go contains the number of its file.
bool of_file(const FunctionProbe& probe, std::uint16_t go_file) {
  const bool go = probe.program == FunctionProgram::runtime || probe.program == FunctionProgram::channel ||
                  probe.program == FunctionProgram::allocation;
  return !go || GO_COOKIE_FILE(probe.cookie) == go_file;
}

std::vector<PlannedFunction> decode_functions(Decoder& in, std::uint16_t go_file) {
  std::vector<PlannedFunction> functions;
  std::size_t places_left = kMaxPlaces;
  for (std::size_t left = in.count(kMaxFunctions, 24); left > 0 && in.ok(); left--) {
    PlannedFunction& function = functions.emplace_back();
    function.name = text(in, kMaxName);
    function.reason = text(in, kMaxReason);
    const std::size_t places = in.count(places_left, 37);
    places_left -= places;
    for (std::size_t i = 0; i < places && in.ok(); i++) {
      PlannedPlace& place = function.places.emplace_back();
      const auto program = in.number<std::uint8_t>();
      place.probe.program = static_cast<FunctionProgram>(program);
      place.probe.offset = in.number<std::uint64_t>();
      place.probe.cookie = in.number<std::uint64_t>();
      place.probe.code = text(in, kMaxInstruction);
      place.text = text(in, kMaxName);
      place.price = in.number<std::uint32_t>();
      if (program >= kFunctionPrograms || place.probe.code.empty() || !of_file(place.probe, go_file)) in.fail();
    }
  }
  return functions;
}

void encode(Encoder& out, const std::vector<std::string>& texts) {
  out.number(static_cast<std::uint64_t>(std::min(texts.size(), kMaxTexts)));
  for (std::size_t i = 0; i < std::min(texts.size(), kMaxTexts); i++) out.text(texts[i]);
}

std::vector<std::string> decode_texts(Decoder& in) {
  std::vector<std::string> texts;
  for (std::size_t left = in.count(kMaxTexts, 8); left > 0; left--) texts.push_back(text(in, kMaxName));
  return texts;
}

void encode(Encoder& out, const go::Layout& layout) {
  out.number(layout.slot);
  out.number(layout.thread);
  out.number(layout.current);
  out.number(layout.number);
  out.number(layout.parent);
  out.number(layout.saved);
  out.number(layout.saved_frame);
  out.number(layout.processor);
  out.number(layout.former);
  out.number(layout.batch);
  out.number(layout.generation);
  out.number(layout.c_code);
  out.text(layout.from);
  out.text(layout.problem);
}

go::Layout decode_layout(Decoder& in) {
  go::Layout layout;
  layout.slot = in.number<std::int16_t>();
  layout.thread = in.number<std::uint16_t>();
  layout.current = in.number<std::uint16_t>();
  layout.number = in.number<std::uint16_t>();
  layout.parent = in.number<std::uint16_t>();
  layout.saved = in.number<std::uint8_t>();
  layout.saved_frame = in.number<std::uint8_t>();
  layout.processor = in.number<std::uint16_t>();
  layout.former = in.number<std::uint16_t>();
  layout.batch = in.number<std::uint16_t>();
  layout.generation = in.number<std::uint64_t>();
  layout.c_code = in.truth();
  layout.from = text(in, kMaxName);
  layout.problem = text(in, kMaxReason);
  return layout;
}

void encode(Encoder& out, const go::Program& program) {
  out.text(program.version);
  encode(out, program.layout);
  encode(out, program.functions);
  out.number(static_cast<std::uint64_t>(program.handlers.size()));
  for (const auto& handler : program.handlers) {
    out.text(handler.name);
    out.number(handler.function);
    out.number(handler.place);
    out.number(handler.is);
  }
  out.number(static_cast<std::uint64_t>(program.anchors.size()));
  for (const std::uint64_t anchor : program.anchors) out.number(anchor);
  out.text(program.build);
  encode(out, program.wait_reasons);
  encode(out, program.stop_reasons);
  out.number(program.parts);
  out.number(program.processors);
  out.number(program.heap.controller);
  out.number(program.heap.used);
  out.number(program.heap.live);
  out.text(program.unsupported);
}

go::Program decode_program(Decoder& in, std::uint16_t go_file) {
  go::Program program;
  program.version = text(in, kMaxName);
  program.layout = decode_layout(in);
  program.functions = decode_functions(in, go_file);
  for (std::size_t left = in.count(kMaxHandlers, 25); left > 0; left--) {
    go::HandlerPlace& handler = program.handlers.emplace_back();
    handler.name = text(in, kMaxName);
    handler.function = in.number<std::uint64_t>();
    handler.place = in.number<std::uint64_t>();
    const auto is = in.number<std::uint8_t>();
    if (is > static_cast<std::uint8_t>(go::HandlerIs::method)) in.fail();
    handler.is = static_cast<go::HandlerIs>(is);
  }
  for (std::size_t left = in.count(kMaxAnchors, 8); left > 0; left--)
    program.anchors.push_back(in.number<std::uint64_t>());
  program.build = text(in, kMaxBuild);
  program.wait_reasons = decode_texts(in);
  program.stop_reasons = decode_texts(in);
  program.parts = in.number<std::uint8_t>();
  program.processors = in.number<std::uint64_t>();
  program.heap.controller = in.number<std::uint64_t>();
  program.heap.used = in.number<std::uint16_t>();
  program.heap.live = in.number<std::uint16_t>();
  if (program.heap.size() > go::HeapPlaces::kMaxSize) in.fail();
  program.unsupported = text(in, kMaxReason);
  return program;
}

FilePlan plan_file(const PlanRequest& request, int file) {
  FilePlan plan;
  std::string refused;
  try {
    const auto elf = symbols::ElfFile::from_descriptor(dup(file), request.shown);
    if (request.tls) plan.functions = tls::plan_functions(elf, request.tls_keys, request.tls_auto);
    plan.go = request.go && elf.kind() != symbols::ElfKind::shared_library && symbols::is_go(elf);
    plan.movable = elf.kind() == symbols::ElfKind::pie;
    if (request.allocations && !symbols::is_go(elf))
      plan.mallocs = plan_mallocs(elf, request.shown.substr(request.shown.rfind('/') + 1));
    if (!plan.go || request.go_file == 0) return plan;
    plan.program = go::plan_program(elf, request.go_file, request.go_states, request.allocations);
    plan.tables = go::read_tables(elf, plan.program);
    return plan;
  } catch (const std::bad_alloc&) {
    refused = request.shown + " takes more memory to read than is given to a file";
  } catch (const std::exception& e) {
    refused = e.what();
  }
  plan = {};
  plan.refused = refused;
  return plan;
}

std::string encode(const FilePlan& plan) {
  Encoder out;
  out.text(plan.refused);
  encode(out, plan.functions);
  encode(out, plan.mallocs);
  out.number(plan.go);
  out.number(plan.movable);
  encode(out, plan.program);
  plan.tables.encode(out);
  return out.take();
}

template <class T>
std::string encoded(const T& facts) {
  Encoder out;
  facts.encode(out);
  return out.take();
}

// Lines are less urgent than names: the other programs of the machine come first. The file stays open for the next
// request about it.
std::string source_lines(int file, Decoder& in) {
  static std::optional<symbols::SourceFile> open;
  static std::pair<dev_t, ino_t> opened;
  const auto most = in.number<std::uint64_t>();
  (void)setpriority(PRIO_PROCESS, 0, kNiceForLines);
  std::vector<std::uint64_t> addresses(in.count(LinesRequest::kMostAddresses, sizeof(std::uint64_t)));
  for (auto& address : addresses) address = in.number<std::uint64_t>();
  if (!in.done()) return {};
  struct stat status {};
  if (fstat(file, &status) != 0) return {};
  if (!open || opened != std::pair(status.st_dev, status.st_ino)) {
    open.reset();
    open.emplace(symbols::ElfFile::from_descriptor(dup(file), "a file"), most);
    opened = {status.st_dev, status.st_ino};
  }
  const std::string lines = encoded(open->lines(addresses));
  if (open->inflated() > kMostInflated) open.reset();
  return lines;
}

template <class T>
std::string answer_about(int file) {
  return encoded(T(symbols::ElfFile::from_descriptor(dup(file), "a file")));
}

PlanRequest decode_request(Decoder& in) {
  PlanRequest request;
  request.shown = text(in, kMaxName);
  request.tls = in.truth();
  request.tls_keys = in.truth();
  request.tls_auto = in.truth();
  request.go = in.truth();
  request.go_states = in.truth();
  request.allocations = in.truth();
  request.go_file = in.number<std::uint16_t>();
  return request;
}

}  // namespace

std::string encode(const PlanRequest& request) {
  Encoder out;
  out.number(Task::plan);
  out.text(request.shown.substr(0, kMaxName));
  out.number(request.tls);
  out.number(request.tls_keys);
  out.number(request.tls_auto);
  out.number(request.go);
  out.number(request.go_states);
  out.number(request.allocations);
  out.number(request.go_file);
  return out.take();
}

std::string encode_build_id_request() { return std::string(1, static_cast<char>(Task::build_id)); }
std::string encode_names_request() { return std::string(1, static_cast<char>(Task::names)); }
std::string encode_unwind_rules_request() { return std::string(1, static_cast<char>(Task::unwind_rules)); }
std::string encode_variables_request() { return std::string(1, static_cast<char>(Task::variables)); }
std::string encode_scripts_request() { return std::string(1, static_cast<char>(Task::scripts)); }

std::string encode_perf_map_request(std::uint32_t user) {
  Encoder out;
  out.number(Task::perf_map);
  out.number(user);
  return out.take();
}

std::string encode(const LinesRequest& request) {
  const bool all = request.addresses.size() > LinesRequest::kMostAddresses;
  Encoder out;
  out.number(Task::source_lines);
  out.number(request.most);
  out.number(static_cast<std::uint64_t>(all ? 0 : request.addresses.size()));
  if (!all)
    for (const std::uint64_t address : request.addresses) out.number(address);
  return out.take();
}

std::string answer(std::string_view bytes, int file) {
  Decoder in(bytes);
  const auto task = static_cast<Task>(in.number<std::uint8_t>());
  try {
    if (task == Task::build_id) return symbols::build_id(file);
    if (task == Task::names) return answer_about<symbols::CodeNames>(file);
    if (task == Task::unwind_rules) return answer_about<symbols::UnwindRules>(file);
    if (task == Task::scripts) return answer_about<symbols::ScriptPrograms>(file);
    if (task == Task::variables) return answer_about<symbols::VariableNames>(file);
    if (task == Task::source_lines) return source_lines(file, in);
    if (task == Task::perf_map) return encoded(symbols::PerfMap::of_file(file, in.number<std::uint32_t>()));
    if (task != Task::plan) return {};
    const PlanRequest request = decode_request(in);
    return in.done() ? encode(plan_file(request, file)) : std::string();
  } catch (const std::exception&) {
    return {};
  }
}

std::optional<FilePlan> decode_plan(std::string_view bytes, std::uint16_t go_file) {
  Decoder in(bytes);
  FilePlan plan;
  plan.refused = text(in, kMaxReason);
  plan.functions = decode_functions(in, go_file);
  plan.mallocs = decode_functions(in, go_file);
  plan.go = in.truth();
  plan.movable = in.truth();
  plan.program = decode_program(in, go_file);
  plan.tables = go::Tables::decode(in);
  return in.done() ? std::optional(std::move(plan)) : std::nullopt;
}

std::optional<std::string> decode_build_id(std::string_view bytes) {
  return bytes.size() <= symbols::kMaxBuildId ? std::optional<std::string>(bytes) : std::nullopt;
}

namespace {

template <class T>
std::optional<T> decode_facts(std::string_view bytes) {
  Decoder in(bytes);
  auto facts = T::decode(in);
  return in.done() ? std::optional(std::move(facts)) : std::nullopt;
}

}  // namespace

std::optional<symbols::CodeNames> decode_names(std::string_view bytes) {
  return decode_facts<symbols::CodeNames>(bytes);
}

std::optional<symbols::UnwindRules> decode_unwind_rules(std::string_view bytes) {
  return decode_facts<symbols::UnwindRules>(bytes);
}

std::optional<symbols::ScriptPrograms> decode_scripts(std::string_view bytes) {
  return decode_facts<symbols::ScriptPrograms>(bytes);
}

std::optional<symbols::PerfMap> decode_perf_map(std::string_view bytes) {
  return decode_facts<symbols::PerfMap>(bytes);
}

std::optional<symbols::SourceLines> decode_source_lines(std::string_view bytes) {
  return decode_facts<symbols::SourceLines>(bytes);
}

std::optional<symbols::VariableNames> decode_variables(std::string_view bytes) {
  return decode_facts<symbols::VariableNames>(bytes);
}

}  // namespace tailcap::capture::scan

// `tailcap info --json` and the schema of its three forms.
#include <nlohmann/json.hpp>

#include "analyze/model/sampling/sampling.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/views/file/capture_facts.h"
#include "analyze/views/file/go_use.h"
#include "analyze/views/file/interfaces.h"
#include "formats/fields/names.h"
#include "formats/printable.h"

namespace tailcap::views {
namespace of_info {
namespace {

using report::Anywhere;
using report::OrNull;
using report::Shape;
using report::when;
using Probe = ProbeFacts::Listed;
using Program = GoFacts::Listed;

// A damaged file may lack the preamble.
bool described(const CaptureFacts& f) { return !f.preamble.capture_id.empty(); }
auto text_or_null(std::string formats::Preamble::*member) {
  return [member](const CaptureFacts& f) { return OrNull{std::string_view(f.preamble.*member)}; };
}
auto if_described(auto formats::Preamble::*member) {
  return [member](const CaptureFacts& f) { return when(described(f), f.preamble.*member); };
}
auto of_file(auto formats::FileSummary::*member) {
  return [member](const CaptureFacts& f) { return f.summary.*member; };
}
// On the clock of the machine.
auto monotonic(formats::Time formats::FileSummary::*member) {
  return [member](const CaptureFacts& f) {
    const formats::Time t = f.summary.*member;
    return when(formats::known(t), formats::nanoseconds(t));
  };
}

using Note = std::pair<std::string, std::string>;
const Shape<Note, Anywhere> kNote{
    "note",
    {{"key", &Note::first, "tailcap.…: the recorder's own, as formats/FORMAT.md says"}, {"value", &Note::second}}};

const Shape<Probe, Anywhere> kProbe{"probe",
                                    {
                                        {"path", &Probe::path},
                                        {"function", &Probe::function},
                                        {"place", &Probe::place},
                                        {"offset", &Probe::offset, "in the file"},
                                        {"price_ns", report::or_null(&Probe::price), "a hit; null: not attached"},
                                        {"reason", report::or_null(&Probe::reason)},
                                    }};

const Shape<Program, Anywhere> kProgram{
    "go_program",
    {
        {"path", &Program::path},
        {"version", report::or_null(&Program::version)},
        {"processes", &Program::processes},
        {"told", &Program::told, "goroutines, creation, runtime, states, handlers, calls, ends, panics"},
        {"offsets_from", report::or_null(&Program::offsets_from), "DWARF, table"},
        {"goid_offset", report::or_null(&Program::goid_offset)},
        {"not_told", report::or_null(&Program::unsupported), "what and why"},
        {"build", &Program::build, "the lines of `go version -m`, each a list of its fields"},
    }};

struct Attached {
  std::string_view name;
  std::optional<std::uint64_t> runs;
  std::optional<formats::Duration> time;
};
std::vector<Attached> programs(const CaptureFacts& f) {
  std::vector<Attached> out;
  if (f.programs.empty())
    for (const auto& name : f.preamble.programs) out.push_back({name, std::nullopt, std::nullopt});
  for (const auto& [name, cost] : f.programs) out.push_back({name, cost.runs, when(cost.time.count() > 0, cost.time)});
  return out;
}
const Shape<Attached, Anywhere> kAttached{
    "kernel_program", {{"name", &Attached::name}, {"runs", &Attached::runs}, {"time_ns", &Attached::time}}};

const Shape<formats::RecorderCost, Anywhere> kRecorder{
    "recorder", {{"cpu_ns", &formats::RecorderCost::cpu}, {"resident_bytes", &formats::RecorderCost::resident}}};

std::optional<std::uint32_t> one_connection_in(const CaptureFacts& f) {
  const model::Sampling sampling = model::sampling_of(f.preamble.notes);
  return when(!sampling.mixed && !sampling.none && described(f), sampling.of);
}
auto by_cause(const CaptureFacts& f) {
  std::vector<std::pair<std::string_view, std::uint64_t>> out;
  for (const auto& [cause, count] : f.lost_by_cause) out.emplace_back(cause.name, count);
  return report::Map{out};
}

const Shape<CaptureFacts, Anywhere>& info_shape() {
  using formats::FileSummary;
  using formats::Preamble;
  static const Shape<CaptureFacts, Anywhere> shape{
      "info",
      {
          {"schema", [](auto&) { return report::kJsonSchema; }, "", {.is = report::kJsonSchema}},
          {"state", [](auto& f) { return name_of(f.summary.state); }},
          {"file_bytes", of_file(&FileSummary::file_bytes)},
          {"raw_bytes", of_file(&FileSummary::raw_bytes)},
          {"bytes_per_event", [](auto& f) { return when(f.summary.events > 0, f.bytes_per_event()); }},
          {"blocks", of_file(&FileSummary::blocks)},
          {"damaged_blocks", &CaptureFacts::damage},
          {"damaged_bytes", &CaptureFacts::damaged_bytes},
          {"unknown_blocks", of_file(&FileSummary::unknown_blocks)},
          {"capture_id", text_or_null(&Preamble::capture_id)},
          {"tool_version", text_or_null(&Preamble::tool_version)},
          {"command_line", report::Refer{[](auto& f) { return &f.preamble.command_line; }}},
          {"host", text_or_null(&Preamble::host)},
          {"kernel", text_or_null(&Preamble::kernel)},
          {"architecture", text_or_null(&Preamble::architecture)},
          {"boot_id", text_or_null(&Preamble::boot_id)},
          {"cpus", if_described(&Preamble::cpus)},
          {"tier",
           [](auto& f) {
             const auto tier = f.preamble.tier;
             return when(tier != formats::HookTier::unknown, formats::name_of(tier));
           }},
          {"tier_reason", text_or_null(&Preamble::tier_reason)},
          {"redaction", [](auto& f) { return when(described(f), formats::name_of(f.preamble.redaction)); }},
          {"payload_limit", if_described(&Preamble::payload_limit)},
          {"ring_bytes", if_described(&Preamble::ring_bytes)},
          {"targets", report::Refer{[](auto& f) { return &f.preamble.targets; }}},
          {"one_connection_in", one_connection_in, "1: all are recorded; null: none is, not known, or several shares"},
          {"notes", kNote, report::Refer{[](auto& f) { return &f.preamble.notes; }}},
          {"started_ns", if_described(&Preamble::started_realtime), "since 1970"},
          {"first_ns", monotonic(&FileSummary::first), "CLOCK_MONOTONIC, as the next"},
          {"last_ns", monotonic(&FileSummary::last)},
          {"duration_ns", [](auto& f) { return when(f.summary.events > 0, f.duration()); }},
          {"events", of_file(&FileSummary::events)},
          {"unknown_events", &CaptureFacts::unknown_events},
          {"events_by_kind", [](auto& f) { return report::Map{f.by_kind}; }},
          {"decrypted", &CaptureFacts::decrypted},
          {"probes", kProbe, [](auto& f) { return f.probes.listed(); }},
          {"go", kProgram, [](auto& f) { return f.go.listed(); }},
          {"lost", of_file(&FileSummary::lost)},
          {"lost_by_cause", by_cause},
          {"programs", kAttached, programs},
          {"recorder", kRecorder, &CaptureFacts::recorder},
      }};
  return shape;
}

}  // namespace
}  // namespace of_info

std::string to_json(const CaptureFacts& facts) {
  auto json = nlohmann::ordered_json::parse(report::json_of(of_info::info_shape(), facts, report::Anywhere{}));
  if (auto& ratio = json["bytes_per_event"]; ratio.is_number()) ratio = ratio.get<double>();  // 112.0
  return formats::printable_json(json.dump(2));
}

std::string info_schema() {
  const report::Description* const all[] = {&of_info::info_shape(), &go_use_description(), &Interfaces::description()};
  return report::json_schema_of_any(all, "tailcap info --json", "By itself, with --goroutines, with --interfaces.");
}

}  // namespace tailcap::views

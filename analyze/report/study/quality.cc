#include "analyze/report/study/shapes.h"
#include "formats/bounds/read_limits.h"
#include "formats/fields/names.h"
#include "formats/machine.h"

namespace tailcap::report::study {
namespace {

using formats::FileSummary;
using formats::Masking;
using formats::Preamble;
using model::BudgetStep;
using model::LossSpan;
using model::ProcessSummary;
using model::Quality;
using model::TlsSessions;

std::string_view stopped_reason() {
  const auto& stopped = formats::stopped_captures();
  return stopped.empty() ? "" : formats::name_of(stopped.front().reason);
}

struct FoundFinding {
  const model::FindingText& text;
  std::uint64_t count;
};
std::vector<FoundFinding> findings_of(const Quality& q) {
  std::vector<FoundFinding> out;
  for (std::size_t i = 0; i < static_cast<std::size_t>(model::Finding::count_); ++i)
    if (const auto finding = static_cast<model::Finding>(i); q.findings[finding] > 0)
      out.push_back({model::text_of(finding), q.findings[finding]});
  return out;
}

const StudyShape<Preamble> kPreamble{"preamble",
                                     {
                                         {"id", or_null(&Preamble::capture_id)},
                                         {"tool_version", or_null(&Preamble::tool_version)},
                                         {"host", or_null(&Preamble::host)},
                                         {"kernel", or_null(&Preamble::kernel)},
                                         {"architecture", or_null(&Preamble::architecture)},
                                         {"cpus", &Preamble::cpus},
                                         {"hook_tier", one_of<formats::HookTier::c>(&Preamble::tier)},
                                         {"hook_tier_reason", &Preamble::tier_reason},
                                         {"redacted",
                                          [](auto& p) {
                                            return p.redaction == formats::Redaction::masked_headers ||
                                                   p.redaction == formats::Redaction::allow_list;
                                          }},
                                         {"redaction", one_of<formats::Redaction::payload_raw>(&Preamble::redaction)},
                                         {"payload_limit", &Preamble::payload_limit},
                                         {"targets", &Preamble::targets},
                                         {"notes", &Preamble::notes, "key and value"},
                                     }};

const StudyShape<FileSummary> kFile{
    "file",
    {
        {"state",
         [](auto& f) { return name_of(f.state); },
         "",
         {.values = {"complete", "truncated", "recovered", "recording"}}},
        {"file_bytes", &FileSummary::file_bytes},
        {"blocks", &FileSummary::blocks},
        {"damaged_blocks", &FileSummary::damaged_blocks},
        {"damaged_bytes", &FileSummary::damaged_bytes},
        {"unknown_blocks", &FileSummary::unknown_blocks},
        {"stopped", [](auto&) { return OrNull{stopped_reason()}; }, "why reading stopped before the end"},
    }};

const StudyShape<Quality> kCapture{"capture", {{kPreamble, &Quality::preamble}, {kFile, &Quality::file}}};

const StudyShape<Scaled> kEstimate{
    "estimate",
    {
        {"value", [](auto& s) { return s.estimate.value / s.of; }},
        {"low", [](auto& s) { return when(s.estimate.interval, s.estimate.low / s.of); }, "of the 95 % interval"},
        {"high", [](auto& s) { return when(s.estimate.interval, s.estimate.high / s.of); }},
        {"reason", [](auto& s) { return OrNull{s.estimate.reason}; }, "why there is no interval"},
    }};

const StudyShape<Quality> kSampling{
    "sampling",
    {
        {"one_in", [](auto& q) { return when(!q.sampling.mixed && !q.sampling.none, q.sampling.of); },
         "one of this number of connections is recorded"},
        {"seed", [](auto& q) { return q.sampling.seed; }},
        {"scales", [](auto& q) { return q.sampling.scales(); }, "what is recorded says how much there was"},
        {"ends_recorded", [](auto& q) { return when(q.sampling.ends_known, q.sampling.ends_recorded); }},
        {"ends_left_out", [](auto& q) { return when(q.sampling.ends_known, q.sampling.ends_left_out); }},
        {"requests", kEstimate, [](auto& q) { return scaled(q.all_requests, 1); }},
    }};

const StudyShape<BudgetStep> kStep{
    "step",
    {
        {"at_ns", [](auto& s) { return s.time.time_since_epoch(); }, "CLOCK_MONOTONIC"},
        {"one_in", [](auto& s) { return when(s.looks, s.of); }, "null: none, in a pause"},
        {"stacks", &BudgetStep::stacks},
        {"waits", &BudgetStep::waits},
        {"cost_cpu_ppm", [](auto& s) { return when(s.measured, s.cost_ppm); }},
        {"above", &BudgetStep::above, "the cost is above the budget, and nothing is left to do without"},
    }};

const StudyShape<model::Budget> kBudget{
    "budget", {{"cpu_ppm", [](auto& b) { return b.ppm.value_or(0); }}, {"steps", kStep, &model::Budget::steps}}};

const StudyShape<TlsSessions> kSessions{"sessions",
                                        {
                                            {"sessions", &TlsSessions::sessions},
                                            {"bound_nested", &TlsSessions::nested},
                                            {"bound_lengths", &TlsSessions::lengths},
                                            {"unbound", &TlsSessions::unbound},
                                            {"bytes", &TlsSessions::bytes},
                                            {"unbound_bytes", &TlsSessions::unbound_bytes},
                                        }};

const StudyShape<Masking> kSums{"sums",
                                {
                                    {"streams", &Masking::streams},
                                    {"foreign", &Masking::foreign},
                                    {"doubtful", &Masking::doubtful},
                                    {"withheld_bytes", &Masking::withheld},
                                }};

const StudyShape<Quality> kMasking{
    "masking",
    {
        {kSums, &Quality::masking},
        {"before", kSums, [](auto& q) { return where(q.masking_before.streams != 0, q.masking_before); },
         "of the recording before this part of it began"},
    }};

const StudyShape<model::DroppedPackets> kDropped{
    "dropped",
    {
        {"reason", &model::DroppedPackets::reason, "the kernel's name of it, or its number"},
        {"to", &model::DroppedPackets::to, "the destination in the packets' headers"},
        {"count", &model::DroppedPackets::count, "packets"},
        {"first_ns", [](auto& d) { return d.first.time_since_epoch(); },
         "CLOCK_MONOTONIC: the second with the first of them"},
        {"most", &model::DroppedPackets::most, "in one second"},
    }};

const StudyShape<LossSpan> kLoss{"loss",
                                 {
                                     {"from_ns", &LossSpan::from},
                                     {"to_ns", &LossSpan::to},
                                     {"count", &LossSpan::count},
                                     {"what", &LossSpan::what},
                                 }};

const StudyShape<ProcessSummary> kProcess{"process",
                                          {
                                              {"pid", [](auto& p) { return formats::number_of(p.pid); }},
                                              {"machine", [](auto& p) { return formats::machine_of(p.pid) + 1; }},
                                              {"comm", or_null(&ProcessSummary::comm)},
                                              {"command_line", or_null(&ProcessSummary::command_line)},
                                              {"requests", &ProcessSummary::requests},
                                              {"recorded", &ProcessSummary::recorded},
                                          }};

const StudyShape<FoundFinding> kFinding{
    "finding",
    {
        {"name", [](auto& f) { return f.text.name; }},
        {"severity", [](auto& f) { return OneOf<model::Severity::defect>{f.text.severity}; }},
        {"count", &FoundFinding::count},
        {"text", [](auto& f) { return f.text.text; }},
    }};

}  // namespace

const StudyShape<Scaled>& estimate_shape() { return kEstimate; }

const StudyShape<Quality>& quality_shape() {
  static const StudyShape<Quality> shape{
      "quality",
      {
          {"capture", kCapture, Refer{[](auto& q) { return &q; }}},
          {"duration_ns", &Quality::duration},
          {"read_from_ns",
           [](auto& q) { return when(formats::known(q.read_from), (q.read_from - q.file.first).count()); }},
          {"read_until_ns",
           [](auto& q) { return when(formats::known(q.read_until), (q.read_until - q.file.first).count()); }},
          {"events", &Quality::events},
          {"lost", &Quality::lost},
          {"requests", &Quality::requests},
          {"complete", &Quality::complete},
          {"incomplete", &Quality::incomplete},
          {"unseen_at_most", &Quality::unseen},
          {"unknown", &Quality::unknown},
          {"tainted", &Quality::tainted},
          {"retries", &Quality::retries},
          {"retries_inferred", &Quality::retries_inferred},
          {"retried_calls", &Quality::retried_calls},
          {"sampling", kSampling, [](auto& q) { return where(q.sampling.some(), q); },
           "null: all connections are recorded"},
          {"budget", kBudget, [](auto& q) { return where(q.budget.ppm.has_value(), q.budget); },
           "null: recorded without one"},
          {"connections", &Quality::connections},
          {"connections_http", &Quality::connections_http},
          {"connections_other", &Quality::connections_other},
          {"connections_encrypted", &Quality::connections_encrypted},
          {"connections_moved", &Quality::connections_moved},
          {"connections_unread", &Quality::connections_unread},
          {"tls", kSessions, &Quality::tls, "sessions whose plaintext was recorded"},
          {"failed_connections", &Quality::failed_connections},
          {"retransmits", &Quality::retransmits},
          {"dropped_packets", kDropped, [](auto& q) { return where(q.drops_recorded, q.drops); },
           "that the kernel dropped on their way to an address of a recorded connection, or to a port on which a "
           "recorded "
           "process listened; null: not recorded"},
          {"clock_error_ns", [](auto& q) { return when(q.clock.known(), q.clock_error); }},
          {"clock_stepped", &Quality::clock_stepped},
          {"recorder_cpu_ns", [](auto& q) { return when(q.recorder_known, q.recorder_cpu); }},
          {"recorder_resident_bytes", [](auto& q) { return when(q.recorder_known, q.recorder_resident); }},
          {"masking", kMasking, [](auto& q) { return where(q.masking_known, q); }},
          {"program_runs", &Quality::program_runs},
          {"program_time_ns", [](auto& q) { return when(q.program_time.count() > 0, q.program_time); }},
          {"losses", kLoss, &Quality::losses},
          {"processes", kProcess, &Quality::processes},
          {"findings", kFinding, findings_of},
      }};
  return shape;
}

}  // namespace tailcap::report::study

// A member of a structure without a row in its shape does not compile here.
#include "analyze/merge/merge.h"
#include "analyze/model/audit/audit.h"
#include "analyze/model/gate/comparison.h"
#include "analyze/model/gate/slo.h"
#include "analyze/model/policy/outcome.h"
#include "analyze/model/study/detail.h"
#include "analyze/model/study/lanes.h"
#include "analyze/model/study/node_study.h"
#include "analyze/model/study/study.h"
#include "analyze/model/study/topology.h"
#include "analyze/model/trace/span_facts.h"
#include "analyze/report/request/call_tree.h"
#include "formats/preamble.h"

namespace tailcap::report {
namespace {

// How many members a structure has, where none of them is an optional.
struct AnyValue {
  template <class T>
  operator T() const;
};
template <class T, class... A>
consteval std::size_t members_of() {
  if constexpr (requires { T{A{}..., AnyValue{}}; })
    return members_of<T, A..., AnyValue>();
  else
    return sizeof...(A);
}

// A new member of these needs a row in its shape, or a reason for none; then this number. `diag`:
static_assert(members_of<model::ShortLived>() == 9);
static_assert(members_of<model::MemoryWaits::Process>() == 4);
static_assert(members_of<model::MemoryWaits>() == 4);
static_assert(members_of<model::OomVictim>() == 3);
static_assert(members_of<model::PeerTrouble>() == 6);
static_assert(members_of<model::LinkName>() == 5);
static_assert(members_of<model::LinkRetransmits>() == 3);
static_assert(members_of<model::RetransmitWindow>() == 4);
static_assert(members_of<model::MtuMismatch>() == 5);
static_assert(members_of<model::PeerRtt>() == 11);
static_assert(members_of<model::DroppedPackets>() == 5);
static_assert(members_of<model::SlowDisk>() == 6);
// `audit`, `policy`, `compare` and `assert`, `report`:
static_assert(members_of<model::audit::Example>() == 3);
static_assert(members_of<model::audit::ConnectionTally>() == 3);
static_assert(members_of<model::audit::Named>() == 2);
static_assert(members_of<model::audit::ConnectionGroup>() == 11);
static_assert(members_of<model::audit::PolicyTally>() == 4);
static_assert(members_of<model::audit::Exposure>() == 6);
static_assert(members_of<model::audit::Audit>() == 17);
static_assert(members_of<model::policy::Firing>() == 6);
static_assert(members_of<model::policy::RateChange>() == 2);
static_assert(members_of<model::policy::Missed>() == 8);
static_assert(members_of<model::policy::SamplingOutcome>() == 8);
static_assert(members_of<model::policy::BreakerChange>() == 3);
static_assert(members_of<model::policy::FormulaResult>() == 5);
static_assert(members_of<model::policy::FormulaWindow>() == 7);
static_assert(members_of<model::policy::SamplingVariant>() == 2);
static_assert(members_of<model::policy::RegistryRate>() == 3);
static_assert(members_of<model::policy::RateRegistry>() == 2);
static_assert(members_of<model::policy::BreakerOutcome>() == 6);
static_assert(members_of<model::gate::SoftwareChange>() == 5);
static_assert(members_of<model::gate::GateEstimate>() == 19);  // steady: its gate is listed, or what is not gated
static_assert(members_of<model::gate::AccountRow>() == 4);
static_assert(members_of<model::gate::AccountTable>() == 4);
static_assert(members_of<model::gate::RouteComparison>() == 15);
static_assert(members_of<model::gate::CallRow>() == 2);
static_assert(members_of<model::gate::Comparison>() == 25);
static_assert(members_of<model::gate::GatePlan>() == 8);
static_assert(members_of<model::gate::PlannedBudget>() == 3);
static_assert(members_of<model::gate::PlannedGate>() == 12);
static_assert(members_of<model::gate::ObjectiveResult>() == 17);
static_assert(members_of<model::CulpritStudy>() == 22);
static_assert(members_of<model::FailedEnd>() == 7);
static_assert(members_of<model::FailureCause>() == 9);
static_assert(members_of<model::SharedTrait>() == 8);
static_assert(members_of<model::Verdict>() == 33);
static_assert(members_of<model::SlowCause>() == 5);
static_assert(members_of<model::NewCalls>() == 9);
static_assert(members_of<model::CpuShortage>() == 10);
static_assert(members_of<model::CpuTaker>() == 3);
static_assert(members_of<model::DiskUser>() == 8);
static_assert(members_of<model::MemoryHolder>() == 3);
static_assert(members_of<model::MemoryPressure>() == 4);
static_assert(members_of<model::Felt>() == 3);
static_assert(members_of<model::HotFunction>() == 3);
static_assert(members_of<model::WaitingFunction>() == 7);
static_assert(members_of<model::Burst>() == 3);
static_assert(members_of<model::LabelDifference>() == 10);
static_assert(members_of<model::LabelBand>() == 5);
static_assert(members_of<model::Exemplar>() == 3);
static_assert(members_of<model::TailStudy>() == 28);
static_assert(members_of<model::HeldUp>() == 3);
static_assert(members_of<model::Quantile>() == 7);
static_assert(members_of<model::Band>() == 5);
static_assert(members_of<model::TimePoint>() == 6);
static_assert(members_of<model::TlsPeer>() == 17);
static_assert(members_of<model::NameStudy>() == 10);
static_assert(members_of<model::ListenQueue>() == 9);
static_assert(members_of<model::ConnectionFailure>() == 3);
static_assert(members_of<model::LossSpan>() == 4);
static_assert(members_of<model::ProcessSummary>() == 6);
static_assert(members_of<model::CallStudy>() == 19);
static_assert(members_of<model::InFlightBand>() == 5);
static_assert(members_of<model::HeadOfLine>() == 6);
static_assert(members_of<model::FanOut>() == 8);
static_assert(members_of<model::RetryStudy>() == 5);
static_assert(members_of<model::Arrivals>() == 5);
static_assert(members_of<model::GoDelay>() == 7);
static_assert(members_of<model::GoLeft>() == 8);
static_assert(members_of<model::GoBusy>() == 3);
static_assert(members_of<model::GoHot>() == 3);
static_assert(members_of<model::GoSizes>() == 3);
static_assert(members_of<model::GoShare>() == 5);
static_assert(members_of<model::GoStudy>() == 40);
static_assert(members_of<model::Change>() == 9);
static_assert(members_of<model::Shift>() == 7);
static_assert(members_of<model::RouteShift>() == 8);
static_assert(members_of<model::StatusShift>() == 8);
static_assert(members_of<model::ChangeStudy>() == 5);
static_assert(members_of<model::HealthCell>() == 4);
static_assert(members_of<model::HealthRow>() == 7);
static_assert(members_of<model::Health>() == 4);
static_assert(members_of<model::Incident>() == 20);
static_assert(members_of<model::Trigger>() == 19);
// `show`, `tree`, `topology`, `timeline`, `spans`, `flame`, `merge`, `info`:
static_assert(members_of<model::TraceBinding>() == 7);
static_assert(members_of<model::Instants>() == 4);
static_assert(members_of<model::GrpcMessage>() == 6);
static_assert(members_of<model::ThreadWait>() == 13);
static_assert(members_of<model::ConnectionEvent>() == 4);
static_assert(members_of<model::LabelledStretch>() == 5);
static_assert(members_of<model::Course::Call>() == 3);
static_assert(members_of<model::FileCall>() == 8);
static_assert(members_of<model::FileCalls>() == 4);
static_assert(members_of<model::WindowWait>() == 4);
static_assert(members_of<model::TopologyNode>() == 4);
static_assert(members_of<model::TopologyCall>() == 4);
static_assert(members_of<model::Topology>() == 5);
static_assert(members_of<model::LaneStretch>() == 4);
static_assert(members_of<model::LaneMark>() == 3);
static_assert(members_of<model::Lane>() == 6);
static_assert(members_of<model::Lanes>() == 9);
static_assert(members_of<model::SpanTally>() == 7);
static_assert(members_of<model::SpanFacts>() == 15);
static_assert(members_of<model::FoldedStack>() == 3);
static_assert(members_of<report::TreeNode>() == 4);
static_assert(members_of<report::CallTree>() == 3);
static_assert(members_of<merge::MergeInput>() == 16);
static_assert(members_of<merge::ClockEstimate>() == 15);
static_assert(members_of<formats::Preamble>() == 18);
static_assert(members_of<model::Connection>() == 36);

}  // namespace
}  // namespace tailcap::report

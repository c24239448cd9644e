#include "analyze/report/json/function_json.h"
#include "analyze/report/json/partition_json.h"
#include "analyze/report/study/shapes.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/words/number.h"
#include "formats/machine.h"

namespace tailcap::report::study {
namespace {

using model::Burst;
using model::CpuShortage;
using model::CpuTaker;
using model::CulpritStudy;
using model::FailedEnd;
using model::FailureCause;
using model::Label;
using model::SharedTrait;
using model::TroubleKind;
using model::Verdict;
using model::VerdictKind;
using model::VerdictPart;
using model::VerdictStep;

std::string address_of(const CulpritStudy& c) {
  const bool numbered = !c.group.path.empty() || !c.peer.address.empty();
  if (c.what == 0 || numbered || c.label == Label::q_pool) return {};
  return c.lock.empty() ? address_text(c.what) : c.lock;
}
std::vector<std::string_view> names_of(const std::vector<Label>& labels) {
  std::vector<std::string_view> out;
  for (const Label label : labels) out.push_back(model::name_of(label));
  return out;
}
bool elsewhere(TroubleKind kind) {
  return kind == TroubleKind::name || kind == TroubleKind::connect || kind == TroubleKind::tls;
}
double thousandth(double value) { return std::round(value * 1000) / 1000; }

const StudyShape<Burst> kBurst{
    "burst",
    {
        {"from_ns", [](auto& b, auto& c) { return (b.from - c.study.begin).count(); }, "since the beginning"},
        {"to_ns", [](auto& b, auto& c) { return (b.to - c.study.begin).count(); }},
        {"requests", &Burst::requests},
    }};

const StudyShape<CpuTaker> kTaker{"taker",
                                  {
                                      {"comm", &CpuTaker::comm},
                                      {"processes", &CpuTaker::processes},
                                      {"cpus", [](auto& t) { return thousandth(t.cpus); }},
                                  }};

const StudyShape<model::DiskUser> kDiskUser{
    "disk_user",
    {
        {"comm", &model::DiskUser::comm},
        {"processes", &model::DiskUser::processes},
        {"bytes_read", &model::DiskUser::read},
        {"bytes_written", &model::DiskUser::written},
        {"met", &model::DiskUser::met, "stretches around waits with it"},
        {"of", &model::DiskUser::of},
        {"elsewhere", [](auto& u) { return when(u.elsewhere >= 0, thousandth(u.elsewhere)); },
         "share of such stretches, anywhere in the recording, with it"},
        {"chance", [](auto& u) { return when(u.chance >= 0, thousandth(u.chance)); },
         "probability that chance alone makes as many"},
    }};

const StudyShape<model::MemoryHolder> kMemoryHolder{
    "memory_holder",
    {
        {"process", or_null(&model::MemoryHolder::process)},
        {"pid", &model::MemoryHolder::pid},
        {"bytes", &model::MemoryHolder::bytes, "of its own, which it shares with no other"},
    }};

const StudyShape<model::MemoryPressure> kMemoryPressure{
    "memory_pressure",
    {
        {"cgroup", &model::MemoryPressure::cgroup},
        {"limit_bytes", &model::MemoryPressure::limit},
        {"reached", &model::MemoryPressure::reached, "how often memory had to be freed because of the limit"},
        {"users", kMemoryHolder, &model::MemoryPressure::users, "most first"},
    }};

const StudyShape<model::Felt> kFelt{"felt",
                                    {
                                        {"route", &model::Felt::route, "an index"},
                                        {"requests", &model::Felt::requests},
                                        {"of", &model::Felt::of},
                                    }};

const StudyShape<CulpritStudy> kCulprit{
    "culprit",
    {
        {"label", [](auto& c) { return model::name_of(c.label); }},
        {"what", [](auto& c) { return OrNull{address_of(c)}; }, "the name of a lock, or its address"},
        {"device", or_null(&CulpritStudy::device)},
        {"cgroup", group_shape(), [](auto& c) { return where(!c.group.path.empty(), c.group); }},
        {"peer", peer_shape(), [](auto& c) { return where(!c.peer.address.empty(), c.peer); }},
        {"method", [](auto& c, auto& x) { return OrNull{std::string_view(x.table.texts[c.method])}; }},
        {"route", [](auto& c, auto& x) { return OrNull{std::string_view(x.table.texts[c.route])}; }},
        {"authority", [](auto& c, auto& x) { return OrNull{std::string_view(x.table.texts[c.authority])}; }},
        {"tid", or_null(&CulpritStudy::tid)},
        {"thread", or_null(&CulpritStudy::thread)},
        {"pid", [](auto& c) { return when(c.pid != 0, formats::number_of(c.pid)); }},
        {"process", or_null(&CulpritStudy::process)},
        {"at", [](auto& c, auto& x) { return OrNull{std::string_view(x.table.texts[c.at])}; }},
        {"users", kTaker, &CulpritStudy::users},
        {"inside", [](auto& c) { return when(c.inside_time != 0, model::name_of(c.inside)); }},
        {"inside_ns", or_null(&CulpritStudy::inside_time)},
        {"slow_requests", &CulpritStudy::slow},
        {"time_ns", &CulpritStudy::time},
        {"held_up", or_null(&CulpritStudy::held_up), "the slow request that it delayed longest", {.known = true}},
        {"by", or_null(&CulpritStudy::example), "the request behind the longest delay"},
    }};

const StudyShape<model::WaitingFunction> kWaiting{
    "waiting",
    {
        {"name", &model::WaitingFunction::name, "of the application"},
        {"called_from", or_null(&model::WaitingFunction::caller)},
        {"called", or_null(&model::WaitingFunction::called), "by it, in which they waited"},
        {"waits", &model::WaitingFunction::waits, "of 1 ms and more"},
        {"stacks", &model::WaitingFunction::stacks, "of these"},
        {"time_ns", &model::WaitingFunction::time, "of waits with a stack"},
        {"inside_ns", &model::WaitingFunction::inside, "of these, in it"},
    }};

const StudyShape<VerdictStep> kVerdictStep{"verdict_step",
                                           {
                                               {"label", [](auto& s) { return model::name_of(s.label); }},
                                               {"slow_ns", &VerdictStep::slow},
                                               {"who", kCulprit, &VerdictStep::who},
                                           }};

const StudyShape<VerdictPart> kPart{
    "part",
    {
        {"label", [](auto& p) { return model::name_of(p.label); }},
        {"labels", [](auto& p) { return names_of(p.labels); }},
        {"origin", one_of<model::Origin::spread>(&VerdictPart::origin)},
        {"slow_ns", &VerdictPart::slow},
        {"typical_ns", &VerdictPart::typical},
        {"crowded_share", [](auto& p) { return share(p.crowded); }},
        {"stolen_share", [](auto& p) { return share(p.stolen); }},
        {"mainly", &VerdictPart::mainly, "requests that it slowed down most"},
        {"inferred", &VerdictPart::inferred, "more than half of it was not measured"},
        {"who", kCulprit, &VerdictPart::who},
        {"root", [](auto& p) { return model::name_of(p.root); }, "what most of its time was in the end"},
        {"chain", kVerdictStep, &VerdictPart::chain, "what was behind that"},
        {"beyond_capture", &VerdictPart::beyond_capture, "the chain goes on with somebody who was not recorded"},
        {"disk_users", kDiskUser, &VerdictPart::disk_users},
        {"memory", kMemoryPressure, &VerdictPart::memory, "a limit that was reached meanwhile"},
    }};

const StudyShape<model::SlowCause> kSlowCause{
    "slow_cause",
    {
        {"part", kPart, &model::SlowCause::part},
        {"requests", &model::SlowCause::requests},
        {"slow_ns", &model::SlowCause::slow},
        {"besides", &model::SlowCause::besides, "not among the slow requests of the verdict, but next to them"},
        {"example", or_null(&model::SlowCause::example), "the slowest"},
    }};

const StudyShape<model::NewCalls> kNewCalls{
    "new_calls",
    {
        {"what", &model::NewCalls::what},
        {"since_ns", [](auto& n, auto& c) { return (n.since - c.study.begin).count(); }, "since the beginning"},
        {"before", &model::NewCalls::before, "requests before"},
        {"after", &model::NewCalls::after, "requests since then that make the call"},
        {"of", &model::NewCalls::of, "requests since then"},
        {"time_ns", &model::NewCalls::time, "of these calls, per request"},
        {"median_before_ns", &model::NewCalls::median_before, "of the requests"},
        {"median_after_ns", &model::NewCalls::median_after},
        {"other_processes", &model::NewCalls::other_processes,
         "those that served the requests before served none since then"},
    }};

const StudyShape<FailedEnd> kEnd{"failed_end",
                                 {
                                     {"status", or_null(&FailedEnd::status)},
                                     {"grpc_status", [](auto& e) { return when(e.grpc_status >= 0, e.grpc_status); }},
                                     {"outcome", [](auto& e) { return model::name_of(e.outcome); }},
                                     {"error_code", or_null(&FailedEnd::error_code)},
                                     {"requests", &FailedEnd::requests},
                                     {"grpc_message", or_null(&FailedEnd::message), "the most frequent"},
                                 }};

const StudyShape<FailureCause> kCause{
    "cause",
    {
        {"kind", one_of<TroubleKind::goaway>(&FailureCause::kind)},
        {"what", &FailureCause::what},
        {"cause", or_null(&FailureCause::cause)},
        {"end", kEnd, [](auto& c) { return where(c.kind == TroubleKind::call, c.end); },
         "of the calls, the most frequent"},
        {"failed", &FailureCause::failed, "failed requests with it"},
        {"others", &FailureCause::others, "other requests of the route with it"},
        {"by_thread", [](auto& c) { return when(elsewhere(c.kind), c.by_thread); }},
        {"idle_ns", [](auto& c) { return when(c.idle >= 0, c.idle); }},
        {"example", or_null(&FailureCause::example)},
    }};

const StudyShape<SharedTrait> kTrait{"trait",
                                     {
                                         {"trait", one_of<SharedTrait::Kind::calls>(&SharedTrait::kind)},
                                         {"value", or_null(&SharedTrait::value)},
                                         {"number", or_null(&SharedTrait::number)},
                                         {"slow", &SharedTrait::slow},
                                         {"of_slow", &SharedTrait::of_slow},
                                         {"others", &SharedTrait::others},
                                         {"of_others", &SharedTrait::of_others},
                                     }};

}  // namespace

const StudyShape<CulpritStudy>& culprit_shape() { return kCulprit; }

const StudyShape<Verdict>& verdict_shape() {
  static const StudyShape<Verdict> shape{
      "verdict",
      {
          {"scope", one_of<model::VerdictScope::machine>(&Verdict::scope)},
          {"routes", &Verdict::routes, "indexes"},
          {"kind", one_of<VerdictKind::undelivered>(&Verdict::kind)},
          {"level", one_of<model::VerdictLevel::severe>(&Verdict::level)},
          {"pattern", one_of<model::Pattern::recurring>(&Verdict::pattern)},
          {"sentence", [](auto& v, auto& c) { return OrNull{tail::sentence(v, c.study, c.table)}; }},
          {"parts", kPart, &Verdict::parts},
          {"by_cause", kSlowCause, &Verdict::by_cause, "where the slow requests have several causes"},
          {"new_calls", kNewCalls, &Verdict::new_calls,
           "calls that its requests make since some moment, and none made before"},
          {"ranked", &Verdict::ranked, "false: more time is lost than lies between the first two labels"},
          {"requests", &Verdict::requests, "slow, or failed"},
          {"of", &Verdict::of},
          {"slow_ns", &Verdict::slow},
          {"typical_ns", &Verdict::typical},
          {"excess_ns", &Verdict::excess},
          {"lost_ns", &Verdict::lost},
          {"cut_off", [](auto& v) { return when(v.kind == VerdictKind::unfinished, v.cut_off); },
           "the end of the recording explains as many that are as old"},
          {"oldest_ns", [](auto& v) { return when(v.kind == VerdictKind::unfinished, v.oldest); }},
          {"window_share", [](auto& v) { return when(v.kind == VerdictKind::undelivered, thousandth(v.window_share)); },
           "of the time after the end, in which the peer's receive window was the reason"},
          {"kind_of_their_own", &Verdict::kind_of_their_own},
          {"when", kBurst, &Verdict::when},
          {"rate_per_minute",
           [](auto& v) { return when(v.rate_high > 0, std::pair(thousandth(v.rate_low), thousandth(v.rate_high))); },
           "95 % interval of bursts per minute"},
          {"shared", kTrait, &Verdict::shared},
          {"ends", kEnd, &Verdict::ends},
          {"causes", kCause, &Verdict::causes},
          {"function", function_shape(), &Verdict::function,
           "the innermost function in which most of at least 30 samples of these requests were"},
          {"waiting", kWaiting, &Verdict::waiting,
           "the innermost function in which most of the time of a part was waited"},
          {"waiting_part", [](auto& v) { return when(v.waiting.has_value(), v.waiting_part); },
           "the index of that part"},
          {"felt", kFelt, &Verdict::felt, "requests of other routes that waited for it"},
          {"unanswered", &Verdict::unanswered},
          {"part_of", [](auto& v) { return when(v.part_of >= 0, v.part_of); },
           "the index of the verdict that explains it"},
          {"explained_ns", &Verdict::explained},
          {"examples", &Verdict::examples, "the slowest first"},
      }};
  return shape;
}

const StudyShape<CpuShortage>& shortage_shape() {
  static const StudyShape<CpuShortage> shape{
      "shortage",
      {
          {"short_ns", &CpuShortage::total, "in which recorded threads were queued for a CPU"},
          {"own_cpus", [](auto& s) { return share(s.own); }},
          {"cpus", &CpuShortage::cpus},
          {"steal_ns", [](auto& s) { return when(s.stolen >= 0, s.stolen); }},
          {"steal_cpus", [](auto& s) { return when(s.takers_known, thousandth(s.steal)); }},
          {"recorder_cpus", [](auto& s) { return when(s.takers_known, thousandth(s.recorder)); }},
          {"processes", kTaker, [](auto& s) { return where(s.takers_known, s.takers); }},
          {"episodes", kBurst, &CpuShortage::episodes},
      }};
  return shape;
}

}  // namespace tailcap::report::study

#include "analyze/report/sections/health.h"
#include "analyze/report/study/shapes.h"
#include "formats/machine.h"

namespace tailcap::report::study {
namespace {

using model::Health;
using model::HealthCell;
using model::HealthRow;
using model::Incident;
using model::IncidentKind;
using model::Trigger;

auto after(const Incident& i, formats::Time t) { return when(formats::known(t), (t - i.time).count()); }

struct Window {
  const HealthRow& row;
  const HealthCell& cell;
};
std::vector<Window> windows_of(const HealthRow& row) {
  std::vector<Window> out;
  for (const HealthCell& cell : row.cells) out.push_back({row, cell});
  return out;
}

const StudyShape<Window> kWindow{
    "health_window",
    {
        {"state", [](auto& w) { return health_name(model::state_of(w.row, w.cell)); }, "", {.values = health_names()}},
        {"requests", [](auto& w) { return w.cell.requests; }},
        {"errors", [](auto& w) { return w.cell.errors; }},
        {"p99_ns", [](auto& w) { return when(w.cell.timed >= Health::kFewest, w.cell.p99); }},
    }};

const StudyShape<HealthRow> kService{
    "service",
    {
        {"name", or_null(&HealthRow::name)},
        {"role", one_of<model::Role::client>(&HealthRow::role), "client: a service that is called"},
        {"requests", &HealthRow::requests},
        {"errors", &HealthRow::errors},
        {"usual_p99_ns", [](auto& r) { return when(r.p99.count() > 0, r.p99); }, "the median of its windows"},
        {"windows", kWindow, windows_of},
    }};

}  // namespace

const StudyShape<Health>& health_shape() {
  static const StudyShape<Health> shape{
      "health",
      {
          {"begin_ns", &Health::begin},
          {"window_ns", &Health::window},
          {"left_out", &Health::left_out},
          {"services", kService, &Health::rows, "served ones first, most requests first"},
      }};
  return shape;
}

const StudyShape<Incident>& incident_shape() {
  static const StudyShape<Incident> shape{
      "incident",
      {
          {"kind",
           [](auto& i) { return i.kind == IncidentKind::ended ? "ended" : "panicked"; },
           "",
           {.values = {"ended", "panicked"}}},
          {"at_ns", &Incident::time},
          {"pid", [](auto& i) { return formats::number_of(i.pid); }},
          {"machine", [](auto& i) { return formats::machine_of(i.pid) + 1; }},
          {"comm", or_null(&Incident::comm)},
          {"exit_code", [](auto& i) { return when(i.kind == IncidentKind::ended && i.exit_code >= 0, i.exit_code); }},
          {"signal", or_null(&Incident::signal)},
          {"core_dumped", &Incident::core_dumped},
          {"out_of_memory", &Incident::out_of_memory},
          {"panic", &Incident::panic},
          {"thrown", &Incident::thrown, "by the runtime itself"},
          {"panics", &Incident::panics, "recovered ones"},
          {"goroutine", or_null(&Incident::goroutine)},
          {"stack", or_null(&Incident::stack)},
          {"under_way", &Incident::under_way, "requests that it served then"},
          {"requests", &Incident::requests, "of these, the first"},
          {"address", or_null(&Incident::address)},
          {"next_pid", [](auto& i) { return when(i.next_pid != 0, formats::number_of(i.next_pid)); },
           "the process that answered next at the address"},
          {"started_after_ns", [](auto& i) { return after(i, i.started); }},
          {"listened_after_ns", [](auto& i) { return after(i, i.listened); }},
          {"answered_after_ns", [](auto& i) { return after(i, i.answered); }},
      }};
  return shape;
}

const StudyShape<Trigger>& trigger_shape() {
  static const StudyShape<Trigger> shape{
      "trigger",
      {
          {"pid", [](auto& t) { return formats::number_of(t.pid); }},
          {"route_index", &Trigger::route},
          {"method", [](auto& t, auto& c) { return OrNull{std::string_view(c.study.routes[t.route].method)}; }},
          {"route", [](auto& t, auto& c) { return OrNull{std::string_view(c.study.routes[t.route].route)}; }},
          {"from_ns", &Trigger::from},
          {"to_ns", &Trigger::to},
          {"busy", &Trigger::busy, "a share, on average"},
          {"of", [](auto& t) { return t.processors ? "gomaxprocs" : "cpus"; }, "", {.values = {"gomaxprocs", "cpus"}}},
          {"quantile", &Trigger::quantile},
          {"inside", &Trigger::inside, "requests in these seconds"},
          {"outside", &Trigger::outside, "requests in the rest of the recording"},
          {"inside_ns", [](auto& t) { return t.latency.after; }},
          {"outside_ns", [](auto& t) { return t.latency.before; }},
          {"difference_ns", [](auto& t) { return t.latency.difference().count(); }},
          {"low_ns", [](auto& t) { return t.latency.low.count(); }},
          {"high_ns", [](auto& t) { return t.latency.high.count(); }},
          {"label", [](auto& t) { return when(t.labelled, model::name_of(t.label)); },
           "of which the slow requests have more: a hypothesis"},
          {"label_ns", &Trigger::label_time},
          {"label_typical_ns", &Trigger::label_typical},
          {"stack", or_null(&Trigger::stack)},
          {"stack_unit", [](auto& t) { return t.waiting ? "ns" : "samples"; }, "", {.values = {"ns", "samples"}}},
          {"stacks_total", &Trigger::samples},
          {"stack_value", &Trigger::of_stack},
          {"requests", &Trigger::requests, "slow ones, longest first"},
      }};
  return shape;
}

}  // namespace tailcap::report::study

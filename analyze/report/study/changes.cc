#include "analyze/report/study/shapes.h"
#include "formats/machine.h"

namespace tailcap::report::study {
namespace {

using model::Change;
using model::ChangeKind;
using model::ChangeStudy;
using model::RouteShift;
using model::Shift;
using model::StatusShift;

const StudyShape<Change> kChange{
    "change",
    {
        {"kind", one_of<ChangeKind::restart>(&Change::kind)},
        {"at_ns", &Change::at},
        {"offset_ns", [](auto& c, auto& x) { return (c.at - x.study.begin).count(); }, "since the beginning"},
        {"key", or_null(&Change::key)},
        {"value", [](auto& c) { return when(c.kind == ChangeKind::note, std::string_view(c.value)); }},
        {"comm", or_null(&Change::comm), "of the program"},
        {"address", or_null(&Change::address), "where it answers"},
        {"pid", [](auto& c) { return when(c.kind != ChangeKind::note, formats::number_of(c.pid)); }},
        {"build_before", or_null(&Change::build_before)},
        {"build_after", or_null(&Change::build_after)},
    }};

const StudyShape<StatusShift> kStatusShift{
    "status_shift",
    {
        {"route_index", &StatusShift::route},
        {"from_ns", &StatusShift::from},
        {"to_ns", &StatusShift::to},
        {"status_class", [](auto& s) { return when(s.status_class != 0, std::to_string(s.status_class) + "xx"); },
         "that became more; null: no answer"},
        {"before", &StatusShift::before},
        {"before_of", &StatusShift::before_of},
        {"after", &StatusShift::after},
        {"after_of", &StatusShift::after_of},
    }};

const StudyShape<Shift> kShift{
    "shift",
    {
        {"verdict", one_of<model::ShiftVerdict::shifted>(&Shift::verdict)},
        {"reason", or_null(&Shift::reason)},
        {"before_ns", [](auto& s) { return when(s.interval, s.before); }},
        {"after_ns", [](auto& s) { return when(s.interval, s.after); }},
        {"difference_ns", [](auto& s) { return when(s.interval, s.difference().count()); }},
        {"low_ns", [](auto& s) { return when(s.interval, s.low.count()); }, "of the 95 % interval"},
        {"high_ns", [](auto& s) { return when(s.interval, s.high.count()); }},
    }};

const StudyShape<RouteShift> kRouteShift{
    "route_shift",
    {
        {"change", &RouteShift::change, "its index"},
        {"route_index", &RouteShift::route},
        {"method", [](auto& s, auto& c) { return OrNull{std::string_view(c.study.routes[s.route].method)}; }},
        {"route", [](auto& s, auto& c) { return OrNull{std::string_view(c.study.routes[s.route].route)}; }},
        {"role", [](auto& s, auto& c) { return OneOf<model::Role::client>{c.study.routes[s.route].role}; }},
        {"from_ns", &RouteShift::from},
        {"to_ns", &RouteShift::to},
        {"before", &RouteShift::before, "requests"},
        {"after", &RouteShift::after, "requests"},
        {"median", kShift, &RouteShift::median},
        {"p99", kShift, &RouteShift::p99},
    }};

}  // namespace

const StudyShape<ChangeStudy>& changes_shape() {
  static const StudyShape<ChangeStudy> shape{
      "changes",
      {
          {"left_out", &ChangeStudy::left_out, "earlier ones that were not kept"},
          {"changes", kChange, &ChangeStudy::changes, "by time"},
          {"status_shifts", kStatusShift, &ChangeStudy::status_shifts, "by time"},
          {"status_shifts_left_out", &ChangeStudy::status_shifts_left_out},
          {"shifts", kRouteShift, &ChangeStudy::shifts},
      }};
  return shape;
}

}  // namespace tailcap::report::study

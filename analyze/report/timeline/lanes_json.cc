// `tailcap timeline --json` and its schema.
#include <span>

#include "analyze/report/json/shape.h"
#include "analyze/report/timeline/lanes_svg.h"
#include "analyze/report/words/json_schema.h"
#include "formats/event.h"

namespace tailcap::report {
namespace of_lanes {
namespace {

using model::Lane;
using model::LaneMark;
using model::Lanes;
using model::LaneStretch;
using model::Time;

constexpr std::string_view kKinds[] = {"collector", "connection", "goroutine", "thread"};
constexpr std::string_view kMarks[] = {"arrived", "read", "sent"};
static_assert(std::size(kKinds) == model::kLaneKinds);

struct Since {
  Time zero;
};
template <class T>
using LaneShape = Shape<T, Since>;
template <class T>
auto since(Time T::*member) {
  return [member](const T& from, const Since& c) { return (from.*member - c.zero).count(); };
}

auto by_kind(std::array<std::size_t, model::kLaneKinds> Lanes::*member) {
  return [member](const Lanes& lanes) {
    std::vector<std::pair<std::string_view, std::uint64_t>> out;
    for (std::size_t k = 0; k < model::kLaneKinds; ++k) out.emplace_back(kKinds[k], (lanes.*member)[k]);
    return Map{out};
  };
}

const LaneShape<LaneStretch> kInterval{
    "lane_interval",
    {
        {"from_ns", since(&LaneStretch::from)},
        {"to_ns", since(&LaneStretch::to)},
        {"what", one_of<model::LabelGroup::unexplained>(&LaneStretch::what),
         "scheduler: waiting for a CPU; causeless: blocked or parked"},
        {"note", or_null(&LaneStretch::note), "a goroutine's state or what it waits for in Go's words"},
    }};

const LaneShape<LaneMark> kMark{"mark",
                                {
                                    {"at_ns", since(&LaneMark::at)},
                                    {"what",
                                     [](auto& m) { return kMarks[static_cast<std::size_t>(m.kind)]; },
                                     "",
                                     {.values = {std::begin(kMarks), std::end(kMarks)}}},
                                    {"bytes", &LaneMark::bytes},
                                }};

const LaneShape<Lane> kLane{
    "lane",
    {
        {"kind",
         [](auto& l) { return kKinds[static_cast<std::size_t>(l.kind)]; },
         "",
         {.values = {std::begin(kKinds), std::end(kKinds)}}},
        {"pid", &Lane::pid},
        {"number", &Lane::number, "of the thread, goroutine, socket; collector: 0 collections, 1 stops of the world"},
        {"name", or_null(&Lane::name)},
        {"stretches", kInterval, &Lane::stretches},
        {"marks", kMark, &Lane::marks},
    }};

const LaneShape<Lanes>& lanes_shape() {
  static const LaneShape<Lanes> shape{
      "timeline",
      {
          {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
          {"from_ns", since(&Lanes::from),
           "from the start of the recording, as all times here; from the start of the window where --from is a time of "
           "day"},
          {"to_ns", since(&Lanes::to)},
          {"events_lost", &Lanes::lost, "in the window: what is between intervals is not known"},
          {"goroutine_states", &Lanes::goroutine_states, "recorded with --profile deep"},
          {"left_out", by_kind(&Lanes::left_out), "lanes that did less than those listed"},
          {"idle", by_kind(&Lanes::idle), "that waited all the time, and have no lane"},
          {"lanes", kLane, &Lanes::lanes},
      }};
  return shape;
}

}  // namespace
}  // namespace of_lanes

std::string lanes_json(const model::Lanes& lanes, model::Time zero) {
  return json_of(of_lanes::lanes_shape(), lanes, of_lanes::Since{zero});
}
std::string lanes_schema() {
  return json_schema(of_lanes::lanes_shape(), "tailcap timeline --json", "What went on in a window of time.");
}

}  // namespace tailcap::report

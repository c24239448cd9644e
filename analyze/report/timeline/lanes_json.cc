#include <array>

#include "analyze/report/json/json_writer.h"
#include "analyze/report/timeline/lanes_svg.h"
#include "analyze/report/words/json_schema.h"
#include "formats/event.h"

namespace tailcap::report {
namespace {

constexpr std::array<const char*, model::kLaneKinds> kKinds = {"collector", "connection", "goroutine", "thread"};
constexpr std::array<const char*, 3> kMarks = {"arrived", "read", "sent"};

}  // namespace

std::string lanes_json(const model::Lanes& lanes, model::Time zero) {
  std::string out;
  JsonWriter json(out);
  const auto ns = [&](model::Time t) { return std::int64_t{(t - zero).count()}; };
  json.begin_object();
  json.field("schema", kJsonSchema);
  json.field("from_ns", ns(lanes.from));
  json.field("to_ns", ns(lanes.to));
  json.field("events_lost", lanes.lost);
  json.field("goroutine_states", lanes.goroutine_states);
  for (const auto& [name, counts] : {std::pair{"left_out", &lanes.left_out}, std::pair{"idle", &lanes.idle}}) {
    json.key(name);
    json.begin_object();
    for (std::size_t k = 0; k < model::kLaneKinds; ++k) json.field(kKinds[k], std::uint64_t{(*counts)[k]});
    json.end_object();
  }
  json.key("lanes");
  json.begin_array();
  for (const model::Lane& lane : lanes.lanes) {
    json.begin_object();
    json.field("kind", kKinds[static_cast<std::size_t>(lane.kind)]);
    json.field("pid", lane.pid);
    json.field("number", lane.number);
    json.key("name");
    json.text_or_null(lane.name);
    json.key("stretches");
    json.begin_array();
    for (const auto& s : lane.stretches) {
      json.begin_object();
      json.field("from_ns", ns(s.from));
      json.field("to_ns", ns(s.to));
      json.field("what", model::name_of(s.what));
      json.key("note");
      json.text_or_null(s.note);
      json.end_object();
    }
    json.end_array();
    json.key("marks");
    json.begin_array();
    for (const auto& m : lane.marks) {
      json.begin_object();
      json.field("at_ns", ns(m.at));
      json.field("what", kMarks[static_cast<std::size_t>(m.kind)]);
      json.field("bytes", m.bytes);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out + "\n";
}

}  // namespace tailcap::report

#include "analyze/model/study/file_calls.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/views/events/event_names.h"
#include "analyze/views/events/event_text.h"
#include "formats/fields/tables.h"
#include "formats/machine.h"
#include "ground/text.h"

namespace tailcap::views {
namespace {

using report::JsonWriter;

// The fields behind time, kind and thread.
struct Json {
  JsonWriter& json;

  // Every character stands for one byte: nothing is lost, whatever the bytes are.
  void bytes(std::string_view name, std::string_view value) const {
    std::string latin;
    for (const char c : value) {
      const auto u = static_cast<unsigned char>(c);
      if (u < 0x80)
        latin += c;
      else
        (latin += static_cast<char>(0xc0 | (u >> 6))) += static_cast<char>(0x80 | (u & 0x3f));
    }
    json.field(name, latin);
  }
  void time(std::string_view name, Time t) const {
    if (!known(t)) return null(name);
    json.field(name, std::int64_t{nanoseconds(t)});
  }
  void null(std::string_view name) const {
    json.key(name);
    json.null();
  }

  template <class B>
  void operator()(const B& body) const {
    each_field(body, [&](const auto& field, const auto& value) {
      put<std::remove_cvref_t<decltype(field)>::as>(field.name, value, body);
    });
  }

  template <As kAs, class T, class B>
  void put(std::string_view name, const T& value, const B& body) const {
    if constexpr (kAs == As::part || kAs == As::unshown)
      return;
    else if constexpr (kAs == As::raw_bytes)
      bytes(name, value);
    else if constexpr (kAs == As::hex)
      json.field(name, ground::hex_text(value));
    else if constexpr (kAs == As::kind)
      json.field(name, formats::name_of(static_cast<Kind>(value)));
    else if constexpr (kAs == As::pid)
      json.field(name, formats::number_of(value));
    else if constexpr (std::is_same_v<T, Address>)
      json.field(name, endpoint_of(body, value));
    else if constexpr (std::is_same_v<T, Time>)
      time(name, value);
    else if constexpr (std::is_same_v<T, Duration>)
      duration<kAs>(json, name, value);
    else if constexpr (std::is_enum_v<T>)
      json.field(name, name_of(value));
    else if constexpr (std::is_same_v<T, std::string_view> || std::is_same_v<T, bool>)
      json.field(name, value);
    else if (!is_none<kAs>(value))
      json.field(name, static_cast<std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>(value));
    else if (kAs != As::if_any)
      null(name);
  }

  template <As kAs>
  static void duration(JsonWriter& json, std::string_view name, Duration value) {
    if (kAs != As::if_any || value.count() != 0) json.field(name, std::int64_t{value.count()});
  }

  template <As kAs, class T>
  static bool is_none(T value) {
    if constexpr (kAs == As::syscall) return std::is_signed_v<T> ? value < 0 : value == 0xffff;
    if constexpr (kAs == As::result) return value == model::kResultUnknown;
    return kAs == As::if_any && value == 0;
  }
};

}  // namespace

void append_event(std::string& out, const Event& event, const model::WallClock& clock, bool in_stw) {
  JsonWriter json(out);
  json.begin_object();
  json.field("schema", report::kJsonSchema);
  json.key("time");
  if (known(event.time))
    json.number(nanoseconds(event.time));
  else
    json.null();
  json.key("realtime_ns");
  if (known(event.time) && clock.known())
    json.number(clock.realtime(event.time));
  else
    json.null();
  json.field("kind", formats::name_of(kind_of(event)));
  json.field("pid", formats::number_of(event.thread.pid));
  json.field("tid", formats::number_of(event.thread.tid));
  json.field("machine", formats::machine_of(event.thread.pid) + 1);
  if (event.goroutine != 0) json.field("goroutine", event.goroutine);
  std::visit(Json{json}, event.body);
  if (std::holds_alternative<GoCreate>(event.body)) json.field("in_stw", in_stw);
  json.end_object();
}

}  // namespace tailcap::views

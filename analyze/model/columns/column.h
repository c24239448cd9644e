// A fact of a request: its name, what it is, how it is got, and on which surfaces it stands.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "analyze/model/columns/facts.h"
#include "analyze/model/columns/value.h"

namespace tailcap::model::columns {

// Where columns stand, with names of their own where those of JSON are not possible or not usual.
enum class Surface : std::uint8_t { filter, json, sql, clickhouse, log_line, har };
inline constexpr std::size_t kSurfaces = 6;

// What must be given in Facts beside the table and the row.
enum Need : std::uint8_t { kAccount = 1, kClock = 2, kEnds = 4, kSplit = 8 };

struct Stand {
  std::string_view name = {};  // empty: it does not stand there
  int place = 0;               // among the columns there; new ones come last, so that positions stay
  std::string_view type = {};  // ClickHouse's
};

// An object of JSON whose members are columns.
struct Group {
  std::string_view name;
  std::string_view says;
  bool (*there)(const Facts&);  // otherwise it is null
};

struct Column {
  enum class Omitted : std::uint8_t { never, unknown, live_unknown };

  std::string_view name;  // as JSON has it; "http2.pushed" is the member `pushed` of the object `http2`
  Type type = Type::text;
  Unit unit = Unit::none;
  std::string_view says;                 // one sentence, without a full stop
  Value (*get)(const Facts&) = nullptr;  // null: nested
  Names (*values)() = nullptr;           // of a text or a list: all that it can be, in order; null: any
  std::string_view short_form = {};      // another name in filters; of a time, one that wants a unit
  std::string_view old_name = {};        // the name that it had in filters; a filter with it warns
  std::uint8_t needs = 0;                // bits of Need
  bool at_end = false;                   // known only when the recording has ended
  bool whole = false;                    // changes while more of the capture is read
  Omitted omitted = Omitted::never;      // JSON: the name is left out where the value is unknown
  std::array<Stand, kSurfaces> stands{};
  const Group* object = nullptr;  // that it is a member of; set in the list (columns.h)
  std::string_view member = {};   // its name there; otherwise `name`

  constexpr const Stand& on(Surface surface) const { return stands[static_cast<std::size_t>(surface)]; }
  constexpr bool stands_on(Surface surface) const { return !on(surface).name.empty(); }

  // The table is written with these.
  constexpr Column one_of(Names (*names)()) const {
    return with([&](Column& c) { c.values = names; });
  }
  constexpr Column in_short(std::string_view text) const {
    return with([&](Column& c) { c.short_form = text; });
  }
  constexpr Column formerly(std::string_view text) const {
    return with([&](Column& c) { c.old_name = text; });
  }
  constexpr Column needing(unsigned bits) const {
    return with([&](Column& c) { c.needs = static_cast<std::uint8_t>(c.needs | bits); });
  }
  constexpr Column at_its_end() const {
    return with([&](Column& c) { c.at_end = true; });
  }
  constexpr Column of_the_whole() const {
    return with([&](Column& c) { c.whole = true; });
  }
  constexpr Column omitted_where(Omitted how) const {
    return with([&](Column& c) { c.omitted = how; });
  }
  constexpr Column not_on(Surface surface) const {
    return with([&](Column& c) { c.stands[static_cast<std::size_t>(surface)] = {}; });
  }
  constexpr Column sql(std::string_view as, int place) const { return stand(Surface::sql, {as, place}); }
  constexpr Column clickhouse(std::string_view as, int place, std::string_view kind) const {
    return stand(Surface::clickhouse, {as, place, kind});
  }
  constexpr Column log_line(std::string_view as, int place) const { return stand(Surface::log_line, {as, place}); }
  constexpr Column har(std::string_view as, int place) const { return stand(Surface::har, {as, place}); }

 private:
  template <class Change>
  constexpr Column with(Change change) const {
    Column out = *this;
    change(out);
    return out;
  }
  constexpr Column stand(Surface surface, Stand where) const {
    return with([&](Column& c) { c.stands[static_cast<std::size_t>(surface)] = where; });
  }
};

}  // namespace tailcap::model::columns

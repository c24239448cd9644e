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
struct ColumnGroup {
  std::string_view name;
  std::string_view says;
  bool (*there)(const ColumnFacts&);  // otherwise it is null
};

struct RequestColumn {
  enum class Omitted : std::uint8_t { never, unknown, live_unknown };

  std::string_view name;  // as JSON has it; "http2.pushed" is the member `pushed` of the object `http2`
  ColumnType type = ColumnType::text;
  Unit unit = Unit::none;
  std::string_view says;                             // one sentence, without a full stop
  ColumnValue (*get)(const ColumnFacts&) = nullptr;  // null: nested
  ValueNames (*values)() = nullptr;                  // of a text or a list: all that it can be, in order; null: any
  std::string_view short_form = {};                  // another name in filters; of a time, one that wants a unit
  std::string_view old_name = {};                    // the name that it had in filters; a filter with it warns
  std::uint8_t needs = 0;                            // bits of Need
  bool at_end = false;                               // known only when the recording has ended
  bool whole = false;                                // changes while more of the capture is read
  Omitted omitted = Omitted::never;                  // JSON: the name is left out where the value is unknown
  std::array<Stand, kSurfaces> stands{};
  const ColumnGroup* object = nullptr;  // that it is a member of; set in the list (columns.h)
  std::string_view member = {};         // its name there; otherwise `name`

  constexpr const Stand& on(Surface surface) const { return stands[static_cast<std::size_t>(surface)]; }
  constexpr bool stands_on(Surface surface) const { return !on(surface).name.empty(); }

  // The table is written with these.
  constexpr RequestColumn one_of(ValueNames (*names)()) const {
    return with([&](RequestColumn& c) { c.values = names; });
  }
  constexpr RequestColumn in_short(std::string_view text) const {
    return with([&](RequestColumn& c) { c.short_form = text; });
  }
  constexpr RequestColumn formerly(std::string_view text) const {
    return with([&](RequestColumn& c) { c.old_name = text; });
  }
  constexpr RequestColumn needing(unsigned bits) const {
    return with([&](RequestColumn& c) { c.needs = static_cast<std::uint8_t>(c.needs | bits); });
  }
  constexpr RequestColumn at_its_end() const {
    return with([&](RequestColumn& c) { c.at_end = true; });
  }
  constexpr RequestColumn of_the_whole() const {
    return with([&](RequestColumn& c) { c.whole = true; });
  }
  constexpr RequestColumn omitted_where(Omitted how) const {
    return with([&](RequestColumn& c) { c.omitted = how; });
  }
  constexpr RequestColumn not_on(Surface surface) const {
    return with([&](RequestColumn& c) { c.stands[static_cast<std::size_t>(surface)] = {}; });
  }
  constexpr RequestColumn sql(std::string_view as, int place) const { return stand(Surface::sql, {as, place}); }
  constexpr RequestColumn clickhouse(std::string_view as, int place, std::string_view kind) const {
    return stand(Surface::clickhouse, {as, place, kind});
  }
  constexpr RequestColumn log_line(std::string_view as, int place) const {
    return stand(Surface::log_line, {as, place});
  }
  constexpr RequestColumn har(std::string_view as, int place) const { return stand(Surface::har, {as, place}); }

 private:
  template <class Change>
  constexpr RequestColumn with(Change change) const {
    RequestColumn out = *this;
    change(out);
    return out;
  }
  constexpr RequestColumn stand(Surface surface, Stand where) const {
    return with([&](RequestColumn& c) { c.stands[static_cast<std::size_t>(surface)] = where; });
  }
};

}  // namespace tailcap::model::columns

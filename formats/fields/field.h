// The words of the tables that say, for each kind of event, which fields it has: formats/fields/*.h.
//
// From a kind's table follow its columns, its JSON, its text, what merging changes, and the events of tests.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "formats/event.h"

namespace tailcap::formats {

// How a field is stored and shown, where its type does not say so.
enum class As {
  plain,
  // Stored in another form.
  took,          // a Time: as the distance to the event's own
  less_one,      // a count of at least 1
  socket,        // a ref that takes part in the rule for sockets left out (formats/FORMAT.md)
  other_socket,  // a ref that does not; 0: none
  session,       // a ref that does not, and is never 0
  // Shown in another form.
  pid,        // of a process or thread: without the number of its machine
  syscall,    // none: null
  result,     // of a call; the lowest number, not known: null
  if_any,     // 0: left out
  kind,       // the number of a Kind: its name
  raw_bytes,  // a character for each byte
  hex,
  // Other machines have the same ones: merging tells them apart.
  inode,
  net_namespace,
  cgroup,
  // Shown as a part of another field.
  part,     // in JSON and in the texts of tests
  unshown,  // in JSON alone
};

inline constexpr int kByHand = -1;

template <int kNumber, As kAs, class Get>
struct Field {
  static constexpr int number = kNumber;  // of the column in the kind's struct of capture.capnp, or kByHand
  static constexpr As as = kAs;
  std::string_view name;  // in JSON
  Get get;                // a pointer to the member, or a function of the body that returns a reference
};

template <int kNumber, As kAs = As::plain, class Get>
constexpr auto field(std::string_view name, Get get) {
  return Field<kNumber, kAs, Get>{name, get};
}
// A field whose columns formats/columns/own_columns.h lists, because they depend on other events or on each other.
template <As kAs = As::plain, class Get>
constexpr auto by_hand(std::string_view name, Get get) {
  return Field<kByHand, kAs, Get>{name, get};
}

// A kind that events of a type are stored as.
struct KindEntry {
  Kind kind;
  int number;  // of its member in Events of capture.capnp, or kNotStored
  std::string_view name;
};
inline constexpr int kNotStored = -1;

// Specialised for every type of Body:
//   kinds    one; of types with a direction two, the first for Direction::out
//   fields   in the order in which they are shown
template <class B>
struct Table;

// Calls f(field, value) for every field of the body.
template <class B, class F>
constexpr void each_field(B& body, F&& f) {
  std::apply([&](const auto&... field) { (f(field, std::invoke(field.get, body)), ...); },
             Table<std::remove_const_t<B>>::fields);
}

}  // namespace tailcap::formats

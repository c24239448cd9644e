// The columns of an event block, as they are stored: of every kind, those of its table (formats/fields) and those of
// its own code (own_columns.h). What a column means is said in formats/FORMAT.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "formats/columns/column.h"
#include "formats/columns/own_columns.h"
#include "formats/fields/tables.h"

namespace tailcap::formats::columns {

// A time column entry that says "take the next of time_far".
inline constexpr std::uint16_t kFar = 0xffff;

// What a column holds for each value of a field.
template <class T, As kAs>
constexpr auto entry_of() {
  if constexpr (kAs == As::socket || kAs == As::other_socket || kAs == As::session)
    return std::uint16_t{};  // ref into sockets
  else if constexpr (std::is_same_v<T, std::string_view> || std::is_same_v<T, Address>)
    return std::uint16_t{};  // ref to a piece of bytes
  else if constexpr (kAs == As::took)
    return std::uint64_t{};
  else if constexpr (std::is_same_v<T, Time> || std::is_same_v<T, Duration>)
    return std::int64_t{};
  else if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>)
    return std::uint8_t{};
  else
    return T{};
}

// The columns of one kind, whose events are of type B.
template <class B, template <class> class C>
class KindColumns : public OwnColumns<B, C> {
 public:
  // Calls f(field, value, column) for every field of the body that the table has a column for.
  template <class Of, class F>
  void each_field(Of& body, F&& f) {
    in_table(*this, [&](const auto& field, auto& column) { f(field, std::invoke(field.get, body), column); });
  }
  template <class Of, class F>
  void each_field(Of& body, F&& f) const {
    in_table(*this, [&](const auto& field, const auto& column) { f(field, std::invoke(field.get, body), column); });
  }

  // Calls f(number, column, is_sparse) for every column, by number.
  template <class F>
  void each_column(F&& f) {
    [&]<int... number>(std::integer_sequence<int, number...>) { (with_column<number>(f), ...); }
    (std::make_integer_sequence<int, kColumns>());
  }

  template <int kNumber>
  auto& column() {
    return std::get<index_of(kNumber)>(table_);
  }
  template <int kNumber>
  const auto& column() const {
    return std::get<index_of(kNumber)>(table_);
  }

 private:
  static constexpr auto& kTable = Table<B>::fields;
  static constexpr std::size_t kFields = std::tuple_size_v<std::remove_cvref_t<decltype(kTable)>>;
  using Own = decltype(std::declval<OwnColumns<B, C>&>().own());

  template <class F>
  static auto made_for(const F& field) {
    using Value = std::remove_cvref_t<decltype(std::invoke(field.get, std::declval<B&>()))>;
    if constexpr (F::number == kByHand)
      return std::monostate{};
    else
      return C<decltype(entry_of<Value, F::as>())>{};
  }
  template <class... F>
  static auto all_made_for(const std::tuple<F...>&) -> std::tuple<decltype(made_for(std::declval<const F&>()))...>;

  // The index of the field with this number, or kFields.
  static constexpr std::size_t index_of(int number) {
    return std::apply(
        [&]<class... F>(const F&...) {
          std::size_t index = kFields, i = 0;
          ((index = F::number == number ? i : index, ++i), ...);
          return index;
        },
        kTable);
  }

  template <class Self, class F>
  static void in_table(Self& self, F&& f) {
    const auto one = [&]<std::size_t i>(std::integral_constant<std::size_t, i>) {
      if constexpr (std::tuple_element_t<i, std::remove_cvref_t<decltype(kTable)>>::number != kByHand)
        f(std::get<i>(kTable), std::get<i>(self.table_));
    };
    [&]<std::size_t... i>(std::index_sequence<i...>) { (one(std::integral_constant<std::size_t, i>()), ...); }
    (std::make_index_sequence<kFields>());
  }

  template <int kNumber, class F>
  void with_column(F& f) {
    if constexpr (index_of(kNumber) < kFields)
      f(kNumber, std::get<index_of(kNumber)>(table_), false);
    else
      std::apply(
          [&]<class... O>(const O&... own) {
            static_assert((0 + ... + (O::number == kNumber)) == 1, "columns are numbered from 0");
            const auto one = [&]<class One>(const One& column) {
              if constexpr (One::number == kNumber) f(kNumber, column.column, One::sparse);
            };
            (one(own), ...);
          },
          this->own());
  }

  template <class... F, class... O>
  static constexpr int columns_of(const std::tuple<F...>&, std::tuple<O...>*) {
    return static_cast<int>(sizeof...(O)) + (0 + ... + (F::number != kByHand));
  }
  template <class... Held, class... O>
  static constexpr std::size_t dense_bytes_of(std::tuple<Held...>*, std::tuple<O...>*) {
    return (std::size_t{0} + ... + bytes_of(static_cast<Held*>(nullptr))) +
           (std::size_t{0} + ... +
            (O::sparse ? 0 : bytes_of(static_cast<decltype(&std::declval<O>().column)>(nullptr))));
  }
  template <class T>
  static constexpr std::size_t bytes_of(C<T>*) {
    return sizeof(T);
  }
  static constexpr std::size_t bytes_of(std::monostate*) { return 0; }

  using InTable = decltype(all_made_for(kTable));
  InTable table_;

 public:
  static constexpr int kColumns = columns_of(kTable, static_cast<Own*>(nullptr));
  // What an event takes, sparse columns apart.
  static constexpr std::size_t kDenseBytes = dense_bytes_of(static_cast<InTable*>(nullptr), static_cast<Own*>(nullptr));
};

namespace detail {
template <template <class> class C, std::size_t... kind>
auto kinds(std::index_sequence<kind...>) -> std::tuple<KindColumns<BodyOf<static_cast<Kind>(kind)>, C>...>;
}

template <template <class> class C>
struct BlockColumns {
  std::int64_t base = 0;
  C<std::uint8_t> order;
  C<std::uint16_t> time;
  C<std::int64_t> time_far;
  C<std::uint16_t> thread, goroutine;
  C<std::uint32_t> pids, tids;
  C<std::uint64_t> sockets, goroutines;
  C<std::uint32_t> piece_ends;
  C<std::uint8_t> bytes;
  decltype(detail::kinds<C>(std::make_index_sequence<kKinds>())) kinds;  // by number

  template <Kind kKind>
  auto& of() {
    return std::get<static_cast<std::size_t>(kKind)>(kinds);
  }
  template <Kind kKind>
  const auto& of() const {
    return std::get<static_cast<std::size_t>(kKind)>(kinds);
  }

  // Calls f(entry, columns of the kind) for every kind that is stored, by number.
  template <class F>
  void each_kind(F&& f) {
    const auto one = [&]<std::size_t i>(std::integral_constant<std::size_t, i>) {
      if constexpr (kKindEntries[i].number != kNotStored) f(kKindEntries[i], std::get<i>(kinds));
    };
    [&]<std::size_t... i>(std::index_sequence<i...>) { (one(std::integral_constant<std::size_t, i>()), ...); }
    (std::make_index_sequence<kKinds>());
  }
};

}  // namespace tailcap::formats::columns

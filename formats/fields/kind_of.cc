#include <algorithm>

#include "formats/event.h"
#include "formats/fields/tables.h"

namespace tailcap::formats {

static_assert(kKinds == std::variant_size_v<Body> + 2, "Io and TlsIo are two kinds each");
static_assert(std::none_of(kKindEntries.begin(), kKindEntries.end(),
                           [](const KindEntry& e) { return e.name.empty(); }));

Kind kind_of(const Event& event) {
  return std::visit(
      []<class B>([[maybe_unused]] const B& body) {
        if constexpr (kTwoKinds<B>)
          return Table<B>::kinds[body.direction == Direction::out ? 0 : 1].kind;
        else
          return Table<B>::kinds[0].kind;
      },
      event.body);
}

std::string_view name_of(Kind kind) {
  const auto i = static_cast<std::size_t>(kind);
  return i < kKinds ? kKindEntries[i].name : "unknown";
}

}  // namespace tailcap::formats

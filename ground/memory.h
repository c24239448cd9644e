// Memory that is given back, or fetched ahead.
#pragma once

#include <cstddef>

namespace tailcap::ground {

// Gives back the memory of a container that may have millions of entries. `container = {}` keeps it: the standard
// library assigns an empty list to what is there.
template <class Container>
void release(Container& container) {
  Container().swap(container);
}

// Brings all of a thing that will be read soon, or written, into the caches, without waiting for it. Always inlined:
// GCC takes a function that does nothing else for one without effects, and leaves out its calls.
enum class Use : bool { read, write };
template <Use use = Use::read, class T>
[[gnu::always_inline]] inline void prefetch(const T& thing) {
  constexpr std::size_t kLine = 64;  // bytes
  const auto* const bytes = reinterpret_cast<const char*>(&thing);
  for (std::size_t at = 0; at < sizeof thing; at += kLine) __builtin_prefetch(bytes + at, use == Use::write);
}

}  // namespace tailcap::ground

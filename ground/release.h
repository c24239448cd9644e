// Gives back the memory of a container that may have millions of entries.
#pragma once

namespace tailcap::ground {

// `container = {}` keeps it: the standard library assigns an empty list to what is there.
template <class Container>
void release(Container& container) {
  Container().swap(container);
}

}  // namespace tailcap::ground

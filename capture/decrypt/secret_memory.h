// Memory for secrets: locked, so that it is never written to a swap device, whether there is one now or later; left out
// of dumps; zero in processes that are forked.
#pragma once

#include <cstddef>

namespace tailcap::capture::decrypt::secret_memory {

inline constexpr std::size_t kPlace = 64;

// A place of kPlace bytes, all zero. Throws std::bad_alloc.
unsigned char* take();
// It must have been wiped.
void give_back(unsigned char* place);

}  // namespace tailcap::capture::decrypt::secret_memory

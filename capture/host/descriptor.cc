#include "capture/host/descriptor.h"

#include <unistd.h>

#include <utility>

namespace tailcap::capture {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    descriptor_ = other.release();
  }
  return *this;
}

int Descriptor::release() { return std::exchange(descriptor_, -1); }

void Descriptor::reset() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

}  // namespace tailcap::capture

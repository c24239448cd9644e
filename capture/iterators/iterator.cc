#include "capture/iterators/iterator.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

namespace tailcap::capture {

std::vector<std::byte> iterate(const bpf_program* program) {
  if (!bpf_program__autoload(program)) return {};
  const std::unique_ptr<bpf_link, decltype(&bpf_link__destroy)> link(bpf_program__attach_iter(program, nullptr),
                                                                     bpf_link__destroy);
  const std::string name = bpf_program__name(program);
  if (!link) throw std::system_error(errno, std::generic_category(), "cannot attach the iterator " + name);
  const int descriptor = bpf_iter_create(bpf_link__fd(link.get()));
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "cannot start the iterator " + name);
  std::vector<std::byte> bytes;
  for (;;) {
    const std::size_t used = bytes.size();
    bytes.resize(used + 65536);
    const ssize_t got = read(descriptor, bytes.data() + used, 65536);
    bytes.resize(used + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN))) continue;
    const int error = errno;
    close(descriptor);
    if (got < 0) throw std::system_error(error, std::generic_category(), "cannot read the iterator " + name);
    return bytes;
  }
}

}  // namespace tailcap::capture

#include "capture/scan/worker.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "capture/scan/message.h"
#include "capture/scan/requests.h"
#include "capture/scan/sandbox.h"

namespace tailcap::capture::scan {

namespace {

constexpr unsigned kLifetime = 60;  // seconds; the caller gives up before that
constexpr std::size_t kMaxRequest = 65536;

bool write_all(int file, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = write(file, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    done += static_cast<std::size_t>(wrote);
  }
  return true;
}

}  // namespace

void serve_scans(int socket) {
  alarm(kLifetime);
  if (!confine()) return;
  for (Message message; receive_message(socket, Take::descriptors, kMaxRequest, message) == Received::message;) {
    if (message.descriptors.size() != 2) return;
    if (!write_all(message.descriptors[1].get(), answer(message.bytes, message.descriptors[0].get()))) return;
    if (!send_message(socket, "!")) return;
  }
}

}  // namespace tailcap::capture::scan

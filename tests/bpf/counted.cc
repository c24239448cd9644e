#include "tests/bpf/counted.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace tailcap::workload {

Books books;

void die(const char* what) {
  std::perror(what);
  std::exit(9);
}

std::uint64_t cookie(int descriptor) {
  std::uint64_t value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &value, &size) != 0) die("SO_COOKIE");
  return value;
}

Account& Books::of(int descriptor) {
  Account& account = accounts_[cookie(descriptor)];
  struct stat status {};
  if (!account.inode && fstat(descriptor, &status) == 0) account.inode = status.st_ino;
  return account;
}

void Books::forget() { accounts_.clear(); }

void Books::write(const char* path) {
  FILE* file = std::fopen(path, "a");
  if (!file) die(path);
  for (const auto& [id, a] : accounts_) {
    std::fprintf(file, "%lu %lu %lu %lu %lu %lu %lu %lu\n", id, a.inode, a.sends, a.sent, a.receives, a.received,
                 a.ends, a.errors);
  }
  std::fclose(file);
}

namespace {

Account& account(int descriptor) {
  const std::lock_guard guard(books.lock);
  return books.of(descriptor);
}

std::vector<char> next_bytes(int descriptor, std::size_t size) {
  const Account& a = account(descriptor);
  std::vector<char> bytes(size);
  for (std::size_t i = 0; i < size; i++) bytes[i] = a.script ? a.script->at(a.sent + i) : pattern(a.sent + i);
  return bytes;
}

ssize_t count_out(int descriptor, ssize_t result) {
  const int error = errno;
  Account& a = account(descriptor);
  if (result > 0) {
    a.sends++;
    a.sent += static_cast<std::uint64_t>(result);
  } else if (result < 0 && error != EAGAIN) {
    a.errors++;
  }
  errno = error;
  return result;
}

ssize_t count_in(int descriptor, ssize_t result) {
  const int error = errno;
  Account& a = account(descriptor);
  if (result > 0) {
    a.receives++;
    a.received += static_cast<std::uint64_t>(result);
  } else if (result == 0) {
    a.ends++;
  } else if (error != EAGAIN) {
    a.errors++;
  }
  errno = error;
  return result;
}

std::vector<iovec> pieces_of(std::vector<char>& bytes, std::size_t piece_size) {
  std::vector<iovec> pieces;
  for (std::size_t at = 0; at < bytes.size(); at += piece_size)
    pieces.push_back({bytes.data() + at, std::min(piece_size, bytes.size() - at)});
  return pieces;
}

}  // namespace

void send_script(int descriptor, const std::string& bytes) { account(descriptor).script = &bytes; }

std::size_t script_left(int descriptor) {
  const Account& a = account(descriptor);
  return a.script->size() - a.sent;
}

ssize_t counted_write(int descriptor, std::size_t size) {
  const auto bytes = next_bytes(descriptor, size);
  return count_out(descriptor, write(descriptor, bytes.data(), size));
}

ssize_t counted_send(int descriptor, std::size_t size, int flags) {
  const auto bytes = next_bytes(descriptor, size);
  return count_out(descriptor, send(descriptor, bytes.data(), size, flags | MSG_NOSIGNAL));
}

ssize_t counted_writev(int descriptor, std::size_t pieces, std::size_t piece_size) {
  auto bytes = next_bytes(descriptor, pieces * piece_size);
  const auto vector = pieces_of(bytes, piece_size);
  return count_out(descriptor, writev(descriptor, vector.data(), static_cast<int>(vector.size())));
}

ssize_t counted_sendmsg(int descriptor, std::size_t pieces, std::size_t piece_size, int passed) {
  auto bytes = next_bytes(descriptor, pieces * piece_size);
  auto vector = pieces_of(bytes, piece_size);
  msghdr message{};
  message.msg_iov = vector.data();
  message.msg_iovlen = vector.size();
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (passed >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &passed, sizeof passed);
  }
  return count_out(descriptor, sendmsg(descriptor, &message, MSG_NOSIGNAL));
}

int counted_sendmmsg(int descriptor, unsigned messages, std::size_t size) {
  auto bytes = next_bytes(descriptor, messages * size);
  auto vector = pieces_of(bytes, size);
  std::vector<mmsghdr> headers(messages);
  for (unsigned i = 0; i < messages; i++) {
    headers[i].msg_hdr.msg_iov = &vector[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  const int done = sendmmsg(descriptor, headers.data(), messages, MSG_NOSIGNAL);
  for (int i = 0; i < done; i++) count_out(descriptor, headers[static_cast<std::size_t>(i)].msg_len);
  return done;
}

ssize_t counted_sendfile(int descriptor, std::size_t size) {
  const auto bytes = next_bytes(descriptor, size);
  FILE* file = std::tmpfile();
  if (!file || std::fwrite(bytes.data(), 1, size, file) != size || std::fflush(file) != 0) die("tmpfile");
  off_t offset = 0;
  const ssize_t result = count_out(descriptor, sendfile(descriptor, fileno(file), &offset, size));
  std::fclose(file);
  return result;
}

ssize_t counted_read(int descriptor, std::size_t most) {
  std::vector<char> bytes(most);
  return count_in(descriptor, read(descriptor, bytes.data(), most));
}

ssize_t counted_recv(int descriptor, std::size_t most, int flags) {
  std::vector<char> bytes(most);
  const ssize_t result = recv(descriptor, bytes.data(), most, flags);
  return flags & MSG_PEEK ? result : count_in(descriptor, result);
}

ssize_t counted_readv(int descriptor, std::size_t pieces, std::size_t piece_size) {
  std::vector<char> bytes(pieces * piece_size);
  const auto vector = pieces_of(bytes, piece_size);
  return count_in(descriptor, readv(descriptor, vector.data(), static_cast<int>(vector.size())));
}

ssize_t counted_recvmsg(int descriptor, std::size_t most, int* passed) {
  std::vector<char> bytes(most);
  iovec piece{bytes.data(), most};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t result = count_in(descriptor, recvmsg(descriptor, &message, 0));
  if (passed) {
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (!header) die("no descriptor came");
    std::memcpy(passed, CMSG_DATA(header), sizeof *passed);
  }
  return result;
}

int counted_recvmmsg(int descriptor, unsigned messages, std::size_t size) {
  std::vector<char> bytes(messages * size);
  auto vector = pieces_of(bytes, size);
  std::vector<mmsghdr> headers(messages);
  for (unsigned i = 0; i < messages; i++) {
    headers[i].msg_hdr.msg_iov = &vector[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  const int done = recvmmsg(descriptor, headers.data(), messages, MSG_WAITALL, nullptr);
  for (int i = 0; i < done; i++) count_in(descriptor, headers[static_cast<std::size_t>(i)].msg_len);
  return done;
}

void receive_all(int descriptor, std::size_t size) {
  while (size > 0) {
    const ssize_t got = counted_recv(descriptor, std::min<std::size_t>(size, 65536), 0);
    if (got <= 0) die("receive_all");
    size -= static_cast<std::size_t>(got);
  }
}

void receive_end(int descriptor) {
  while (counted_recv(descriptor, 65536, 0) > 0) {
  }
}

}  // namespace tailcap::workload

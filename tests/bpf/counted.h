// Socket calls with books: bytes moved, by the socket's cookie. The books are the truth that a recording is compared
// with.
//
// Every byte sent is a function of its position in the stream, so that captured payload can be checked anywhere.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace tailcap::workload {

inline char pattern(std::uint64_t place) { return static_cast<char>('A' + (place * 7 + place / 251) % 26); }

struct Account {
  std::uint64_t inode = 0;
  std::uint64_t sends = 0, sent = 0, receives = 0, received = 0, ends = 0, errors = 0;
  const std::string* script = nullptr;
};

// The accounts of this process; its threads share them, a forked child begins with its own.
class Books {
 public:
  Account& of(int descriptor);
  // Appends a line per socket: cookie inode sends sent receives received ends errors
  void write(const char* path);
  void forget();  // in a forked child
  std::mutex lock;

 private:
  std::map<std::uint64_t, Account> accounts_;
};
extern Books books;

std::uint64_t cookie(int descriptor);

// This socket sends these bytes instead of the pattern. They must outlive it.
void send_script(int descriptor, const std::string& bytes);
// Bytes of the script that have not been sent.
std::size_t script_left(int descriptor);

// Each makes one system call with the next bytes of the stream, which begins with the socket, and returns its result.
ssize_t counted_write(int descriptor, std::size_t size);
ssize_t counted_send(int descriptor, std::size_t size, int flags);
ssize_t counted_writev(int descriptor, std::size_t pieces, std::size_t piece_size);
ssize_t counted_sendmsg(int descriptor, std::size_t pieces, std::size_t piece_size, int passed = -1);
int counted_sendmmsg(int descriptor, unsigned messages, std::size_t size);
ssize_t counted_sendfile(int descriptor, std::size_t size);

ssize_t counted_read(int descriptor, std::size_t most);
ssize_t counted_recv(int descriptor, std::size_t most, int flags);
ssize_t counted_readv(int descriptor, std::size_t pieces, std::size_t piece_size);
ssize_t counted_recvmsg(int descriptor, std::size_t most, int* passed = nullptr);
int counted_recvmmsg(int descriptor, unsigned messages, std::size_t size);

// Reads with recv until `size` bytes have been received.
void receive_all(int descriptor, std::size_t size);
// Reads until the end of the stream.
void receive_end(int descriptor);

[[noreturn]] void die(const char* what);

}  // namespace tailcap::workload

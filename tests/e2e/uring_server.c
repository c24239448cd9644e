// An HTTP/1.1 server that serves one connection after another; its receives and sends use io_uring by raw system calls.
// usage: uring-server PORT COUNT. Prints a line for each request: bytes received, bytes sent.
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ring {
  int fd;
  unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
  struct io_uring_sqe* sqes;
  struct io_uring_cqe* cqes;
};

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void begin(struct ring* r) {
  struct io_uring_params p;
  memset(&p, 0, sizeof p);
  r->fd = (int)syscall(SYS_io_uring_setup, 4, &p);
  if (r->fd < 0) die("io_uring_setup");
  char* sq = mmap(0, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
  char* cq = mmap(0, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED,
                  r->fd, IORING_OFF_CQ_RING);
  r->sqes = mmap(0, p.sq_entries * sizeof *r->sqes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQES);
  if (sq == MAP_FAILED || cq == MAP_FAILED || r->sqes == MAP_FAILED) die("mmap");
  r->sq_tail = (unsigned*)(sq + p.sq_off.tail), r->sq_mask = (unsigned*)(sq + p.sq_off.ring_mask),
  r->sq_array = (unsigned*)(sq + p.sq_off.array);
  r->cq_head = (unsigned*)(cq + p.cq_off.head), r->cq_tail = (unsigned*)(cq + p.cq_off.tail),
  r->cq_mask = (unsigned*)(cq + p.cq_off.ring_mask);
  r->cqes = (struct io_uring_cqe*)(cq + p.cq_off.cqes);
}

// Does one operation and returns its result.
static int transfer(struct ring* r, int opcode, int socket, void* buffer, unsigned size) {
  unsigned tail = *r->sq_tail, at = tail & *r->sq_mask;
  struct io_uring_sqe* e = &r->sqes[at];
  memset(e, 0, sizeof *e);
  e->opcode = (uint8_t)opcode, e->fd = socket, e->addr = (uint64_t)(uintptr_t)buffer, e->len = size;
  r->sq_array[at] = at;
  __atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
  while (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) == *r->cq_head) {
    if (syscall(SYS_io_uring_enter, r->fd, *r->sq_tail == tail + 1 ? 1 : 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
      die("io_uring_enter");
  }
  int result = r->cqes[*r->cq_head & *r->cq_mask].res;
  __atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
  return result;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  struct ring ring;
  begin(&ring);
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in at = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr*)&at, sizeof at) || listen(listener, 8)) die("listen");
  for (int served = 0; served < atoi(argv[2]);) {
    int socket = accept(listener, NULL, NULL);
    char buffer[4096];
    for (int got; (got = transfer(&ring, IORING_OP_RECV, socket, buffer, sizeof buffer)) > 0; served++) {
      static char answer[] = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
      int sent = transfer(&ring, IORING_OP_SEND, socket, answer, sizeof answer - 1);
      printf("%d %d\n", got, sent);
      fflush(stdout);
    }
    close(socket);
  }
}

// A server whose TLS no probe can read: OpenSSL is linked into it, and its symbols are not there. Plain HTTP beside it.
//
// tls_static TLS_PORT PLAIN_PORT CERTIFICATE KEY: prints the path of every request, before it answers.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
static SSL_CTX* context;

static int listen_on(const char* port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 64) != 0) exit(1);
  return fd;
}

// One request at a time, without a body, each in one read.
static void serve(int fd, SSL* tls) {
  char text[4096];
  for (;;) {
    const int n = tls ? SSL_read(tls, text, sizeof text - 1) : (int)read(fd, text, sizeof text - 1);
    if (n <= 0) return;
    text[n] = 0;
    char path[256] = "";
    if (sscanf(text, "GET %255s", path) == 1) {
      printf("%s\n", path);
      fflush(stdout);
    }
    if ((tls ? SSL_write(tls, kAnswer, sizeof kAnswer - 1) : (int)write(fd, kAnswer, sizeof kAnswer - 1)) <= 0) return;
  }
}

static void* plain(void* listener) {
  for (;;) {
    const int fd = accept(*(int*)listener, NULL, NULL);
    if (fd < 0) return NULL;
    serve(fd, NULL);
    close(fd);
  }
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  context = SSL_CTX_new(TLS_server_method());
  if (!context || SSL_CTX_use_certificate_file(context, argv[3], SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, argv[4], SSL_FILETYPE_PEM) != 1)
    return 1;
  const int encrypted = listen_on(argv[1]);
  static int open;
  open = listen_on(argv[2]);
  pthread_t thread;
  pthread_create(&thread, NULL, plain, &open);
  for (;;) {
    const int fd = accept(encrypted, NULL, NULL);
    if (fd < 0) return 1;
    SSL* tls = SSL_new(context);
    SSL_set_fd(tls, fd);
    if (SSL_accept(tls) == 1) serve(fd, tls);
    SSL_shutdown(tls);
    SSL_free(tls);
    close(fd);
  }
}

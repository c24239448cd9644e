/*
 * Calls of a TLS library in a loop, both ends in this process, to measure the cost of a probe in them:
 *
 *     tls_calls read|wait|write|read_ex|write_ex CALLS CERTIFICATE KEY
 *
 * Prints nanoseconds per call. "wait" is SSL_read with nothing to read: it moves no bytes, so no event is made.
 */
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void fail(const char* what) {
  fprintf(stderr, "tls_calls: %s\n", what);
  exit(1);
}

int main(int argc, char** argv) {
  if (argc != 5) fail("usage: tls_calls read|wait|write|read_ex|write_ex CALLS CERTIFICATE KEY");
  const char* kind = argv[1];
  const long calls = atol(argv[2]);
  SSL_CTX* server_context = SSL_CTX_new(TLS_server_method());
  SSL_CTX* client_context = SSL_CTX_new(TLS_client_method());
  if (SSL_CTX_use_certificate_file(server_context, argv[3], SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_use_PrivateKey_file(server_context, argv[4], SSL_FILETYPE_PEM) != 1)
    fail("cannot read the certificate or its key");
  SSL* server = SSL_new(server_context);
  SSL* client = SSL_new(client_context);
  BIO *a = NULL, *b = NULL;
  if (BIO_new_bio_pair(&a, 1 << 20, &b, 1 << 20) != 1) fail("no memory");
  SSL_set_bio(server, a, a);
  SSL_set_bio(client, b, b);
  SSL_set_accept_state(server);
  SSL_set_connect_state(client);
  for (int i = 0; i < 10; i++) {
    SSL_do_handshake(client);
    SSL_do_handshake(server);
  }
  if (!SSL_is_init_finished(client) || !SSL_is_init_finished(server)) fail("the handshake did not end");
  char data[200], into[4096];
  memset(data, 'x', sizeof data);
  size_t moved = 0;
  SSL_read(client, into, sizeof into); /* the session's tickets */
  double time = 0;
  for (long i = 0; i < calls; i += 100) {
    const int reads = strcmp(kind, "wait") != 0;
    double begin = now();
    for (int j = 0; j < 100 && reads; j++) {
      const int done = strcmp(kind, "write_ex") == 0 ? SSL_write_ex(client, data, sizeof data, &moved)
                                                     : SSL_write(client, data, sizeof data);
      if (done <= 0) fail("a write failed");
    }
    double middle = now();
    for (int j = 0; j < 100; j++) {
      const int done = strcmp(kind, "read_ex") == 0 ? SSL_read_ex(server, into, sizeof into, &moved)
                                                    : SSL_read(server, into, sizeof into);
      if ((done > 0) != reads) fail("a read did something else than expected");
    }
    double end = now();
    time += strncmp(kind, "write", 5) == 0 ? middle - begin : end - middle;
  }
  printf("%.1f\n", time / (double)((calls + 99) / 100 * 100));
  return 0;
}

/*
 * A server and a client of HTTP over TLS by OpenSSL: ssl-pair server|client tls LOG. Each writes a line of JSON for
 * each request. The client makes 40 requests on four connections, one after the other, and ends.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 8444, CONNECTIONS = 4, REQUESTS = 10, LARGEST = 8192 };

static FILE* journal;

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void note(const char* id, const char* path, int size) {
  fprintf(
      journal,
      "{\"id\":\"%s\",\"method\":\"GET\",\"path\":\"%s\",\"status\":200,\"request_bytes\":0,\"response_bytes\":%d}\n",
      id, path, size);
  fflush(journal);
}

/* Up to and with the empty line, and no further: the other end waits for the answer to each. */
static int read_head(SSL* ssl, char* head) {
  int size = 0, got;

  do {
    got = SSL_read(ssl, head + size, LARGEST - 1 - size);
    if (got <= 0) return 0;
    size += got;
    head[size] = 0;
  } while (!strstr(head, "\r\n\r\n"));
  return size;
}

static void serve_one(SSL* ssl) {
  char head[LARGEST], answer[2 * LARGEST], id[64], path[64];
  int size, length;

  while (read_head(ssl, head)) {
    if (sscanf(head, "GET %63s", path) != 1 || sscanf(path, "/part/%d", &size) != 1 || size < 0 || size > LARGEST ||
        sscanf(strstr(head, "x-request-id: "), "x-request-id: %63s", id) != 1)
      fail("request");
    length = sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size);
    memset(answer + length, 'a', (size_t)size);
    if (SSL_write(ssl, answer, length + size) <= 0) fail("SSL_write");
    note(id, path, size);
  }
}

static void serve(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(listener, (struct sockaddr*)&at, sizeof(at)) || listen(listener, 8)) fail("listen");
  for (;;) {
    int connection = accept(listener, NULL, NULL);
    SSL* ssl = SSL_new(context);

    SSL_set_fd(ssl, connection);
    if (SSL_accept(ssl) == 1) serve_one(ssl);
    SSL_free(ssl);
    close(connection);
  }
}

static void ask(int number) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  SSL* ssl = SSL_new(SSL_CTX_new(TLS_client_method()));
  int connection = socket(AF_INET, SOCK_STREAM, 0);
  char request[256], answer[2 * LARGEST], id[64], path[64];

  if (connect(connection, (struct sockaddr*)&at, sizeof(at))) fail("connect");
  SSL_set_fd(ssl, connection);
  if (SSL_connect(ssl) != 1) fail("SSL_connect");
  for (int i = 0; i < REQUESTS; i++) {
    int size = (number * REQUESTS + i) * 97, got = 0, wanted = -1;

    sprintf(path, "/part/%d", size);
    sprintf(id, "ssl-%d-%d", number, i);
    int length = sprintf(request, "GET %s HTTP/1.1\r\nHost: here\r\nx-request-id: %s\r\n\r\n", path, id);
    if (SSL_write(ssl, request, length) <= 0) fail("SSL_write");
    while (wanted < 0 || got < wanted) {
      int more = SSL_read(ssl, answer + got, (int)sizeof(answer) - 1 - got);

      if (more <= 0) fail("SSL_read");
      got += more;
      answer[got] = 0;
      char* end = strstr(answer, "\r\n\r\n");
      if (end && wanted < 0) wanted = (int)(end + 4 - answer) + size;
    }
    note(id, path, size);
  }
  SSL_shutdown(ssl);
  SSL_free(ssl);
  close(connection);
}

int main(int count, char** words) {
  if (count != 4) return 2;
  journal = fopen(words[3], "w");
  if (!journal) fail(words[3]);
  if (!strcmp(words[1], "server")) serve();
  for (int number = 0; number < CONNECTIONS; number++) ask(number);
  return 0;
}

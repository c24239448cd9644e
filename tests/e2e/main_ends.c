/* A server whose main thread leaves by pthread_exit when it was asked to; three threads go on serving.
 * main_ends PORT: answers every GET with the number of requests so far; GET /leave lets the main thread end. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener, leave[2];

static void* serve(void* unused) {
  char head[4096];

  for (;;) {
    int connection = accept(listener, NULL, NULL);
    ssize_t length = connection < 0 ? -1 : read(connection, head, sizeof(head) - 1);

    if (length > 0) {
      static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

      head[length] = 0;
      if (strstr(head, "/leave") && write(leave[1], "x", 1) != 1) abort();
      if (write(connection, answer, sizeof(answer) - 1) < 0) perror("write");
    }
    if (connection >= 0) close(connection);
  }
  return unused;
}

int main(int count, char** arguments) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int yes = 1;
  char byte;

  if (count != 2 || pipe(leave) != 0) return 2;
  here.sin_port = htons((unsigned short)atoi(arguments[1]));
  listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(listener, (struct sockaddr*)&here, sizeof(here)) != 0 || listen(listener, 64) != 0) {
    perror("listen");
    return 1;
  }
  for (int i = 0; i < 3; i++) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, serve, NULL) != 0) return 1;
  }
  if (read(leave[0], &byte, 1) != 1) return 1;
  pthread_exit(NULL);
}

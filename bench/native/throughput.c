/*
 * The same measurements on libzmq itself, after the idea of its own local_thr, remote_thr and local_lat: default
 * high-water marks, one message object a message, a sequence number in every body that the receiver checks. One role a
 * process; each prints its reports as one JSON object a line (reports.ts) and exits with 1 when something is wrong. A
 * sender stays until its stdin ends: over ipc libzmq loses what is under way when it closes (zeromq/libzmq#4660).
 *
 *   throughput version
 *   throughput pull   ENDPOINT SIZE WARM TIMED        binds
 *   throughput push   ENDPOINT SIZE WARM TIMED        connects
 *   throughput inproc SIZE WARM TIMED                 both, on two threads
 *   throughput rep    ENDPOINT COUNT                  binds
 *   throughput req    ENDPOINT SIZE WARM TIMED        connects
 *   throughput pub    ENDPOINT SIZE TOTAL SUBSCRIBERS binds, starts when all have subscribed, drops nothing
 *   throughput sub    ENDPOINT SIZE WARM TIMED SUBSCRIBERS  connects, all of them in this process
 */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

static void *context;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wait_for_stdin_to_end(void) {
  while (getchar() != EOF) continue;
}

static void *open_socket(int type) {
  void *socket = zmq_socket(context, type);
  if (!socket) fail("zmq_socket");
  return socket;
}

static void bind_and_report(void *socket, const char *endpoint) {
  char bound[256];
  size_t length = sizeof bound;
  if (zmq_bind(socket, endpoint)) fail("zmq_bind");
  if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &length)) fail("ZMQ_LAST_ENDPOINT");
  printf("{\"type\":\"bound\",\"endpoint\":\"%s\"}\n", bound);
}

static void connect_to(void *socket, const char *endpoint) {
  if (zmq_connect(socket, endpoint)) fail("zmq_connect");
}

static void send_body(void *socket, size_t size, uint32_t sequence) {
  zmq_msg_t message;
  if (zmq_msg_init_size(&message, size)) fail("zmq_msg_init_size");
  memcpy(zmq_msg_data(&message), &sequence, sizeof sequence);
  if (zmq_msg_send(&message, socket, 0) < 0) fail("zmq_msg_send");
}

static void check_body(zmq_msg_t *message, size_t size, uint32_t sequence) {
  uint32_t came;
  memcpy(&came, zmq_msg_data(message), sizeof came);
  if (zmq_msg_size(message) != size || came != sequence) {
    fprintf(stderr, "expected message %u of %zu B, got %u of %zu B\n", sequence, size, came, zmq_msg_size(message));
    exit(1);
  }
}

static void push_all(void *socket, size_t size, uint32_t total) {
  for (uint32_t sequence = 0; sequence < total; sequence++) send_body(socket, size, sequence);
}

/* The clock starts with the last of the messages that only warm up. */
static void pull_all(void *socket, size_t size, uint32_t warm, uint32_t timed) {
  zmq_msg_t message;
  double started = 0;
  zmq_msg_init(&message);
  for (uint32_t sequence = 0; sequence < warm + timed; sequence++) {
    if (zmq_msg_recv(&message, socket, 0) < 0) fail("zmq_msg_recv");
    check_body(&message, size, sequence);
    if (sequence + 1 == warm) started = now();
  }
  printf("{\"type\":\"measured\",\"messages\":%u,\"seconds\":%.9f}\n", timed, now() - started);
  zmq_msg_close(&message);
}

struct stream {
  void *socket;
  size_t size;
  uint32_t total;
};

static void *push_thread(void *argument) {
  struct stream *stream = argument;
  push_all(stream->socket, stream->size, stream->total);
  return NULL;
}

static void inproc(size_t size, uint32_t warm, uint32_t timed) {
  pthread_t thread;
  void *pull = open_socket(ZMQ_PULL);
  struct stream stream = {open_socket(ZMQ_PUSH), size, warm + timed};
  if (zmq_bind(pull, "inproc://throughput")) fail("zmq_bind");
  connect_to(stream.socket, "inproc://throughput");
  pthread_create(&thread, NULL, push_thread, &stream);
  pull_all(pull, size, warm, timed);
  pthread_join(thread, NULL);
  zmq_close(stream.socket);
  zmq_close(pull);
}

static void reply_all(void *socket, uint32_t count) {
  zmq_msg_t message;
  zmq_msg_init(&message);
  while (count--) {
    if (zmq_msg_recv(&message, socket, 0) < 0) fail("zmq_msg_recv");
    if (zmq_msg_send(&message, socket, 0) < 0) fail("zmq_msg_send");
  }
}

static int by_time(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static void request_all(void *socket, size_t size, uint32_t warm, uint32_t timed) {
  zmq_msg_t message;
  double *trips = malloc(timed * sizeof *trips);
  double started = 0;
  zmq_msg_init(&message);
  for (uint32_t sequence = 0; sequence < warm + timed; sequence++) {
    if (sequence == warm) started = now();
    double sent = now();
    send_body(socket, size, sequence);
    if (zmq_msg_recv(&message, socket, 0) < 0) fail("zmq_msg_recv");
    if (sequence >= warm) trips[sequence - warm] = now() - sent;
    check_body(&message, size, sequence);
  }
  double seconds = now() - started;
  qsort(trips, timed, sizeof *trips, by_time);
  printf("{\"type\":\"latency\",\"p50\":%.3f,\"p99\":%.3f,\"messages\":%u,\"seconds\":%.9f}\n", trips[timed / 2] * 1e6,
         trips[(uint64_t)timed * 99 / 100] * 1e6, timed, seconds);
  zmq_msg_close(&message);
  free(trips);
}

/* An XPUB is a PUB that can be asked who has subscribed; each subscription is a message to it. */
static void publish_all(const char *endpoint, size_t size, uint32_t total, int subscribers) {
  void *socket = open_socket(ZMQ_XPUB);
  zmq_msg_t message;
  int on = 1;
  zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &on, sizeof on);
  zmq_setsockopt(socket, ZMQ_XPUB_VERBOSE, &on, sizeof on);
  bind_and_report(socket, endpoint);
  zmq_msg_init(&message);
  while (subscribers--)
    if (zmq_msg_recv(&message, socket, 0) < 0) fail("zmq_msg_recv");
  push_all(socket, size, total);
  wait_for_stdin_to_end();
  zmq_close(socket);
}

static void subscribe_all(const char *endpoint, size_t size, uint32_t warm, uint32_t timed, int subscribers) {
  zmq_pollitem_t *items = calloc((size_t)subscribers, sizeof *items);
  uint32_t *sequences = calloc((size_t)subscribers, sizeof *sequences);
  uint64_t delivered = 0, total = (uint64_t)(warm + timed) * (uint64_t)subscribers;
  uint64_t begin = (uint64_t)warm * (uint64_t)subscribers;
  double started = 0;
  zmq_msg_t message;
  for (int i = 0; i < subscribers; i++) {
    items[i].socket = open_socket(ZMQ_SUB);
    items[i].events = ZMQ_POLLIN;
    zmq_setsockopt(items[i].socket, ZMQ_SUBSCRIBE, "", 0);
    connect_to(items[i].socket, endpoint);
  }
  zmq_msg_init(&message);
  while (delivered < total) {
    if (zmq_poll(items, subscribers, -1) < 0) fail("zmq_poll");
    for (int i = 0; i < subscribers; i++) {
      if (!(items[i].revents & ZMQ_POLLIN)) continue;
      while (zmq_msg_recv(&message, items[i].socket, ZMQ_DONTWAIT) >= 0) {
        check_body(&message, size, sequences[i]++);
        if (++delivered == begin) started = now();
      }
      if (zmq_errno() != EAGAIN) fail("zmq_msg_recv");
    }
  }
  printf("{\"type\":\"measured\",\"messages\":%llu,\"seconds\":%.9f}\n", (unsigned long long)(total - begin),
         now() - started);
  for (int i = 0; i < subscribers; i++) zmq_close(items[i].socket);
  free(sequences);
  free(items);
}

int main(int argc, char **argv) {
  const char *role = argc > 1 ? argv[1] : "";
  unsigned long n[7] = {0};
  for (int i = 2; i < argc && i < 7; i++) n[i] = strtoul(argv[i], NULL, 10);
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (!strcmp(role, "version")) {
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    printf("%d.%d.%d\n", major, minor, patch);
    return 0;
  }
  context = zmq_ctx_new();
  void *socket = NULL;
  if (!strcmp(role, "pull") && argc == 6) {
    bind_and_report(socket = open_socket(ZMQ_PULL), argv[2]);
    pull_all(socket, n[3], (uint32_t)n[4], (uint32_t)n[5]);
  } else if (!strcmp(role, "push") && argc == 6) {
    connect_to(socket = open_socket(ZMQ_PUSH), argv[2]);
    push_all(socket, n[3], (uint32_t)(n[4] + n[5]));
    wait_for_stdin_to_end();
  } else if (!strcmp(role, "inproc") && argc == 5) {
    inproc(n[2], (uint32_t)n[3], (uint32_t)n[4]);
  } else if (!strcmp(role, "rep") && argc == 4) {
    bind_and_report(socket = open_socket(ZMQ_REP), argv[2]);
    reply_all(socket, (uint32_t)n[3]);
  } else if (!strcmp(role, "req") && argc == 6) {
    connect_to(socket = open_socket(ZMQ_REQ), argv[2]);
    request_all(socket, n[3], (uint32_t)n[4], (uint32_t)n[5]);
  } else if (!strcmp(role, "pub") && argc == 6) {
    publish_all(argv[2], n[3], (uint32_t)n[4], (int)n[5]);
  } else if (!strcmp(role, "sub") && argc == 7) {
    subscribe_all(argv[2], n[3], (uint32_t)n[4], (uint32_t)n[5], (int)n[6]);
  } else {
    fprintf(stderr, "usage: see the head of throughput.c\n");
    return 2;
  }
  if (socket) zmq_close(socket);
  zmq_ctx_term(context);
  return 0;
}

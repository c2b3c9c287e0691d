/* A small HTTP/1.1 load generator: N keep-alive connections, one thread, epoll.
 *
 *   load HOST PORT CONNECTIONS SECONDS RESPONSES read|discard [HEADER ...] < requests
 *
 * Each line of standard input is "METHOD TARGET [FILE ...]", the files one after the other being
 * the body; "TARGET#OFFSET" asks for the bytes from there on. Connections take the lines in turn,
 * round and round. The run ends after SECONDS, or after RESPONSES answers (0: no limit); one JSON
 * object tells what came back. Answers' bodies are read into memory, as a client would, or with
 * `discard` dropped in the kernel (recv(2), MSG_TRUNC), which leaves nearly all of the shared cores
 * to the server. Request bodies go out by sendfile for the same reason.
 *
 * Framing follows RFC 9112: Content-Length or chunked. An answer that is not 2xx ends the run with
 * exit code 1, and so does one that ends by closing: what is compared are kept-alive connections.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 16 << 10, READ_SIZE = 256 << 10, BATCH = 256, PARTS_MAX = 3 };
enum framing { HEAD, COUNTED, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER };

struct part {
    int file;
    off_t length;
};

struct request {
    char *head;
    size_t head_length;
    struct part parts[PARTS_MAX]; /* of the body */
    int part_count;
};

struct connection {
    int socket;
    unsigned watched; /* epoll events */
    const struct request *request;
    size_t head_sent;
    int part;
    off_t part_sent;
    enum framing framing;
    char head[HEAD_MAX]; /* the answer's, then each chunk's size line */
    size_t head_length;
    long long left; /* of the body, or of the chunk */
    int status;
    double started;
};

static struct request *requests;
static size_t request_count, next_request, limit;
static struct addrinfo *address;
static int poller;
static unsigned *latencies; /* microseconds */
static size_t responses, capacity;
static long long body_bytes;
static int failed, discard;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static struct part open_part(const char *path) {
    struct part opened = {.file = open(path, O_RDONLY)};
    struct stat facts;
    if (opened.file < 0 || fstat(opened.file, &facts) < 0) fail(path);
    opened.length = facts.st_size;
    return opened;
}

static struct request parse_request(char *line, const char *host, char **headers) {
    const char *method = strtok(line, " \n"), *target = strtok(NULL, " \n"), *path;
    struct request made = {0};
    long long length = 0;
    while (made.part_count < PARTS_MAX && (path = strtok(NULL, " \n"))) {
        made.parts[made.part_count] = open_part(path);
        length += made.parts[made.part_count++].length;
    }
    FILE *out = open_memstream(&made.head, &made.head_length);
    const char *from = strchr(target, '#');
    fprintf(out, "%s %.*s HTTP/1.1\r\nHost: %s\r\n", method, (int)strcspn(target, "#"), target, host);
    if (from) fprintf(out, "Range: bytes=%s-\r\n", from + 1);
    if (made.part_count) fprintf(out, "Content-Length: %lld\r\n", length);
    for (; *headers; headers++) fprintf(out, "%s\r\n", *headers);
    fputs("\r\n", out);
    fclose(out);
    return made;
}

static void read_requests(const char *host, char **headers) {
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 1) {
        requests = realloc(requests, (request_count + 1) * sizeof *requests);
        if (!requests) fail("realloc");
        requests[request_count++] = parse_request(line, host, headers);
    }
    free(line);
    if (!request_count) {
        fputs("no requests on standard input\n", stderr);
        exit(2);
    }
}

static void watch(struct connection *c, unsigned events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (events == c->watched) return;
    int operation = c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(poller, operation, c->socket, &event) < 0) fail("epoll_ctl");
    c->watched = events;
}

static void begin(struct connection *c) {
    c->request = &requests[next_request++ % request_count];
    c->head_sent = c->part = c->part_sent = 0;
    c->framing = HEAD;
    c->head_length = c->status = 0;
    c->started = now();
}

static void dial(struct connection *c) {
    int on = 1;
    c->socket = socket(address->ai_family, SOCK_STREAM, 0);
    if (c->socket < 0 || connect(c->socket, address->ai_addr, address->ai_addrlen) < 0) fail("connect");
    if (fcntl(c->socket, F_SETFL, O_NONBLOCK) < 0) fail("fcntl");
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->watched = 0;
    begin(c);
    watch(c, EPOLLIN | EPOLLOUT);
}

static int sent_whole(const struct connection *c) {
    return c->head_sent == c->request->head_length && c->part == c->request->part_count;
}

static ssize_t send_head(struct connection *c) {
    const struct request *r = c->request;
    int flags = MSG_NOSIGNAL | (r->part_count ? MSG_MORE : 0);
    ssize_t sent = send(c->socket, r->head + c->head_sent, r->head_length - c->head_sent, flags);
    if (sent > 0) c->head_sent += sent;
    return sent;
}

static ssize_t send_part(struct connection *c) {
    const struct part *p = &c->request->parts[c->part];
    ssize_t sent = sendfile(c->socket, p->file, &c->part_sent, p->length - c->part_sent);
    if (c->part_sent == p->length) {
        c->part++;
        c->part_sent = 0;
    }
    return sent;
}

/* Sends what the socket takes; false when the connection broke. */
static int send_more(struct connection *c) {
    while (!sent_whole(c)) {
        int head_out = c->head_sent == c->request->head_length;
        if ((head_out ? send_part(c) : send_head(c)) > 0) continue;
        if (errno != EAGAIN) return 0;
        watch(c, EPOLLIN | EPOLLOUT);
        return 1;
    }
    watch(c, EPOLLIN);
    return 1;
}

static void keep_latency(const struct connection *c) {
    if (responses == capacity) {
        capacity = capacity ? 2 * capacity : 1 << 16;
        latencies = realloc(latencies, capacity * sizeof *latencies);
        if (!latencies) fail("realloc");
    }
    latencies[responses++] = (now() - c->started) * 1e6;
}

/* The answer is whole: count it and send the next request; false when the connection is spent. */
static int complete(struct connection *c) {
    /* A redirect is what some requests are made for. */
    if (c->status < 200 || c->status > 302 || !sent_whole(c)) return 0;
    keep_latency(c);
    if (limit && next_request >= limit) return epoll_ctl(poller, EPOLL_CTL_DEL, c->socket, NULL) == 0;
    begin(c);
    return send_more(c);
}

static int read_head(struct connection *c) {
    const char *length = strcasestr(c->head, "\r\ncontent-length:");
    const char *coding = strcasestr(c->head, "\r\ntransfer-encoding: chunked");
    c->status = c->head_length > 12 ? atoi(c->head + 9) : 0;
    c->head_length = 0;
    if (coding) {
        c->framing = CHUNK_SIZE;
        return 1;
    }
    if (!length && c->status != 204) return 0;
    c->left = length ? atoll(length + 17) : 0;
    c->framing = COUNTED;
    return c->left ? 1 : complete(c);
}

static int read_line(struct connection *c) {
    int empty = c->head_length == 2;
    c->head_length = 0;
    if (c->framing == CHUNK_END) {
        c->framing = CHUNK_SIZE;
    } else if (c->framing == TRAILER) {
        return empty ? complete(c) : 1;
    } else {
        c->left = strtoll(c->head, NULL, 16);
        c->framing = c->left ? CHUNK_DATA : TRAILER;
    }
    return 1;
}

/* One byte of a head, of a chunk's size line, or of what ends a chunk. */
static int take_byte(struct connection *c, char byte) {
    if (c->head_length == HEAD_MAX - 1) return 0;
    c->head[c->head_length++] = byte;
    if (byte != '\n') return 1;
    c->head[c->head_length] = 0;
    if (c->framing != HEAD) return read_line(c);
    if (c->head_length < 4 || memcmp(c->head + c->head_length - 4, "\r\n\r\n", 4)) return 1;
    return read_head(c);
}

static int take(struct connection *c, const char *data, long long length) {
    while (length > 0) {
        if (c->framing != COUNTED && c->framing != CHUNK_DATA) {
            if (!take_byte(c, *data++)) return 0;
            length--;
            continue;
        }
        long long part = length < c->left ? length : c->left;
        body_bytes += part;
        data += part;
        length -= part;
        c->left -= part;
        if (c->left) continue;
        if (c->framing == CHUNK_DATA) c->framing = CHUNK_END;
        else if (!complete(c)) return 0;
    }
    return 1;
}

static int receive(struct connection *c) {
    static char buffer[READ_SIZE];
    /* Only well within a body: a head that follows must be seen. */
    int dropped = discard && c->framing == COUNTED && c->left >= READ_SIZE;
    ssize_t got = recv(c->socket, buffer, sizeof buffer, dropped ? MSG_TRUNC : 0);
    if (got < 0) return errno == EAGAIN;
    return got > 0 && take(c, buffer, got);
}

static int by_size(const void *a, const void *b) {
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return (x > y) - (x < y);
}

static void report(double seconds) {
    unsigned first = responses ? latencies[0] : 0;
    qsort(latencies, responses, sizeof *latencies, by_size);
    unsigned p50 = responses ? latencies[responses / 2] : 0;
    unsigned p99 = responses ? latencies[responses * 99 / 100] : 0;
    printf("{\"responses\": %zu, \"body_bytes\": %lld, \"seconds\": %.6f, "
           "\"first_us\": %u, \"p50_us\": %u, \"p99_us\": %u}\n",
           responses, body_bytes, seconds, first, p50, p99);
}

/* One failure ends the run: rates of a server that fails compare with nothing. */
static void give_up(const struct connection *c) {
    failed = 1;
    const char *line = c->request->head;
    fprintf(stderr, "after %zu answers: status %d to %.*s\n", responses, c->status, (int)strcspn(line, "\r"), line);
}

static void run(double seconds) {
    struct epoll_event events[BATCH];
    double start = now();
    while (now() - start < seconds && (!limit || responses < limit) && !failed) {
        int count = epoll_wait(poller, events, BATCH, 100);
        for (int i = 0; i < count && (!limit || responses < limit); i++) {
            struct connection *c = events[i].data.ptr;
            int sound = !(events[i].events & EPOLLOUT) || send_more(c);
            /* An answer may come before the body is out; what it says counts more than the break. */
            if (events[i].events & ~EPOLLOUT) sound = receive(c) && sound;
            if (!sound) give_up(c);
        }
    }
    report(now() - start);
}

int main(int count, char **arguments) {
    if (count < 7) {
        fputs("load HOST PORT CONNECTIONS SECONDS RESPONSES read|discard [HEADER ...]\n", stderr);
        return 2;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo(arguments[1], arguments[2], &hints, &address)) fail("getaddrinfo");
    limit = strtoul(arguments[5], NULL, 10);
    discard = !strcmp(arguments[6], "discard");
    read_requests(arguments[1], arguments + 7);
    poller = epoll_create1(0);
    int connections = atoi(arguments[3]);
    struct connection *all = calloc(connections, sizeof *all);
    if (poller < 0 || !all) fail("start");
    for (int i = 0; i < connections; i++) dial(&all[i]);
    run(atof(arguments[4]));
    return failed;
}

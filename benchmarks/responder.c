/* The least that answers FC04 on a TCP port, as a measure of what the kernel and the loopback cost.
 * One client, no time-out, whole requests of eight bytes only, registers that never change.
 * Build: cc -O2 -o responder responder.c; run: ./responder PORT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST = 8, MOST_WORDS = 125 };

static uint16_t crc16(const uint8_t *data, size_t size)
{
    uint16_t crc = 0xFFFF;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
    }
    return crc;
}

/* Size of the reply, 0 for silence. */
static size_t answer(const uint8_t *request, uint8_t *reply)
{
    unsigned count = request[4] << 8 | request[5];
    if (crc16(request, REQUEST) != 0 || request[1] != 4 || count == 0 || count > MOST_WORDS)
        return 0;
    reply[0] = request[0];
    reply[1] = request[1];
    reply[2] = (uint8_t)(2 * count);
    for (unsigned i = 0; i < count; i++) {
        unsigned word = 1000 + i;
        reply[3 + 2 * i] = (uint8_t)(word >> 8);
        reply[4 + 2 * i] = (uint8_t)word;
    }
    size_t size = 3 + 2 * count;
    uint16_t crc = crc16(reply, size);
    reply[size] = (uint8_t)crc;
    reply[size + 1] = (uint8_t)(crc >> 8);
    return size + 2;
}

static void serve(int sock)
{
    uint8_t request[REQUEST], reply[3 + 2 * MOST_WORDS + 2];
    size_t have = 0;
    for (;;) {
        ssize_t got = recv(sock, request + have, REQUEST - have, 0);
        if (got <= 0)
            return;
        have += (size_t)got;
        if (have < REQUEST)
            continue;
        have = 0;
        size_t size = answer(request, reply);
        if (size && send(sock, reply, size, MSG_NOSIGNAL) < 0)
            return;
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 1) < 0) {
        perror("responder");
        return 1;
    }
    for (;;) {
        int sock = accept(listener, NULL, NULL);
        if (sock < 0)
            return 1;
        setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        serve(sock);
        close(sock);
    }
}

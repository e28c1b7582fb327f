#include "link.h"

#include <cerrno>
#include <sys/socket.h>

namespace lode::asic_sim {

bool send_all(int link, const void *data, size_t bytes) {
  const char *next = static_cast<const char *>(data);
  while (bytes > 0) {
    const ssize_t sent = send(link, next, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    next += sent;
    bytes -= static_cast<size_t>(sent);
  }
  return true;
}

bool receive_all(int link, void *data, size_t bytes) {
  char *next = static_cast<char *>(data);
  while (bytes > 0) {
    const ssize_t got = recv(link, next, bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    next += got;
    bytes -= static_cast<size_t>(got);
  }
  return true;
}

} // namespace lode::asic_sim

// SPDX-License-Identifier: Apache-2.0
// ulpaudit-attach SOCKET: a worker that lives in another process. Gives fds 3, 4 and 5
// (docs/worker-protocol.md) to who listens at the UNIX socket, and ends when that one closes the
// connection. python/ audits functions of a running Python with it.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <initializer_list>

namespace {

int fail(const char* what, const char* path) {
  std::fprintf(stderr, "ulpaudit-attach: %s '%s': %s\n", what, path, std::strerror(errno));
  return 1;
}

/// One byte with the three descriptors beside it.
bool send_descriptors(int socket) {
  const int fds[] = {3, 4, 5};
  char byte = 0;
  iovec data = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fds)] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fds);
  std::memcpy(CMSG_DATA(header), fds, sizeof fds);
  return ::sendmsg(socket, &message, 0) == 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: ulpaudit-attach SOCKET (started by ulpaudit --exec)\n");
    return 2;
  }
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (std::strlen(argv[1]) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return fail("cannot connect to", argv[1]);
  }
  std::strcpy(address.sun_path, argv[1]);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (socket < 0 || ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return fail("cannot connect to", argv[1]);
  if (!send_descriptors(socket)) return fail("cannot give descriptors to", argv[1]);
  // Kept open here, the end of the requests and of the replies would not be seen.
  for (int fd : {3, 4, 5}) ::close(fd);
  char byte;
  ssize_t got;
  do got = ::read(socket, &byte, 1);
  while (got > 0 || (got < 0 && errno == EINTR));
  return 0;
}

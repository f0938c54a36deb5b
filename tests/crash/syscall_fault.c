/* LD_PRELOAD library of the crash tests: counts the system calls that change (or lock) files below a folder and makes
 * the N-th one the last, or a failure. Nothing of this is in the product.
 *
 *   LODE_FAULT_ROOT    only paths below this folder count (a real path without trailing slash)
 *   LODE_FAULT_MODE    count | kill-before | kill-after | error | short
 *   LODE_FAULT_AT      N, counted from 1 over all threads and forked children
 *   LODE_FAULT_ERRNO   ENOSPC | EIO | EROFS (mode error)
 *   LODE_FAULT_STICKY  1: every call from the N-th on fails; ENOSPC then fails only calls that need room
 *   LODE_FAULT_COUNT   file of 8 bytes that holds the number of calls so far (native byte order)
 *   LODE_FAULT_TRACE   file to which "N call path" lines are appended
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum mode { MODE_OFF, MODE_COUNT, MODE_KILL_BEFORE, MODE_KILL_AFTER, MODE_ERROR, MODE_SHORT };

/* What a call is, for sticky errors and for what can be cut short. */
enum kind { KIND_ROOM, KIND_CHANGE, KIND_LOCK };

static char root_path[PATH_MAX];
static size_t root_length;
static enum mode mode;
static uint64_t fault_at;
static int fault_errno = ENOSPC;
static int sticky;
static int trace_fd = -1;
static _Atomic uint64_t private_count;
static _Atomic uint64_t *count = &private_count;

static void set_up(void) __attribute__((constructor));

static void set_up(void) {
  const char *root = getenv("LODE_FAULT_ROOT");
  const char *name = getenv("LODE_FAULT_MODE");
  const char *at = getenv("LODE_FAULT_AT");
  const char *error = getenv("LODE_FAULT_ERRNO");
  const char *count_file = getenv("LODE_FAULT_COUNT");
  const char *trace_file = getenv("LODE_FAULT_TRACE");
  if (root == NULL || name == NULL || strlen(root) >= sizeof root_path) return;
  strcpy(root_path, root);
  root_length = strlen(root_path);
  fault_at = at == NULL ? 0 : strtoull(at, NULL, 10);
  sticky = getenv("LODE_FAULT_STICKY") != NULL;
  if (error != NULL && strcmp(error, "EIO") == 0) fault_errno = EIO;
  if (error != NULL && strcmp(error, "EROFS") == 0) fault_errno = EROFS;
  if (trace_file != NULL) {
    trace_fd = (int)syscall(SYS_openat, AT_FDCWD, trace_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
  if (count_file != NULL) {
    int fd = (int)syscall(SYS_openat, AT_FDCWD, count_file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0 && syscall(SYS_ftruncate, fd, (long)sizeof(uint64_t)) == 0) {
      void *page = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      if (page != MAP_FAILED) count = page;
    }
    if (fd >= 0) syscall(SYS_close, fd);
  }
  if (strcmp(name, "count") == 0) mode = MODE_COUNT;
  if (strcmp(name, "kill-before") == 0) mode = MODE_KILL_BEFORE;
  if (strcmp(name, "kill-after") == 0) mode = MODE_KILL_AFTER;
  if (strcmp(name, "error") == 0) mode = MODE_ERROR;
  if (strcmp(name, "short") == 0) mode = MODE_SHORT;
}

static int below_root(const char *path) {
  return strncmp(path, root_path, root_length) == 0 && (path[root_length] == '/' || path[root_length] == '\0');
}

/* Path of a descriptor or of a name relative to one; empty when it cannot be told. */
static void path_of(int dir_fd, const char *name, char *path, size_t size) {
  char link[64];
  ssize_t length;
  path[0] = '\0';
  if (name != NULL && name[0] == '/') {
    snprintf(path, size, "%s", name);
    return;
  }
  if (dir_fd == AT_FDCWD) {
    snprintf(link, sizeof link, "/proc/self/cwd");
  } else {
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir_fd);
  }
  length = (ssize_t)syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
  if (length < 0) length = 0;
  path[length] = '\0';
  if (name != NULL && (size_t)length + strlen(name) + 2 < size) {
    strcat(path, "/");
    strcat(path, name);
  }
}

static void die(void) {
  syscall(SYS_kill, (long)getpid(), (long)SIGKILL);
  for (;;) pause();
}

/* What is to happen to a call: its number when it counts, and whether to fail it or to die after it. */
struct verdict {
  int fail, cut, kill_after;
};

static struct verdict judge(enum kind kind, const char *call, const char *path) {
  struct verdict verdict = {0, 0, 0};
  uint64_t number;
  if (mode == MODE_OFF || !below_root(path)) return verdict;
  number = atomic_fetch_add(count, 1) + 1;
  if (trace_fd >= 0) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%llu %s %s\n", (unsigned long long)number, call, path);
    syscall(SYS_write, trace_fd, line, (long)length);
  }
  if (number == fault_at && mode == MODE_KILL_BEFORE) die();
  if (number == fault_at && mode == MODE_KILL_AFTER) verdict.kill_after = 1;
  if (number == fault_at && mode == MODE_SHORT) verdict.cut = 1;
  if (mode == MODE_ERROR && kind != KIND_LOCK && fault_at != 0) {
    if (number == fault_at) verdict.fail = 1;
    if (sticky && number > fault_at && (kind == KIND_ROOM || fault_errno != ENOSPC)) verdict.fail = 1;
  }
  if (verdict.fail) errno = fault_errno;
  return verdict;
}

static struct verdict judge_fd(enum kind kind, const char *call, int fd) {
  char path[PATH_MAX];
  struct verdict none = {0, 0, 0};
  if (mode == MODE_OFF) return none;
  path_of(fd, NULL, path, sizeof path);
  return judge(kind, call, path);
}

static struct verdict judge_at(enum kind kind, const char *call, int dir_fd, const char *name) {
  char path[PATH_MAX];
  struct verdict none = {0, 0, 0};
  if (mode == MODE_OFF) return none;
  path_of(dir_fd, name, path, sizeof path);
  return judge(kind, call, path);
}

#define REAL(name) ((__typeof__(&name))real_symbol(&real_##name, #name))
#define DECLARE(name) static void *_Atomic real_##name

static void *real_symbol(void *_Atomic *slot, const char *name) {
  void *symbol = atomic_load(slot);
  if (symbol == NULL) {
    symbol = dlsym(RTLD_NEXT, name);
    atomic_store(slot, symbol);
  }
  return symbol;
}

/* Declares a variable `verdict`, returns -1 when the call is to fail. */
#define JUDGE(verdict)             \
  if ((verdict).fail) return -1
#define DONE(verdict, result)      \
  if ((verdict).kill_after) die(); \
  return (result)

DECLARE(write);
DECLARE(pwrite);
DECLARE(pwrite64);
DECLARE(writev);
DECLARE(pwritev);
DECLARE(fsync);
DECLARE(fdatasync);
DECLARE(sync_file_range);
DECLARE(open);
DECLARE(open64);
DECLARE(openat);
DECLARE(openat64);
DECLARE(creat);
DECLARE(rename);
DECLARE(renameat);
DECLARE(renameat2);
DECLARE(unlink);
DECLARE(unlinkat);
DECLARE(rmdir);
DECLARE(link);
DECLARE(linkat);
DECLARE(ftruncate);
DECLARE(ftruncate64);
DECLARE(truncate);
DECLARE(fallocate);
DECLARE(posix_fallocate);
DECLARE(mkdir);
DECLARE(mkdirat);
DECLARE(copy_file_range);
DECLARE(ioctl);
DECLARE(fcntl);
DECLARE(fcntl64);

ssize_t write(int fd, const void *bytes, size_t size) {
  struct verdict v = judge_fd(KIND_ROOM, "write", fd);
  ssize_t result;
  JUDGE(v);
  result = REAL(write)(fd, bytes, v.cut && size > 1 ? size / 2 : size);
  DONE(v, result);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
  struct verdict v = judge_fd(KIND_ROOM, "pwrite", fd);
  ssize_t result;
  JUDGE(v);
  result = REAL(pwrite)(fd, bytes, v.cut && size > 1 ? size / 2 : size, offset);
  DONE(v, result);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
  struct verdict v = judge_fd(KIND_ROOM, "pwrite", fd);
  ssize_t result;
  JUDGE(v);
  result = REAL(pwrite64)(fd, bytes, v.cut && size > 1 ? size / 2 : size, offset);
  DONE(v, result);
}

ssize_t writev(int fd, const struct iovec *parts, int parts_count) {
  struct verdict v = judge_fd(KIND_ROOM, "writev", fd);
  ssize_t result;
  JUDGE(v);
  result = REAL(writev)(fd, parts, v.cut && parts_count > 1 ? 1 : parts_count);
  DONE(v, result);
}

ssize_t pwritev(int fd, const struct iovec *parts, int parts_count, off_t offset) {
  struct verdict v = judge_fd(KIND_ROOM, "pwritev", fd);
  ssize_t result;
  JUDGE(v);
  result = REAL(pwritev)(fd, parts, v.cut && parts_count > 1 ? 1 : parts_count, offset);
  DONE(v, result);
}

int fsync(int fd) {
  struct verdict v = judge_fd(KIND_CHANGE, "fsync", fd);
  int result;
  JUDGE(v);
  result = REAL(fsync)(fd);
  DONE(v, result);
}

int fdatasync(int fd) {
  struct verdict v = judge_fd(KIND_CHANGE, "fdatasync", fd);
  int result;
  JUDGE(v);
  result = REAL(fdatasync)(fd);
  DONE(v, result);
}

int sync_file_range(int fd, off64_t offset, off64_t size, unsigned int flags) {
  struct verdict v = judge_fd(KIND_CHANGE, "sync_file_range", fd);
  int result;
  JUDGE(v);
  result = REAL(sync_file_range)(fd, offset, size, flags);
  DONE(v, result);
}

/* Opening counts when it may create or truncate. */
#define OPEN_BODY(symbol, dir_fd, path, ...)                                                 \
  struct verdict v = {0, 0, 0};                                                              \
  mode_t access_mode = 0;                                                                    \
  int result;                                                                                \
  if (flags & (O_CREAT | O_TMPFILE)) {                                                       \
    va_list arguments;                                                                       \
    va_start(arguments, flags);                                                              \
    access_mode = va_arg(arguments, mode_t);                                                 \
    va_end(arguments);                                                                       \
  }                                                                                          \
  if (flags & (O_CREAT | O_TRUNC)) v = judge_at(KIND_ROOM, "open", dir_fd, path);            \
  JUDGE(v);                                                                                  \
  result = REAL(symbol)(__VA_ARGS__, flags, access_mode);                                    \
  DONE(v, result)

int open(const char *path, int flags, ...) { OPEN_BODY(open, AT_FDCWD, path, path); }
int open64(const char *path, int flags, ...) { OPEN_BODY(open64, AT_FDCWD, path, path); }
int openat(int dir_fd, const char *path, int flags, ...) { OPEN_BODY(openat, dir_fd, path, dir_fd, path); }
int openat64(int dir_fd, const char *path, int flags, ...) { OPEN_BODY(openat64, dir_fd, path, dir_fd, path); }

int creat(const char *path, mode_t access_mode) {
  struct verdict v = judge_at(KIND_ROOM, "creat", AT_FDCWD, path);
  int result;
  JUDGE(v);
  result = REAL(creat)(path, access_mode);
  DONE(v, result);
}

int rename(const char *from, const char *to) {
  struct verdict v = judge_at(KIND_CHANGE, "rename", AT_FDCWD, to);
  int result;
  JUDGE(v);
  result = REAL(rename)(from, to);
  DONE(v, result);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to) {
  struct verdict v = judge_at(KIND_CHANGE, "renameat", to_fd, to);
  int result;
  JUDGE(v);
  result = REAL(renameat)(from_fd, from, to_fd, to);
  DONE(v, result);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags) {
  struct verdict v = judge_at(KIND_CHANGE, "renameat2", to_fd, to);
  int result;
  JUDGE(v);
  result = REAL(renameat2)(from_fd, from, to_fd, to, flags);
  DONE(v, result);
}

int unlink(const char *path) {
  struct verdict v = judge_at(KIND_CHANGE, "unlink", AT_FDCWD, path);
  int result;
  JUDGE(v);
  result = REAL(unlink)(path);
  DONE(v, result);
}

int unlinkat(int dir_fd, const char *path, int flags) {
  struct verdict v = judge_at(KIND_CHANGE, "unlinkat", dir_fd, path);
  int result;
  JUDGE(v);
  result = REAL(unlinkat)(dir_fd, path, flags);
  DONE(v, result);
}

int rmdir(const char *path) {
  struct verdict v = judge_at(KIND_CHANGE, "rmdir", AT_FDCWD, path);
  int result;
  JUDGE(v);
  result = REAL(rmdir)(path);
  DONE(v, result);
}

int link(const char *from, const char *to) {
  struct verdict v = judge_at(KIND_ROOM, "link", AT_FDCWD, to);
  int result;
  JUDGE(v);
  result = REAL(link)(from, to);
  DONE(v, result);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) {
  struct verdict v = judge_at(KIND_ROOM, "linkat", to_fd, to);
  int result;
  JUDGE(v);
  result = REAL(linkat)(from_fd, from, to_fd, to, flags);
  DONE(v, result);
}

int ftruncate(int fd, off_t size) {
  struct verdict v = judge_fd(KIND_CHANGE, "ftruncate", fd);
  int result;
  JUDGE(v);
  result = REAL(ftruncate)(fd, size);
  DONE(v, result);
}

int ftruncate64(int fd, off64_t size) {
  struct verdict v = judge_fd(KIND_CHANGE, "ftruncate", fd);
  int result;
  JUDGE(v);
  result = REAL(ftruncate64)(fd, size);
  DONE(v, result);
}

int truncate(const char *path, off_t size) {
  struct verdict v = judge_at(KIND_CHANGE, "truncate", AT_FDCWD, path);
  int result;
  JUDGE(v);
  result = REAL(truncate)(path, size);
  DONE(v, result);
}

int fallocate(int fd, int flags, off_t offset, off_t size) {
  struct verdict v = judge_fd(KIND_ROOM, "fallocate", fd);
  int result;
  JUDGE(v);
  result = REAL(fallocate)(fd, flags, offset, size);
  DONE(v, result);
}

int posix_fallocate(int fd, off_t offset, off_t size) {
  struct verdict v = judge_fd(KIND_ROOM, "posix_fallocate", fd);
  int result;
  if (v.fail) return fault_errno;
  result = REAL(posix_fallocate)(fd, offset, size);
  DONE(v, result);
}

int mkdir(const char *path, mode_t access_mode) {
  struct verdict v = judge_at(KIND_ROOM, "mkdir", AT_FDCWD, path);
  int result;
  JUDGE(v);
  result = REAL(mkdir)(path, access_mode);
  DONE(v, result);
}

int mkdirat(int dir_fd, const char *path, mode_t access_mode) {
  struct verdict v = judge_at(KIND_ROOM, "mkdirat", dir_fd, path);
  int result;
  JUDGE(v);
  result = REAL(mkdirat)(dir_fd, path, access_mode);
  DONE(v, result);
}

ssize_t copy_file_range(int from_fd, off64_t *from, int to_fd, off64_t *to, size_t size, unsigned int flags) {
  struct verdict v = judge_fd(KIND_ROOM, "copy_file_range", to_fd);
  ssize_t result;
  JUDGE(v);
  result = REAL(copy_file_range)(from_fd, from, to_fd, to, v.cut && size > 1 ? size / 2 : size, flags);
  DONE(v, result);
}

int ioctl(int fd, unsigned long request, ...) {
  struct verdict v = {0, 0, 0};
  va_list arguments;
  void *argument;
  int result;
  va_start(arguments, request);
  argument = va_arg(arguments, void *);
  va_end(arguments);
  if (request == FICLONE || request == FICLONERANGE) v = judge_fd(KIND_ROOM, "ioctl(FICLONE)", fd);
  JUDGE(v);
  result = REAL(ioctl)(fd, request, argument);
  DONE(v, result);
}

#define FCNTL_BODY(symbol)                                                                   \
  struct verdict v = {0, 0, 0};                                                              \
  va_list arguments;                                                                         \
  void *argument;                                                                            \
  int result;                                                                                \
  va_start(arguments, command);                                                              \
  argument = va_arg(arguments, void *);                                                      \
  va_end(arguments);                                                                         \
  if (command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW) { \
    v = judge_fd(KIND_LOCK, "fcntl(lock)", fd);                                              \
  }                                                                                          \
  result = REAL(symbol)(fd, command, argument);                                              \
  DONE(v, result)

int fcntl(int fd, int command, ...) { FCNTL_BODY(fcntl); }
int fcntl64(int fd, int command, ...) { FCNTL_BODY(fcntl64); }
